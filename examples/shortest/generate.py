#!/usr/bin/env python3
"""Writes the roads and journeys of this example: facts.db to learn from, test.txt to be asked about.

Thirty places on a map; each has roads to its nearest places, as long as the straight line, of one of four surfaces. What
a journey takes is the planted rule, which the facts do not state:

    minutes  =  the least sum of (km times minutes per km of the surface) over all ways from place to place
                with asphalt 1, gravel 2, mud 5, steps 12 minutes per km,

with an error of 3 % (normal). 60 journeys are known, 60 others are asked about. All surfaces are drawn alike for roads
of all lengths, and every journey has a way of at most LEGS roads that is as fast as any.

Usage: python3 generate.py [FOLDER]      (default: the folder of this script)
"""

import math
import os
import random
import sys

PACE = {"asphalt": 1, "gravel": 2, "mud": 5, "steps": 12}
PLACES, NEAREST, LEGS, KNOWN, ASKED, NOISE, SEED = 30, 3, 6, 60, 60, 0.03, 4


def normal(source):
    """Twelve uniform numbers less their mean: near enough to a normal number, and the same on every machine."""
    return sum(source.random() for _ in range(12)) - 6


def main():
    folder = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.abspath(__file__))
    source = random.Random(SEED)
    at = [(source.uniform(0, 10), source.uniform(0, 10)) for _ in range(PLACES)]
    roads = {}
    for a in range(PLACES):
        for b in sorted(range(PLACES), key=lambda b: math.dist(at[a], at[b]))[1:NEAREST + 1]:
            roads.setdefault((min(a, b), max(a, b)), (round(math.dist(at[a], at[b]), 1), source.choice(list(PACE))))
    leg = [[math.inf] * PLACES for _ in at]
    for (a, b), (km, surface) in roads.items():
        leg[a][b] = leg[b][a] = km * PACE[surface]

    def further(way):
        return [[min(way[a][c], *(way[a][b] + leg[b][c] for b in range(PLACES))) for c in range(PLACES)]
                for a in range(PLACES)]

    way = leg
    for _ in range(LEGS - 1):
        way = further(way)
    fastest = way
    for _ in range(PLACES):
        fastest = further(fastest)
    pairs = [(a, b) for a in range(PLACES) for b in range(a + 1, PLACES)
             if way[a][b] == fastest[a][b] < math.inf and (a, b) not in roads]
    source.shuffle(pairs)
    journeys = [f"{way[a][b] * (1 + NOISE * normal(source)):.1f} minutes(p{a},p{b})" for a, b in pairs]
    with open(os.path.join(folder, "facts.db"), "w", newline="\n") as file:
        file.write("% Roads, and journeys with the minutes they took, written by generate.py.\n")
        for (a, b), (km, surface) in sorted(roads.items()):
            file.write(f"<{km}> km(p{a},p{b}), surface(p{a},p{b},{surface}).\n")
        for journey in journeys[:KNOWN]:
            file.write(f"?- {journey}.\n")
    with open(os.path.join(folder, "test.txt"), "w", newline="\n") as file:
        file.write(",\n".join(journeys[KNOWN:KNOWN + ASKED]) + ".\n")


if __name__ == "__main__":
    main()
