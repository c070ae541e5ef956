"""Rows and memory of a layer over graphs with the same nodes and ever more edges.

    cargo build --release
    python3 benches/isotropy.py --write docs/isotropy.md

prints the table, with `--write` into the page, between its marks, and the plot beside it. Needs Python alone. Rows and
numbers are those of `nlog plan`, memory that of a run of three epochs; the modules are those of this checkout.
"""

import argparse
import json
import math
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NODES, WIDTH = 2000, 16
DEGREES = [4, 8, 16, 32, 64, 128, 256]
COLOURS = ["#888888", "#4269d0", "#3ca951", "#efb118", "#ff725c", "#a463f2", "#97bbf5"]

PLAIN = "[transformation=identity, aggregation=sum]"
IN_ONE = f"""<1> link(J,I) :- *edge(J,I).
<1> link(I,I) :- *x(I), !edge(I,I).
scale(I) :- link(_,I).  {PLAIN}
scale/1 [transformation=rsqrt]
{{16,16}} h(I) :- scale(I), scale(J), x(J), *link(J,I).
    [combination=product, transformation=identity, aggregation=sum]
h/1 [transformation=relu]
"""
# What is measured: title, template, whether a message depends on the source alone.
LAYERS = [
    ("GraphSAGE", "import gnn/sage.\n@use sage(x, edge, h, 16, 16).\n", True),
    ("GCN", "import gnn/gcn.\n@use gcn(x, edge, h, 16, 16).\n", True),
    ("EGC-S", "import gnn/egc.\n@use egc_s(x, edge, h, 16, 16, heads = 4, bases = 4).\n", True),
    ("EGC-M", "import gnn/egc.\n@use egc_m(x, edge, h, 16, 16, heads = 4, bases = 4).\n", True),
    ("PNA", "import gnn/pna.\n@use pna(x, edge, h, 16, 16, delta = 3).\n", False),
    ("GAT", "import gnn/gat.\n@use gat(x, edge, h, 16, 16, heads = 4).\n", False),
    ("GCN, in one rule", IN_ONE, False),
]


def graph(degree):
    """Different edges between random nodes, as many as nodes times the degree; features and labels of the nodes."""
    rng = random.Random(degree)
    out = []
    for i in range(NODES):
        out.append(f"<[{','.join(f'{rng.uniform(-1, 1):.4f}' for _ in range(WIDTH))}]> x(n{i}).\n")
        out.append(f"?- {rng.randint(0, 1)} label(n{i}).\n")
    for e in rng.sample(range(NODES * NODES), NODES * degree):
        out.append(f"edge(n{e // NODES},n{e % NODES}).\n")
    return "".join(out)


def measure(binary, template, data, folder):
    """Sizes of the plan, and the memory of a run."""
    report = folder / "report.json"
    files = [str(template), str(data), "--lib", str(ROOT / "stdlib"), "--batch", "all", "--threads", "1"]
    plan = json.loads(subprocess.run([binary, "plan", *files, "--json"], check=True, capture_output=True).stdout)
    run = [binary, "run", *files, "--epochs", "3", "--eval-every", "3", "--report", str(report), "--quiet"]
    subprocess.run(run, check=True, stdout=subprocess.DEVNULL)
    r = json.loads(report.read_text())
    return {
        "rows": plan["network"]["rows"],
        "values": plan["network"]["numbers"] * 8 / 2**20,
        "memory": r["memory"]["peak_mb"],
    }


def exponent(cells, key):
    """The slope of the logarithms from the first degree to the last: 1 is linear in the edges, 0 does not grow."""
    first, last = cells[DEGREES[0]][key], cells[DEGREES[-1]][key]
    return math.log(last / first) / math.log(DEGREES[-1] / DEGREES[0])


def digits(value):
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def table(found):
    """A table in Markdown: for each layer its rows, values and memory at each degree."""
    out = []
    for key, title in [("rows", "Rows"), ("values", "Values of one pass, MiB"), ("memory", "Peak memory, MiB")]:
        head = " | ".join(f"degree {d}" for d in DEGREES)
        out.append(f"| {title} | {head} | exponent |\n|---{'|---' * len(DEGREES)}|---|")
        for name, cells in found.items():
            line = " | ".join(digits(cells[d][key]) for d in DEGREES)
            out.append(f"| {name} | {line} | {exponent(cells, key):.2f} |")
        out.append("")
    return "\n".join(out)


