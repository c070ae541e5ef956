#!/usr/bin/env python3
"""Writes made-up trains to learn from, facts.db, and Michalski's ten trains to be asked about, test.txt.

The planted rule of the made-up trains is the best known one that explains the ten:

    A train is eastbound if and only if one of its cars is short and closed.

Half of the made-up trains are eastbound. Of the others, half have a short car and a closed car, which are not the same.

The ten trains are those of Michalski and Larson (1977), in the description that is handed out with systems of inductive
logic programming. (There the third car of the ninth train has two loads and the fourth none; here each has one.)

Usage: python3 generate.py [FOLDER]      (default: the folder of this script)
"""

import os
import random
import sys

TRAINS, SEED = 120, 2
KEYS = ["length", "roof", "sides", "shape", "wheels", "load", "loads"]
# One car a piece: length, roof, sides, shape, wheels, kind and number of loads.
TEN = [
    (1, "long open single rectangle 2 rectangle 3; short closed single rectangle 2 triangle 1; "
        "long open single rectangle 3 hexagon 1; short open single rectangle 2 circle 1"),
    (1, "short open single u_shaped 2 triangle 1; short open single u_shaped 2 rectangle 1; "
        "short closed single rectangle 2 circle 2"),
    (1, "short open single rectangle 2 circle 1; short closed single hexagon 2 triangle 1; "
        "long closed single rectangle 3 triangle 1"),
    (1, "short open single u_shaped 2 triangle 1; short open double rectangle 2 triangle 1; "
        "short closed single ellipse 2 rectangle 1; short open single rectangle 2 rectangle 1"),
    (1, "short open double rectangle 2 triangle 1; short closed single rectangle 3 rectangle 1; "
        "short closed single rectangle 2 circle 1"),
    (0, "long closed single rectangle 2 circle 3; short open single rectangle 2 triangle 1"),
    (0, "short open double rectangle 2 circle 1; short open single u_shaped 2 triangle 1; "
        "long jagged single rectangle 2 none 0"),
    (0, "long closed single rectangle 3 rectangle 1; short open single u_shaped 2 circle 1"),
    (0, "short open single u_shaped 2 circle 1; long jagged single rectangle 2 rectangle 1; "
        "short open single rectangle 2 rectangle 1; short open single u_shaped 2 circle 1"),
    (0, "short open single u_shaped 2 rectangle 1; long open single rectangle 2 rectangle 2"),
]


def made_up(source):
    """A train of two to four cars."""
    cars = []
    for _ in range(source.randint(2, 4)):
        length = source.choice(["short", "short", "long"])
        roof = source.choice(["open", "open", "closed", "jagged"])
        sides = source.choice(["single", "single", "double"])
        shape = source.choice(["rectangle", "rectangle", "u_shaped", "hexagon", "ellipse"])
        loads = source.randint(0, 3)
        load = source.choice(["circle", "triangle", "rectangle", "hexagon"]) if loads else "none"
        cars.append([length, roof, sides, shape, source.choice("23"), load, str(loads)])
    return cars


def eastbound(cars):
    return any(car[0] == "short" and car[1] == "closed" for car in cars)


def near_miss(cars):
    return any(car[0] == "short" for car in cars) and any(car[1] == "closed" for car in cars)


def written(label, cars):
    facts = [f"is(c{i},{key},{value})" for i, car in enumerate(cars, 1) for key, value in zip(KEYS, car)]
    return f"{int(label)} eastbound :- {', '.join(facts)}."


def main():
    folder = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.abspath(__file__))
    source = random.Random(SEED)
    lines = [f"% {TRAINS} made-up trains, written by generate.py."]
    for i in range(TRAINS):
        east, near = i % 2 == 0, i % 4 == 1
        while True:
            cars = made_up(source)
            if eastbound(cars) == east and (east or near_miss(cars) == near):
                break
        lines.append(written(east, cars))
    ten = ["% Michalski's ten trains (Michalski and Larson 1977)."]
    for label, text in TEN:
        cars = [car.split() for car in text.split(";")]
        assert eastbound(cars) == bool(label)
        ten.append(written(label, cars))
    for name, lines in [("facts.db", lines), ("test.txt", ten)]:
        with open(os.path.join(folder, name), "w", newline="\n") as file:
            file.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
