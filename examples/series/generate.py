#!/usr/bin/env python3
"""Writes the series of this example: facts.db to learn from, test.txt to be asked about.

A series is a noisy wave,

    x(t) = a sin(2 pi t / period + phase) + noise,

and its kind is the period alone: `slow` is 14 to 18 steps, `medium` 7.5 to 9.5, `fast` 4 to 5. Amplitude a (0.7 to 1.3),
phase (anything) and noise (normal, deviation 0.15) are drawn for each series and say nothing about the kind. The series
to learn from have 12 to 28 steps, those of the test 30 to 50.

Usage: python3 generate.py [FOLDER]      (default: the folder of this script)
"""

import math
import os
import random
import sys

PERIODS = {"slow": (14, 18), "medium": (7.5, 9.5), "fast": (4, 5)}
SEED = 11


def series(source, kind, shortest, longest):
    """One example: a world of its own, with its label."""
    period = source.uniform(*PERIODS[kind])
    amplitude = source.uniform(0.7, 1.3)
    phase = source.uniform(0, 2 * math.pi)
    facts = []
    for t in range(1, source.randint(shortest, longest) + 1):
        # The sum of twelve uniform numbers, less its mean, is near enough to a normal number, and the same everywhere.
        noise = 0.15 * (sum(source.random() for _ in range(12)) - 6)
        value = amplitude * math.sin(2 * math.pi * t / period + phase) + noise
        facts.append(f"<{value:.2f}> x({t})")
    return f"1 kind({kind}) :- {', '.join(facts)}."


def main():
    folder = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.abspath(__file__))
    source = random.Random(SEED)
    for name, each, shortest, longest in [("facts.db", 40, 12, 28), ("test.txt", 30, 30, 50)]:
        lines = [series(source, kind, shortest, longest) for kind in PERIODS for _ in range(each)]
        source.shuffle(lines)
        lines.insert(0, f"% {3 * each} noisy waves of {shortest} to {longest} steps, written by generate.py.")
        with open(os.path.join(folder, name), "w", newline="\n") as file:
            file.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
