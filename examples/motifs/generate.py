#!/usr/bin/env python3
"""Writes graphs with a planted motif: facts.db to learn from, test.txt to be asked about.

A graph is grown as by Barabasi and Albert, each new node joining one present node, drawn in proportion to its number of
neighbours: 12 to 18 nodes, a tree with hubs. Then a motif of five nodes is hung on it by one edge between random nodes.

    house  if and only if  the motif is a house, a square with a roof;
    otherwise it is a ring of five
    (or, on request, a butterfly: two triangles with a node in common, as many nodes and edges as a house).

(Made after the BA-2motifs data of Luo et al., "Parameterized explainer for graph neural networks", 2020; smaller, and
grown anew.)

Usage: python3 generate.py [FOLDER [butterfly]]      (default: the folder of this script, rings)
"""

import os
import random
import sys

SEED = 5
RING = [(0, 1), (1, 2), (2, 3), (3, 4), (4, 0)]
HOUSE = RING + [(1, 4)]
BUTTERFLY = [(0, 1), (1, 2), (2, 0), (0, 3), (3, 4), (4, 0)]


def graph(source, house, other):
    """One example: a world of its own, with its label; `other` is the motif that is no house."""
    size = source.randint(12, 18)
    edges = [(0, 1)]
    for new in range(2, size):
        edges.append((source.choice([node for edge in edges for node in edge]), new))
    edges += [(size + a, size + b) for a, b in (HOUSE if house else other)]
    edges.append((source.randrange(size), size + source.randrange(5)))
    names = list(range(size + 5))
    source.shuffle(names)
    edges = [(names[a], names[b]) for a, b in edges]
    source.shuffle(edges)
    return f"{int(house)} house :- {', '.join(f'edge({a},{b})' for a, b in edges)}."


def main():
    folder = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.abspath(__file__))
    other = BUTTERFLY if sys.argv[2:] == ["butterfly"] else RING
    source = random.Random(SEED)
    for name, each in [("facts.db", 60), ("test.txt", 40)]:
        lines = [graph(source, house, other) for house in [False, True] for _ in range(each)]
        source.shuffle(lines)
        lines.insert(0, f"% {2 * each} graphs with a motif, written by generate.py.")
        with open(os.path.join(folder, name), "w", newline="\n") as file:
            file.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
