#!/usr/bin/env python3
"""Writes graphs that no network of messages can tell apart: facts.db to learn from, test.txt to be asked about.

In every graph every node has exactly three neighbours (a cubic graph, connected, drawn at random), and half of the
graphs of each size have a triangle, half have none:

    triangle  if and only if  three nodes are neighbours of each other.

The graphs to learn from have 8, 10 or 12 nodes, those of the test 14 or 16.

Usage: python3 generate.py [FOLDER]      (default: the folder of this script)
"""

import os
import random
import sys

SEED = 3
FILES = [("facts.db", [8, 10, 12], 16), ("test.txt", [14, 16], 15)]  # name, sizes, graphs of each size and label


def cubic(source, size):
    """A connected graph of nodes with three neighbours each: half-edges paired at random until they fit."""
    while True:
        ends = [node for node in range(size) for _ in range(3)]
        source.shuffle(ends)
        edges = {tuple(sorted(pair)) for pair in zip(ends[::2], ends[1::2])}
        if len(edges) == 3 * size // 2 and all(a != b for a, b in edges):
            reached, new = set(), {0}
            while new:
                reached |= new
                new = {b for a in new for e in edges if a in e for b in e} - reached
            if len(reached) == size:
                return sorted(edges)


def triangle(edges):
    """The true rule."""
    return any((a, c) in edges and (b, c) in edges for a, b in edges for c in range(b + 1, len(edges)))


def main():
    folder = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.abspath(__file__))
    source = random.Random(SEED)
    for name, sizes, each in FILES:
        lines = []
        for size in sizes:
            for label in [0, 1]:
                wanted = each
                while wanted > 0:
                    edges = cubic(source, size)
                    if triangle(set(edges)) == bool(label):
                        facts = ", ".join(f"edge(n{a},n{b})" for a, b in edges)
                        lines.append(f"{label} triangle :- {facts}.")
                        wanted -= 1
        source.shuffle(lines)
        lines.insert(0, f"% {len(lines)} cubic graphs, written by generate.py.")
        with open(os.path.join(folder, name), "w", newline="\n") as file:
            file.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
