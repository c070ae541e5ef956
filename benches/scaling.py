"""Times and memory of every stage of nlog on data of 1, 2, 4, 8 and 16 times a size.

    cargo build --release
    python3 benches/scaling.py --write docs/scaling.md

prints the tables, with `--write` into the page, between its marks, and the plot beside it. Needs Python alone. The sizes take turns,
so that a machine that is busy for a while is busy for all of them. A stage's time is the least of the rounds, since whatever else the
machine does can only make it longer; processor time and memory of the whole run are medians.
"""

import argparse
import json
import math
import os
import random
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[1]
SIZES = [1, 2, 4, 8, 16]
STAGES = ["read", "ground", "build and lift", "compile", "epoch"]
COLOURS = ["#4269d0", "#efb118", "#ff725c", "#3ca951", "#a463f2"]

LAYERS = """[rule=identity]
{10,4} h1(X) :- kind(Y), *bond(Y,X). [aggregation=sum]
h1/1 [transformation=relu]
{10,10} h2(X) :- h1(Y), *bond(Y,X). [aggregation=sum]
h2/1 [transformation=relu]
"""
READ_OUT = "{1,10} toxic :- h2(X).\n"
NODES = "{1,10} label(X) :- h2(X).\n"
PATHS = "[rule=identity]\n{1} path(X,Y) :- step(X,Y).\n{1} path(X,Y) :- step(X,Z), path(Z,Y). [aggregation=sum]\n"


def tree(rng, n):
    """Edges of a random tree of n nodes with a few rings."""
    edges = [(i, max(0, i - rng.randint(1, 3))) for i in range(1, n)]
    return edges + [(i, j) for i, j in (rng.sample(range(n), 2) for _ in range(rng.randint(0, 3)))]


def molecule(label, kinds, edges, names):
    """An example: a molecule with these kinds of atoms."""
    facts = [f"<[{','.join(map(str, kind))}]> kind({names}{i})" for i, kind in enumerate(kinds)]
    for a, b in edges:
        facts += [f"bond({names}{a},{names}{b})", f"bond({names}{b},{names}{a})"]
    return f"{label} toxic :- {', '.join(facts)}.\n"


def one_hot(k):
    """A kind of atom as a column."""
    return [int(i == k) for i in range(4)]


def copies(size):
    """400 molecules again and again, with other names, and in every copy some atoms of another kind."""
    rng = random.Random(1)
    base = []
    for _ in range(400):
        n = rng.randint(10, 30)
        base.append((rng.randint(0, 1), [rng.choice([0, 0, 0, 1, 2, 3]) for _ in range(n)], tree(rng, n)))
    out = []
    for copy in range(size):
        for label, kinds, edges in base:
            changed = [rng.randrange(4) if rng.random() < 0.1 else k for k in kinds]
            out.append(molecule(label, [one_hot(k) for k in changed], edges, f"c{copy}_"))
    return LAYERS + READ_OUT, "".join(out), ["--batch", "1"]


def distinct(size):
    """Molecules without any symmetry: every atom has numbers of its own."""
    rng = random.Random(2)
    out = []
    for _ in range(400 * size):
        n = rng.randint(10, 30)
        kinds = [[round(rng.random(), 6) for _ in range(4)] for _ in range(n)]
        out.append(molecule(rng.randint(0, 1), kinds, tree(rng, n), "a"))
    return LAYERS + READ_OUT, "".join(out), ["--batch", "1"]


def graph(size):
    """One random graph, four edges a node, every node labelled."""
    rng = random.Random(3)
    n = 2000 * size
    out = [f"<[{','.join(str(round(rng.random(), 6)) for _ in range(4))}]> kind(n{i}).\n" for i in range(n)]
    for i in range(n):
        out.append(f"bond(n{i},n{(i + 1) % n}).\n")
        out += [f"bond(n{i},n{rng.randrange(n)}).\n" for _ in range(3)]
    out += [f"?- {rng.randint(0, 1)} label(n{i}).\n" for i in range(n)]
    return LAYERS + NODES, "".join(out), ["--batch", "all"]


def chains(size):
    """Recursion: all paths in chains of 24 steps with some short cuts, one question a chain."""
    rng = random.Random(4)
    out = []
    for c in range(100 * size):
        out += [f"<{rng.random():.3f}> step(c{c}_{i},c{c}_{i + 1}).\n" for i in range(24)]
        out += [f"<{rng.random():.3f}> step(c{c}_{i},c{c}_{i + 2}).\n" for i in rng.sample(range(23), 4)]
        out.append(f"?- {rng.random():.3f} path(c{c}_0,c{c}_24).\n")
    return PATHS, "".join(out), ["--batch", "all", "--loss", "mse", "--atom-activation", "identity"]


DATA = [
    ("copies", "400 molecules copied and varied", copies),
    ("distinct", "molecules without symmetry", distinct),
    ("graph", "one random graph", graph),
    ("chains", "recursion on chains", chains),
]


