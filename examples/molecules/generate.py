#!/usr/bin/env python3
"""Writes the molecules of this example: facts.db to learn from, test.txt to be asked about.

The molecules are made up (no chemist would bottle them), and so is the rule of their labels:

    toxic  if and only if  a nitrogen is double-bonded to an oxygen,
                       or  a ring of three carbons has a chlorine on it.

Both kinds are full of near misses: rings of three without chlorine, rings of four with chlorine, chlorine beside a
ring, N-O single bonds, C=O and C=N double bonds. No two molecules of the two files are the same (`signature`).

Usage: python3 generate.py [FOLDER]      (default: the folder of this script)
"""

import os
import random
import sys

TRAIN, TEST, SEED = 160, 80, 7


class Molecule:
    """Atoms by element, bonds between their numbers."""

    def __init__(self, random):
        self.random = random
        self.elements = []
        self.bonds = []

    def add(self, element, to=None, kind="single"):
        """Adds an atom, bonded to the atom `to`; its number."""
        self.elements.append(element)
        atom = len(self.elements) - 1
        if to is not None:
            self.bonds.append((to, atom, kind))
        return atom

    def ring(self, size, to):
        """Adds a ring of carbons, its first one bonded to `to`; the atoms of the ring."""
        first = self.add("carbon", to)
        atoms = [first]
        for _ in range(size - 1):
            atoms.append(self.add("carbon", atoms[-1]))
        self.bonds.append((atoms[-1], first, "single"))
        return atoms

    def neighbours(self, atom):
        """The bonds of an atom, as (other atom, kind)."""
        found = []
        for a, b, kind in self.bonds:
            if a == atom:
                found.append((b, kind))
            if b == atom:
                found.append((a, kind))
        return found

    def toxic(self):
        """The true rule, decided by looking at the graph alone."""
        element = self.elements
        for a, b, kind in self.bonds:
            if kind == "double" and {element[a], element[b]} == {"nitrogen", "oxygen"}:
                return True
        for a in range(len(element)):
            around = [b for b, _ in self.neighbours(a)]
            if element[a] != "carbon" or not any(element[b] == "chlorine" for b in around):
                continue
            for b in around:
                for c in around:
                    joined = any(d == c for d, _ in self.neighbours(b))
                    if b != c and joined and element[b] == "carbon" and element[c] == "carbon":
                        return True
        return False

    def facts(self):
        """The molecule as the body of an example."""
        name = [f"{e[0]}{i}" for i, e in enumerate(self.elements)]
        parts = [f"atom({n},{e})" for n, e in zip(name, self.elements)]
        for a, b, kind in self.bonds:
            parts.append(f"bond({name[a]},{name[b]},{kind})")
        return ", ".join(parts)


    def signature(self, names):
        """Equal for equal molecules, however their atoms are numbered: each atom's surroundings up to four bonds."""
        seen = [names.setdefault(e, len(names)) for e in self.elements]
        for _ in range(4):
            views = [(seen[a], tuple(sorted((seen[b], k) for b, k in self.neighbours(a)))) for a in range(len(seen))]
            seen = [names.setdefault(v, len(names)) for v in views]
        return tuple(sorted(seen))


# What may hang on the chain: each function adds one group to the carbon `at`.


def nitroso(m, at):
    m.add("oxygen", m.add("nitrogen", at), "double")


def hydroxylamine(m, at):
    m.add("oxygen", m.add("nitrogen", at))


def carbonyl(m, at):
    m.add("oxygen", m.add("carbon", at), "double")


def imine(m, at):
    m.add("nitrogen", m.add("carbon", at), "double")


def chlorine(m, at):
    m.add("chlorine", m.add("carbon", at))


def chlorinated_ring(size):
    def group(m, at):
        ring = m.ring(size, at)
        m.add("chlorine", m.random.choice(ring[1:]))

    return group


def plain_ring(size):
    def group(m, at):
        m.ring(size, at)

    return group


def chlorine_beside_ring(m, at):
    m.add("chlorine", m.add("carbon", m.ring(3, at)[1]))


TOXIC = [nitroso, chlorinated_ring(3)]
HARMLESS = [
    hydroxylamine,
    carbonyl,
    imine,
    chlorine,
    chlorinated_ring(4),
    plain_ring(3),
    plain_ring(4),
    chlorine_beside_ring,
]


def molecule(random, toxic):
    """A chain of carbons with two or three groups on it."""
    m = Molecule(random)
    chain = [m.add("carbon")]
    for _ in range(random.randint(1, 3)):
        chain.append(m.add("carbon", chain[-1]))
    groups = random.sample(HARMLESS, random.randint(1, 2))
    groups.append(random.choice(TOXIC if toxic else HARMLESS))
    random.shuffle(groups)
    for group in groups:
        group(m, random.choice(chain))
    assert m.toxic() == toxic
    return m


def main():
    folder = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.abspath(__file__))
    source = random.Random(SEED)
    names, written = {}, set()
    for name, count in [("facts.db", TRAIN), ("test.txt", TEST)]:
        lines = [f"% {count} molecules, written by generate.py."]
        while len(lines) <= count:
            toxic = source.random() < 0.5
            m = molecule(source, toxic)
            signature = m.signature(names)
            if signature not in written:
                written.add(signature)
                lines.append(f"{int(toxic)} toxic :- {m.facts()}.")
        with open(os.path.join(folder, name), "w", newline="\n") as file:
            file.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
