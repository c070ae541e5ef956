"""Writes facts.db and test.txt (into the folder that is given, or this one): made-up towns of eight people.

A town has two circles of four friends, and one friendship between the circles. In a circle that smokes each person smokes
with probability 0.95, in another one with 0.05; each circle is of either kind with probability 0.5. A smoker has cancer with
probability 0.6, another person with 0.1. Two people of each circle were asked whether they smoke; one answer of twenty is wrong.
"""

import random
import sys
from pathlib import Path

FOLDER = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent


def town(draw):
    names = "abcdefgh"
    smokes = []
    for _ in range(2):
        rate = draw.choice([0.95, 0.05])
        smokes += [draw.random() < rate for _ in range(4)]
    friends = [(a, b) for c in (0, 4) for a in range(c, c + 4) for b in range(a + 1, c + 4)]
    friends.append((draw.randrange(4), draw.randrange(4, 8)))
    asked = draw.sample(range(4), 2) + draw.sample(range(4, 8), 2)
    facts = [f"friends({names[a]},{names[b]})" for a, b in friends]
    for k in range(8):
        said = "unknown"
        if k in asked:
            said = "yes" if smokes[k] != (draw.random() < 0.05) else "no"
        facts.append(f"said({names[k]},{said})")
    smoking = [f"{float(smokes[k])} smokes({names[k]})" for k in range(8) if k not in asked]
    ill = [f"{float(draw.random() < (0.6 if smokes[k] else 0.1))} cancer({names[k]})" for k in range(8)]
    return smoking, ill, ", ".join(facts)


draw = random.Random(1)
with open(FOLDER / "facts.db", "w") as out:
    out.write("% 60 towns: who smokes of those who were not asked, and who has cancer.\n")
    for _ in range(60):
        smoking, ill, facts = town(draw)
        out.write(f"{', '.join(smoking + ill)} :- {facts}.\n")
with open(FOLDER / "test.txt", "w") as out:
    out.write("% 40 other towns: who smokes of those who were not asked.\n")
    for _ in range(40):
        smoking, _, facts = town(draw)
        out.write(f"{', '.join(smoking)} :- {facts}.\n")
