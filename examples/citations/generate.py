#!/usr/bin/env python3
"""Writes a made-up library of papers: facts.db with the papers that are labelled, test.txt with the others.

Every paper has one of three topics. The planted rule:

    - A paper has WORDS different words. Each is taken from the words of its own topic with probability OWN, else from
      all words. There are no other hints at the topic in the words.
    - A paper cites CITES earlier papers. Each is one of its own topic with probability SAME, else any.

Twenty papers of each topic are labelled. The facts do not say the topics of the others.

Usage: python3 generate.py [FOLDER]      (default: the folder of this script)
"""

import os
import random
import sys

TOPICS = ["biology", "physics", "history"]
PAPERS, LABELLED, SEED = 360, 20, 4
VOCABULARY, WORDS, OWN = 90, 7, 0.3
CITES, SAME = 3, 0.75


def main():
    folder = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.abspath(__file__))
    source = random.Random(SEED)
    topic = [TOPICS[i % len(TOPICS)] for i in range(PAPERS)]
    source.shuffle(topic)
    share = VOCABULARY // len(TOPICS)
    facts = [f"% {PAPERS} made-up papers: their words, and which earlier papers they cite. Written by generate.py."]
    for paper in range(PAPERS):
        words = set()
        while len(words) < WORDS:
            first = TOPICS.index(topic[paper]) * share if source.random() < OWN else None
            words.add(source.randrange(VOCABULARY) if first is None else first + source.randrange(share))
        earlier = set()
        while len(earlier) < min(CITES, paper):
            own = source.random() < SAME
            others = [p for p in range(paper) if not own or topic[p] == topic[paper]]
            if others:
                earlier.add(source.choice(others))
        line = [f"has(p{paper},w{w})" for w in sorted(words)] + [f"cites(p{paper},p{p})" for p in sorted(earlier)]
        facts.append(" ".join(f"{fact}." for fact in line))
    facts.append("% The labelled papers.")
    test = []
    order = list(range(PAPERS))
    source.shuffle(order)
    count = dict.fromkeys(TOPICS, 0)
    for paper in order:
        count[topic[paper]] += 1
        if count[topic[paper]] <= LABELLED:
            facts.append(f"?- 1 topic(p{paper},{topic[paper]}).")
        else:
            test.append(f"1 topic(p{paper},{topic[paper]}).")
    for name, lines in [("facts.db", facts), ("test.txt", test)]:
        with open(os.path.join(folder, name), "w", newline="\n") as file:
            file.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
