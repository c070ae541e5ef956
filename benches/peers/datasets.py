"""Readers of the data folder. README.md says which files are read and what they hold."""

import csv
import re
from pathlib import Path

ATOM = re.compile(r"<\[([^\]]*)\]> a_feats\((\w+)\)")
BOND = re.compile(r"bond\((\w+), ?(\w+),")


def need(*files: Path) -> None:
    """Ends the program with a word about the first file that is not there."""
    for file in files:
        if not file.is_file():
            raise SystemExit(f"{file} is not there; --data or NLOG_DATA names the folder (see README.md)")


def molecules(file: Path) -> list:
    """One dict a molecule: `y`, `x` (a list of features for each atom), `edges` (pairs of numbers of atoms)."""
    need(file)
    graphs = []
    for line in file.read_text().splitlines():
        head, arrow, body = line.partition(":-")
        if not arrow:
            continue
        number, x = {}, []
        for m in ATOM.finditer(body):
            number[m[2]] = len(x)
            x.append([float(v) for v in m[1].split(",")])
        # A bond read twice is one edge: hidden literals match, they do not count.
        edges = dict.fromkeys((number[m[1]], number[m[2]]) for m in BOND.finditer(body))
        graphs.append({"y": float(head.split()[0]), "x": x, "edges": list(edges)})
    return graphs


def bonded(graph: dict) -> dict:
    """The molecule without the atoms that no bond leads to."""
    kept = sorted({to for _, to in graph["edges"]})
    number = {atom: k for k, atom in enumerate(kept)}
    edges = [(number[a], number[b]) for a, b in graph["edges"] if a in number]
    return {"y": graph["y"], "x": [graph["x"][atom] for atom in kept], "edges": edges}


def constants(file: Path) -> list:
    """The pairs (predicate, constant) of the unary facts of a knowledge base's facts.csv, in order."""
    need(file)
    with file.open() as lines:
        return list(dict.fromkeys(tuple(row) for row in csv.reader(lines) if len(row) == 2))


def cora(folder: Path) -> dict:
    """`papers`, `words` (how many there are), `edges` (both directions, no loops), `features` (the words of each paper)
    and `targets` (pairs of a paper and its class)."""
    need(folder / "edges.csv", folder / "facts.txt", folder / "queries_train.txt")
    facts = (folder / "facts.txt").read_text()
    pairs = re.findall(r"cites\(n(\d+),n(\d+)\)", facts)
    edges = sorted({(int(a), int(b)) for a, b in pairs} | {(int(b), int(a)) for a, b in pairs})
    contains = sorted({(int(n), int(w)) for n, w in re.findall(r"word\(n(\d+),w(\d+)\)", facts)})
    papers = 1 + max(max(map(max, edges)), max(n for n, _ in contains))
    features = [[] for _ in range(papers)]
    for n, w in contains:
        features[n].append(w)
    queries = (folder / "queries_train.txt").read_text()
    targets = [(int(n), int(c)) for n, c in re.findall(r"label\(n(\d+),c(\d+)\)", queries)]
    return {
        "papers": papers,
        "words": 1 + max(w for _, w in contains),
        "edges": [e for e in edges if e[0] != e[1]],
        "features": features,
        "targets": targets,
    }