def once(binary, folder, files, arguments, epochs):
    """One run: seconds by stage, sizes, memory."""
    report = folder / "report.json"
    command = [binary, "run", *files, *arguments, "--threads", "1", "--epochs", str(epochs), "--eval-every", str(epochs)]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([*command, "--lr", "1e-6", "--report", str(report), "--quiet"], check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    r = json.loads(report.read_text())
    t = r["time"]
    return {
        "read": t["parse"],
        "ground": t["ground"],
        "build and lift": t["build"] + t["lift"],
        "compile": t["compile"],
        "epoch": r["train"]["epoch_seconds_median"],
        "processor": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        "memory": r["memory"]["peak_mb"],
        "facts": r["data"]["facts"],
        "rules": r["ground"]["rules"],
        "rows": r["graph"]["rows"],
    }


def measure(binary, rounds, epochs):
    """`{name: {size: {what: least or median}}}`."""
    out = {}
    with tempfile.TemporaryDirectory(prefix="nlog-scaling-") as name:
        folder = Path(name)
        for key, _, make in DATA:
            runs = []
            for size in SIZES:
                template, data, arguments = make(size)
                files = [folder / f"{key}{size}.lrnn", folder / f"{key}{size}.db"]
                files[0].write_text(template)
                files[1].write_text(data)
                runs.append((size, [str(f) for f in files], arguments))
            seen = {size: [] for size in SIZES}
            for _ in range(rounds):
                for size, files, arguments in runs:
                    seen[size].append(once(binary, folder, files, arguments, epochs))
            pick = lambda found, k: (min if k in STAGES else median)(r[k] for r in found)
            out[key] = {s: {k: pick(found, k) for k in found[0]} for s, found in seen.items()}
            print(f"{key} done", file=sys.stderr, flush=True)
    return out


def exponent(cells, key):
    """The slope of the logarithms over all sizes: 1 is linear."""
    x = [math.log(s) for s in SIZES]
    y = [math.log(max(cells[s][key], 1e-9)) for s in SIZES]
    mx, my = sum(x) / len(x), sum(y) / len(y)
    return sum((a - mx) * (b - my) for a, b in zip(x, y)) / sum((a - mx) ** 2 for a in x)


def cell(value):
    """Milliseconds with three digits."""
    return f"{value * 1e3:.3g} ms" if value < 1 else f"{value:.3g} s"


def table(title, cells):
    """A table in Markdown."""
    lines = [
        f"| {title} | facts | ground rules | rows | {' | '.join(STAGES)} | processor, whole run | peak memory |",
        "|---" * (6 + len(STAGES)) + "|",
    ]
    for s in SIZES:
        c = cells[s]
        times = " | ".join(cell(c[k]) for k in STAGES)
        lines.append(f"| {s}× | {c['facts']:.0f} | {c['rules']:.0f} | {c['rows']:.0f} | {times} | {cell(c['processor'])} | {c['memory']:.0f} MiB |")
    slopes = " | ".join(f"{exponent(cells, k):.2f}" for k in ["facts", "rules", "rows", *STAGES, "processor", "memory"])
    lines.append(f"| exponent | {slopes} |")
    return "\n".join(lines)


def plot(found):
    """Time of each stage per ground rule, relative to the smallest size: a linear stage is a level line."""
    wide, high, left, top = 330, 210, 46, 34
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {2 * wide + 20} {2 * high + 60}" '
        'font-family="sans-serif" font-size="11">',
        '<rect width="100%" height="100%" fill="white"/>',
    ]
    most = 2.5
    for i, (key, title, _) in enumerate(DATA):
        x0, y0 = (i % 2) * wide + left, (i // 2) * high + top
        w, h = wide - left - 14, high - top - 26
        at = lambda k, v: (x0 + w * k / (len(SIZES) - 1), y0 + h * (1 - min(v, most) / most))
        parts.append(f'<text x="{x0}" y="{y0 - 10}" font-weight="bold">{title}</text>')
        for v in (0, 0.5, 1, 1.5, 2, 2.5):
            y = at(0, v)[1]
            dash = "" if v == 1 else ' stroke-dasharray="2 4"'
            parts.append(f'<line x1="{x0}" x2="{x0 + w}" y1="{y:.1f}" y2="{y:.1f}" stroke="#999"{dash}/>')
            parts.append(f'<text x="{x0 - 6}" y="{y + 4:.1f}" text-anchor="end">{v:g}</text>')
        for k, s in enumerate(SIZES):
            parts.append(f'<text x="{at(k, 0)[0]:.1f}" y="{y0 + h + 14}" text-anchor="middle">{s}×</text>')
        for stage, colour in zip(STAGES, COLOURS):
            per = lambda s: found[key][s][stage] / found[key][s]["rules"]
            points = " ".join("{:.1f},{:.1f}".format(*at(k, per(s) / per(1))) for k, s in enumerate(SIZES))
            parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.8"/>')
    y = 2 * high + 40
    for k, (stage, colour) in enumerate(zip(STAGES, COLOURS)):
        x = left + 118 * k
        parts.append(f'<rect x="{x}" y="{y - 9}" width="14" height="9" fill="{colour}"/>')
        parts.append(f'<text x="{x + 19}" y="{y}">{stage}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def main() -> int:
    """Measures and prints, or writes into the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nlog", default=str(ROOT / "target/release/nlog"), help="the binary to measure")
    parser.add_argument("--rounds", type=int, default=5, help="runs of every size")
    parser.add_argument("--epochs", type=int, default=5, help="epochs of a run, of which the median counts")
    parser.add_argument("--write", type=Path, help="the page; the plot is written beside it")
    options = parser.parse_args()
    if not os.access(options.nlog, os.X_OK):
        parser.error(f"{options.nlog} is not there: run `cargo build --release`, or name a binary by --nlog")
    found = measure(options.nlog, options.rounds, options.epochs)
    tables = "\n\n".join(table(title, found[key]) for key, title, _ in DATA)
    print(tables)
    if options.write:
        page = options.write.read_text()
        start, end = "<!-- tables -->\n", "<!-- end of tables -->"
        before, rest = page.split(start)
        options.write.write_text(f"{before}{start}\n{tables}\n\n{end}{rest.split(end)[1]}")
        options.write.with_suffix(".svg").write_text(plot(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
