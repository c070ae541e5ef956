#!/usr/bin/env python3
"""Writes a made-up graph of friends: facts.db with nine links of ten, test.txt with the others and as many pairs that are none.

The planted rule: there are GROUPS groups. Two people are friends with probability WITHIN if they are of the same group, and with
probability ACROSS if they are not. The facts do not name the groups.

Usage: python3 generate.py [FOLDER]      (default: the folder of this script)
"""

import os
import random
import sys

GROUPS, SIZE, WITHIN, ACROSS, SEED = 10, 20, 0.25, 0.002, 1


def main():
    folder = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.abspath(__file__))
    source = random.Random(SEED)
    people = list(range(GROUPS * SIZE))
    links, others = [], []
    for x in people:
        for y in range(x):
            same = x % GROUPS == y % GROUPS
            (links if source.random() < (WITHIN if same else ACROSS) else others).append((y, x))
    source.shuffle(links)
    held = links[: len(links) // 10]
    facts = ["% People, and who are friends, written by generate.py."]
    facts.append(" ".join(f"person(p{x})." for x in people))
    facts += [f"friends(p{x},p{y})." for x, y in sorted(links[len(held) :])]
    strangers = [(0, y) for y in people if (0, y) in others]
    asked = next(p for p in strangers if p[1] % GROUPS == 0), next(p for p in strangers if p[1] % GROUPS != 0)
    facts.append("% Two open questions: the first pair is of one group, the second is not.")
    facts += [f"?- link(p{x},p{y})." for x, y in asked]
    test = [f"1 link(p{x},p{y})." for x, y in held]
    test += [f"0 link(p{x},p{y})." for x, y in source.sample(others, len(held))]
    for name, lines in [("facts.db", facts), ("test.txt", test)]:
        with open(os.path.join(folder, name), "w", newline="\n") as file:
            file.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
