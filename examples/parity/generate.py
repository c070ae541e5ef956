#!/usr/bin/env python3
"""Writes binary trees with a bit at every leaf: small ones to learn from, facts.db, and large ones, test.txt.

A tree is odd if and only if the number of its ones is. Only the whole tree is labelled, nothing inside of it. facts.db has all
trees of one, two and three leaves and some of four; test.txt has random trees of 10 to 40 leaves.

Usage: python3 generate.py [FOLDER]      (default: the folder of this script)
"""

import itertools
import os
import random
import sys

FOUR, TEST, SEED = 20, 60, 1


def tree(source, bits):
    """A random tree with these leaves: a bit or a pair of trees."""
    if len(bits) == 1:
        return bits[0]
    cut = source.randint(1, len(bits) - 1)
    return tree(source, bits[:cut]), tree(source, bits[cut:])


def facts(tree, name, found):
    """The facts of a tree whose root is called `name`; that of the children are the name and l or r."""
    if isinstance(tree, tuple):
        found.append(f"node({name},{name}l,{name}r)")
        facts(tree[0], name + "l", found)
        facts(tree[1], name + "r", found)
    else:
        found.append(f"<{2 * tree - 1}> leaf({name})")
    return found


def written(tree, bits):
    return f"{sum(bits) % 2} odd :- {', '.join(facts(tree, 'r', []))}."


def main():
    folder = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.abspath(__file__))
    source = random.Random(SEED)
    train = ["% Trees of one to four leaves, written by generate.py."]
    for a in (0, 1):
        train.append(written(a, (a,)))
    for a, b in itertools.product((0, 1), repeat=2):
        train.append(written((a, b), (a, b)))
    for a, b, c in itertools.product((0, 1), repeat=3):
        train.append(written(((a, b), c), (a, b, c)))
        train.append(written((a, (b, c)), (a, b, c)))
    for _ in range(FOUR):
        bits = [source.randint(0, 1) for _ in range(4)]
        train.append(written(tree(source, bits), bits))
    test = ["% Trees of 10 to 40 leaves, written by generate.py."]
    for _ in range(TEST):
        bits = [source.randint(0, 1) for _ in range(source.randint(10, 40))]
        test.append(written(tree(source, bits), bits))
    for name, lines in [("facts.db", train), ("test.txt", test)]:
        with open(os.path.join(folder, name), "w", newline="\n") as file:
            file.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
