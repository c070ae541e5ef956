"""Writes facts.db and test.txt (into the folder that is given, or this one): made-up pictures of 7 x 7 pixels.

Each picture has one bar of four pixels, anywhere, lying or standing with probability 0.5 each, and five other pixels that are
lit by chance. The label is 1 if the bar lies. Pictures where lit pixels make a second bar of four are drawn again.
"""

import random
import sys
from pathlib import Path

FOLDER = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent

SIZE = 7


def bars(lit, across):
    rows, cols = (SIZE, SIZE - 3) if across else (SIZE - 3, SIZE)
    step = (0, 1) if across else (1, 0)
    places = [(r, c) for r in range(rows) for c in range(cols)]
    return sum(all((r + k * step[0], c + k * step[1]) in lit for k in range(4)) for r, c in places)


def picture(draw):
    while True:
        across = draw.random() < 0.5
        a, b = draw.randrange(SIZE), draw.randrange(SIZE - 3)
        lit = {(a, b + k) if across else (b + k, a) for k in range(4)}
        others = [(r, c) for r in range(SIZE) for c in range(SIZE) if (r, c) not in lit]
        lit |= set(draw.sample(others, 5))
        if bars(lit, across) == 1 and bars(lit, not across) == 0:
            return across, sorted(lit)


def write(name, comment, count, draw, first):
    with open(FOLDER / name, "w") as out:
        out.write(comment)
        out.write(first)
        for _ in range(count):
            across, lit = picture(draw)
            out.write(f"{float(across)} lying :- {', '.join(f'lit({r},{c})' for r, c in lit)}.\n")


draw = random.Random(1)
grid = "".join(" ".join(f"cell({r},{c})." for c in range(SIZE)) + "\n" for r in range(SIZE))
write("facts.db", "% All pictures have these pixels; then 150 pictures, by those that are lit.\n", 150, draw, grid)
write("test.txt", "% 100 other pictures.\n", 100, draw, "")