def plot(found):
    """Rows and memory against the degree, on logarithmic scales."""
    wide, high, left, top = 360, 260, 56, 34
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {2 * wide + 20} {high + 56}" '
        'font-family="sans-serif" font-size="11">',
        '<rect width="100%" height="100%" fill="white"/>',
    ]
    for i, (key, title) in enumerate([("rows", "rows"), ("memory", "peak memory, MiB")]):
        values = [cells[d][key] for cells in found.values() for d in DEGREES]
        low, most = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
        x0, y0, w, h = i * wide + left, top, wide - left - 14, high - top - 26
        x = lambda d: x0 + w * math.log(d / DEGREES[0]) / math.log(DEGREES[-1] / DEGREES[0])
        y = lambda v: y0 + h * (most - math.log10(v)) / (most - low)
        parts.append(f'<text x="{x0}" y="{y0 - 12}" font-weight="bold">{title}</text>')
        for power in range(low, most + 1):
            parts.append(f'<line x1="{x0}" x2="{x0 + w}" y1="{y(10**power):.1f}" y2="{y(10**power):.1f}" stroke="#ccc"/>')
            parts.append(f'<text x="{x0 - 6}" y="{y(10**power) + 4:.1f}" text-anchor="end">{10**power:,}</text>')
        for d in DEGREES:
            parts.append(f'<text x="{x(d):.1f}" y="{y0 + h + 15}" text-anchor="middle">{d}</text>')
        for (name, cells), colour in zip(found.items(), COLOURS):
            points = " ".join(f"{x(d):.1f},{y(cells[d][key]):.1f}" for d in DEGREES)
            dash = "" if isotropic(name) else ' stroke-dasharray="6 3"'
            parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"{dash}/>')
    for k, (name, colour) in enumerate(zip(found, COLOURS)):
        x = left + 100 * k
        parts.append(f'<rect x="{x}" y="{high + 25}" width="14" height="9" fill="{colour}"/>')
        parts.append(f'<text x="{x + 19}" y="{high + 34}">{name}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def isotropic(name):
    return next(same for title, _, same in LAYERS if title == name)


def main() -> int:
    """Measures and prints, or writes into the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nlog", default=str(ROOT / "target/release/nlog"), help="the binary to measure")
    parser.add_argument("--write", type=Path, help="the page; the plot is written beside it")
    options = parser.parse_args()
    if not os.access(options.nlog, os.X_OK):
        parser.error(f"{options.nlog} is not there: run `cargo build --release`, or name a binary by --nlog")
    found = {name: {} for name, _, _ in LAYERS}
    with tempfile.TemporaryDirectory(prefix="nlog-isotropy-") as name:
        folder = Path(name)
        for degree in DEGREES:
            data = folder / f"graph{degree}.db"
            data.write_text(graph(degree))
            for k, (title, text, _) in enumerate(LAYERS):
                template = folder / f"layer{k}.lrnn"
                template.write_text(text + f"{{1,16}} label(I) :- h(I).  {PLAIN}\n")
                found[title][degree] = measure(options.nlog, template, data, folder)
            print(f"degree {degree} done", file=sys.stderr, flush=True)
    tables = table(found)
    print(tables)
    if options.write:
        page = options.write.read_text()
        start, end = "<!-- tables -->\n", "<!-- end of tables -->"
        before, rest = page.split(start)
        options.write.write_text(f"{before}{start}\n{tables}\n{end}{rest.split(end)[1]}")
        options.write.with_suffix(".svg").write_text(plot(found))
    grown = [n for n in found if isotropic(n) and exponent(found[n], "rows") > 0.01]
    if grown:
        print(f"rows grow with the edges: {', '.join(grown)}", file=sys.stderr)
    return int(bool(grown))


if __name__ == "__main__":
    sys.exit(main())
