#!/usr/bin/env python3
"""Writes people, their professions and their committees: facts.db with the labels of some people, test.txt with those of others.

The planted rule:

    A person may sign contracts if and only if one of the person's committees has both a lawyer and an engineer.

Those who are asked about in the test sit in other committees than those who are learned from.

Usage: python3 generate.py [FOLDER]      (default: the folder of this script)
"""

import os
import random
import sys

PROFESSIONS = ["lawyer", "engineer", "doctor", "teacher", "baker"]
PEOPLE, COMMITTEES, SEED = 200, 100, 1


def main():
    folder = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.abspath(__file__))
    source = random.Random(SEED)
    facts, labels = ["% People, professions and committees, written by generate.py."], [[], []]
    for group in (0, 1):
        people = [f"p{i}" for i in range(group * PEOPLE, (group + 1) * PEOPLE)]
        profession = {p: source.choice(PROFESSIONS) for p in people}
        may = {}
        for c in range(group * COMMITTEES, (group + 1) * COMMITTEES):
            members = source.sample(people, source.randint(3, 5))
            signs = {"lawyer", "engineer"} <= {profession[p] for p in members}
            for p in members:
                may[p] = may.get(p, False) or signs
            facts.append(" ".join(f"member({p},c{c})." for p in members))
        facts.append(" ".join(f"is({p},{profession[p]})." for p in people))
        labels[group] = [f"{int(may[p])} signs({p})." for p in people if p in may]
    facts.append("% The people that are learned from.")
    facts += [f"?- {label}" for label in labels[0]]
    for name, lines in [("facts.db", facts), ("test.txt", labels[1])]:
        with open(os.path.join(folder, name), "w", newline="\n") as file:
            file.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
