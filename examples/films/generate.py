#!/usr/bin/env python3
"""Writes made-up users, films and directors: facts.db with the users whose taste is known, test.txt with the others.

The planted rule:

    - A director has a genre. A film is of its director's genre with probability OWN, else of any.
    - A user has a taste, one of the genres. Of RATED films that a user likes each is of that genre with probability
      LIKED, else any. Of RATED films that a user dislikes each is of another genre with probability DISLIKED, else any.

The facts name no genres of films and directors, and the taste of KNOWN users of each genre.

Usage: python3 generate.py [FOLDER]      (default: the folder of this script)
"""

import os
import random
import sys

GENRES = ["comedy", "drama", "thriller"]
DIRECTORS, FILMS, USERS, KNOWN, SEED = 24, 120, 300, 30, 1
RATED, OWN, LIKED, DISLIKED = 4, 0.9, 0.7, 0.9


def main():
    folder = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.abspath(__file__))
    source = random.Random(SEED)
    facts = ["% Directors and their films, users and what they like and dislike, written by generate.py."]
    genre = []
    for film in range(FILMS):
        director = source.randrange(DIRECTORS)
        own = source.random() < OWN
        genre.append(GENRES[director % len(GENRES)] if own else source.choice(GENRES))
        facts.append(f"directed(d{director},f{film}).")
    labelled, test = [], []
    for user in range(USERS):
        taste = GENRES[user % len(GENRES)]
        likes, dislikes = set(), set()
        while len(likes) < RATED:
            fits = source.random() < LIKED
            likes.add(source.choice([f for f in range(FILMS) if not fits or genre[f] == taste]))
        while len(dislikes) < RATED:
            fits = source.random() < DISLIKED
            dislikes.add(source.choice([f for f in range(FILMS) if f not in likes and (not fits or genre[f] != taste)]))
        line = [f"likes(u{user},f{f})." for f in sorted(likes)] + [f"dislikes(u{user},f{f})." for f in sorted(dislikes)]
        facts.append(" ".join(line))
        label = f"1 taste(u{user},{taste})."
        if user < KNOWN * len(GENRES):
            labelled.append(f"?- {label}")
        else:
            test.append(label)
    facts.append("% The users whose taste is known.")
    for name, lines in [("facts.db", facts + labelled), ("test.txt", test)]:
        with open(os.path.join(folder, name), "w", newline="\n") as file:
            file.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
