#!/usr/bin/env python3
"""Writes a made-up knowledge base: facts.db with labels of some people, test.txt with labels of the others.

The facts are triples r(X,relation,Y) about people, towns, countries and firms. The planted rules of what is asked:

    citizen_of(X,C)  if and only if  X was born in a town that is part of C
    seen_in(X,T)     if and only if  X works for a firm that is based in T, or is married to one who lives in T
    knows(X,Y)       if and only if  X is married to a friend of Y

Asked are all pairs that some chain of two relations joins (of the false ones as many as there are true ones, as far as
there are that many). Of the labels in facts.db each is turned over with probability NOISE; those in test.txt are right.

Usage: python3 generate.py [FOLDER]      (default: the folder of this script)
"""

import os
import random
import sys

PEOPLE, TRAIN, TOWNS, COUNTRIES, FIRMS, SEED = 120, 80, 14, 5, 12, 3
NOISE = 0.1
RULES = {
    "citizen_of": [("born_in", "part_of")],
    "seen_in": [("works_for", "based_in"), ("married_to", "lives_in")],
    "knows": [("married_to", "friend_of")],
}
# What the answers of a question are, and the kinds of things by the first letter of their names.
ANSWERS = {"citizen_of": "country", "seen_in": "town", "knows": "person"}
KINDS = {"p": "person", "t": "town", "c": "country", "f": "firm"}


def main():
    folder = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.abspath(__file__))
    source = random.Random(SEED)
    facts = []

    def some(kind, number, other=None):
        return source.choice([f"{kind}{i}" for i in range(number) if f"{kind}{i}" != other])

    for i in range(TOWNS):
        facts.append((f"t{i}", "part_of", f"c{i % COUNTRIES}"))
    for i in range(FIRMS):
        facts.append((f"f{i}", "based_in", some("t", TOWNS)))
    # Those who are asked about in the test know only each other, so that nothing of them is seen in training.
    for first, last in [(0, TRAIN), (TRAIN, PEOPLE)]:
        group = [f"p{i}" for i in range(first, last)]
        single = group[:]
        source.shuffle(single)
        for x, y in zip(single[::2], single[1::2]):
            if source.random() < 0.8:
                facts += [(x, "married_to", y), (y, "married_to", x)]
        for x in group:
            facts.append((x, "born_in", some("t", TOWNS)))
            facts.append((x, "studied_in", some("t", TOWNS)))
            facts.append((x, "lives_in", some("t", TOWNS)))
            facts.append((x, "works_for", some("f", FIRMS)))
            for y in source.sample([y for y in group if y != x], 2):
                facts.append((x, "friend_of", y))
    # All chains of two relations, by what they join.
    joined = {}
    for x, r, z in facts:
        for z2, s, y in facts:
            if z == z2 and x != y:
                joined.setdefault((x, y), set()).add((r, s))
    files = {"facts.db": [], "test.txt": []}
    for name, rules in RULES.items():
        for file, people in [("facts.db", range(TRAIN)), ("test.txt", range(TRAIN, PEOPLE))]:
            pairs = sorted(p for p in joined if p[0][0] == "p" and int(p[0][1:]) in people)
            pairs = [p for p in pairs if KINDS[p[1][0]] == ANSWERS[name]]
            yes = [p for p in pairs if any(rule in joined[p] for rule in rules)]
            no = [p for p in pairs if p not in yes]
            no = source.sample(no, min(len(no), len(yes)))
            for x, y in sorted(yes + no):
                label = (x, y) in yes
                if file == "facts.db" and source.random() < NOISE:
                    label = not label
                files[file].append(f"{int(label)} implied({x},{name},{y}).")
    triples = {}
    for x, r, y in facts:
        triples.setdefault(x, []).append(f"r({x},{r},{y}).")
    text = ["% Made-up people (p), towns (t), countries (c) and firms (f), written by generate.py."]
    text += [" ".join(line) for line in triples.values()]
    things = sorted({thing for x, _, y in facts for thing in (x, y)}, key=lambda x: (x[0], int(x[1:])))
    text.append("% What kind everything is of, and what is asked.")
    text += [" ".join(f"is({x},{kind})." for x in things if x[0] == p) for p, kind in KINDS.items()]
    text.append(" ".join(f"asked({name},{kind})." for name, kind in ANSWERS.items()))
    text += ["% What is said of the people up to p79. One label of ten is wrong."]
    text += [f"?- {line}" for line in files["facts.db"]]
    for name, lines in [("facts.db", text), ("test.txt", files["test.txt"])]:
        with open(os.path.join(folder, name), "w", newline="\n") as file:
            file.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
