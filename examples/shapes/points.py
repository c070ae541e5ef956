#!/usr/bin/env python3
"""Writes point clouds: noisy outlines of shapes.

A cloud has 20 points, spread evenly (with some jitter) along the outline of a circle, a square, a triangle or a cross,
turned by any angle, stretched to 0.7 to 1.3 of its size, moved, and with noise on every point (normal, deviation 0.04
of a size of about 1). The points of a cloud stand in no order.

Usage: python3 points.py train | nlog data knn - --k 2 -o facts.db
       python3 points.py test | nlog data knn - --k 2 -o test.txt
"""

import math
import random
import sys

POINTS, NOISE = 20, 0.04
COUNTS = {"train": (20, 5), "test": (10, 6)}  # clouds of each shape, seed

CORNERS = {
    "square": [(-0.8, -0.8), (0.8, -0.8), (0.8, 0.8), (-0.8, 0.8)],
    "triangle": [(0, 1.1), (-0.95, -0.55), (0.95, -0.55)],
    "cross": [(1, 0.3), (0.3, 0.3), (0.3, 1), (-0.3, 1), (-0.3, 0.3), (-1, 0.3),
              (-1, -0.3), (-0.3, -0.3), (-0.3, -1), (0.3, -1), (0.3, -0.3), (1, -0.3)],
}


def at(shape, share):
    """The point after this share of the way around the outline."""
    if shape == "circle":
        return math.cos(2 * math.pi * share), math.sin(2 * math.pi * share)
    corners = CORNERS[shape]
    sides = list(zip(corners, corners[1:] + corners[:1]))
    left = share % 1 * sum(math.dist(a, b) for a, b in sides)
    for a, b in sides:
        length = math.dist(a, b)
        if left <= length:
            break
        left -= length
    return a[0] + (b[0] - a[0]) * left / length, a[1] + (b[1] - a[1]) * left / length


def cloud(source, shape):
    """One example: a world of its own, with its label."""
    angle, size, start = source.uniform(0, 2 * math.pi), source.uniform(0.7, 1.3), source.random()
    middle = source.uniform(-0.3, 0.3), source.uniform(-0.3, 0.3)
    points = []
    for k in range(POINTS):
        x, y = at(shape, start + (k + source.uniform(-0.3, 0.3)) / POINTS)
        turned = math.cos(angle) * x - math.sin(angle) * y, math.sin(angle) * x + math.cos(angle) * y
        points.append([m + size * t + NOISE * normal(source) for m, t in zip(middle, turned)])
    source.shuffle(points)
    facts = [f"<[{x:.2f},{y:.2f}]> pos({n})" for n, (x, y) in enumerate(points, 1)]
    return f"1 shape({shape}) :- {', '.join(facts)}."


def normal(source):
    """Twelve uniform numbers less their mean: near enough to a normal number, and the same on every machine."""
    return sum(source.random() for _ in range(12)) - 6


def main():
    each, seed = COUNTS[sys.argv[1]]
    source = random.Random(seed)
    lines = [cloud(source, shape) for shape in ["circle", *CORNERS] for _ in range(each)]
    source.shuffle(lines)
    print("\n".join(lines))


if __name__ == "__main__":
    main()
