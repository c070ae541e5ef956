"""How far nlog is from what the machine could do: the work of an epoch, as its profile counts it, against the ceilings of
one core. See README.md."""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

import datasets
import templates
from contenders import Nlog, seconds, show

ROOT = Path(__file__).resolve().parents[2]
# Operations of Adam on a parameter, and numbers that it reads and writes: parameter, two moments, gradient.
ADAM_FLOPS, ADAM_NUMBERS = 15, 7
# What a transcendental function costs at least: about a polynomial of this degree, by Horner's rule.
FUNCTION_FLOPS = 20
# Above this the table says what the time goes into.
FAR = 5.0


def models(data: Path, folder: Path, binary: str):
    """Pairs of a name and a run of nlog on one thread."""
    plain = ["--rule-activation", "identity", "--atom-activation", "identity", "--threads", 1]
    molecules = data / "NCI1_3000" / "trainExamples_onehot.txt"
    datasets.need(molecules)
    with molecules.open() as lines:
        features = next(lines).split("<[")[1].split("]")[0].count(",") + 1
    for kind in ["gcn", "sage", "gin"]:
        template = folder / f"{kind}.lrnn"
        text = templates.template(kind, features)
        template.write_text(templates.with_weights(text, templates.draw(text)))
        for name, more in [("per sample", ["--batch", 1]), ("full batch", ["--batch", "all", "--lift", "all"])]:
            yield f"{kind}, {name}", Nlog(binary, folder, template, "--examples", molecules, *plain, *more)
    base = data / "nations"
    names = datasets.constants(base / "facts.csv")
    above = "".join(f"$e{k}={{3}} embed_{kind}({c}) :- {kind}({c}).\n" for k, (kind, c) in enumerate(names))
    template = folder / "nations.lrnn"
    template.write_text(templates.template("nations", above=above))
    queries = ["--queries", base / "queries.txt", "--compat", "neuralogic", "--threads", 1]
    yield "nations, per query", Nlog(binary, folder, template, "--examples", base / "examples.txt", *queries)
    yield "cora, full batch", cora(data / "Cora", folder, binary, plain)


def cora(source: Path, folder: Path, binary: str, plain: list):
    """The two-layer GCN on Cora, as in cora.py."""
    import cora as table

    graph = datasets.cora(source)
    words = "".join(f"$e{w}={{16}} embed(w{w}) :- vocab(w{w}).\n" for w in range(graph["words"]))
    template, facts = folder / "cora.lrnn", folder / "cora.db"
    template.write_text(templates.template("cora", above=words))
    facts.write_text(table.facts(graph))
    return Nlog(binary, folder, template, facts, "--loss", "crossentropy", "--batch", "all", "--lift", "all", *plain)


def work(profile: dict, epochs: int) -> dict:
    """What an epoch computes and moves at least."""
    total = {"flops": 0, "functions": 0, "bytes": 0, "calls": 0}
    for operation in profile["operations"]:
        for part in ("forward", "backward"):
            for key in total:
                total[key] += operation[part][key]
    flops = total["flops"] + FUNCTION_FLOPS * total["functions"] + ADAM_FLOPS * profile["updated"]
    moved = total["bytes"] + 8 * ADAM_NUMBERS * profile["updated"]
    return {"flops": flops / epochs, "bytes": moved / epochs, "calls": total["calls"] / epochs}


def floor(epoch: dict, ceilings: dict) -> tuple:
    """Seconds below which no program for one core comes that does this work out of its second cache, and what binds."""
    by = {
        "operations": epoch["flops"] / (1e9 * ceilings["fused_f64"]),
        "bytes": epoch["bytes"] / (1e9 * ceilings["bytes_second"]),
    }
    what = max(by, key=by.get)
    return by[what], what


def reasons(name: str, took: float, profile: dict, epochs: int, epoch: dict) -> None:
    """Where the time of an epoch goes: stages, then the operations that take most of it. The clocks make the profiled
    epoch longer, so shares are given and not times."""
    stage = {s["stage"]: s["seconds"] for s in profile["stages"]}
    parts = {key: stage[key] for key in ("forward", "backward", "update")}
    whole = sum(parts.values())
    outside = profile["outside"]["forward"] + profile["outside"]["backward"]
    shares = ", ".join(f"{key} {100 * value / whole:.0f} %" for key, value in parts.items())
    each = 1e9 * took / max(1, epoch["calls"])
    print(f"\n{name}: {shares}; outside of operations {100 * outside / whole:.0f} %; {profile['steps'] / epochs:.0f} steps")
    print(f"  {epoch['calls']:.0f} runs of blocks an epoch, {each:.0f} ns each with all that is around them")
    both = lambda o, key: o["forward"][key] + o["backward"][key]
    for o in sorted(profile["operations"], key=lambda o: -both(o, "seconds"))[:4]:
        time = both(o, "seconds")
        rows = both(o, "rows") / max(1, both(o, "calls"))
        rate = both(o, "flops") / time / 1e9
        what = o["operation"].replace("weight", o["weight"] or "weight", 1)
        print(f"  {100 * time / whole:3.0f} %  {o['rule']}: {what}: {rows:.1f} rows a run, {rate:.2g} GFLOP/s")


def main() -> int:
    """Measures, prints the table, then the reasons."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default=os.environ.get("NLOG_DATA"), help="the data folder [NLOG_DATA]")
    parser.add_argument("--nlog", default=str(ROOT / "target/release/nlog"), help="the binary to measure")
    parser.add_argument("--ceilings", help="JSON of `cargo bench --bench ceilings -- --json` [run now]")
    parser.add_argument("--rounds", type=int, default=3, help="runs of which the median counts")
    options = parser.parse_args()
    if not options.data:
        parser.error("--data or NLOG_DATA names the data folder")
    if options.ceilings:
        ceilings = json.loads(Path(options.ceilings).read_text())
    else:
        command = ["cargo", "bench", "--bench", "ceilings", "--", "--json"]
        ceilings = json.loads(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout)
    print(", ".join(f"{key} {value:.1f}" for key, value in ceilings.items()))
    folder = Path(tempfile.mkdtemp(prefix="nlog-floors-"))
    rows, far = [], []
    try:
        for name, nlog in models(Path(options.data), folder, options.nlog):
            took = median(nlog.turn(2.0) for _ in range(options.rounds))
            epochs = max(3, min(100, int(2.0 / took)))
            profile = nlog.run(epochs, extra=("--profile",))["profile"]
            epoch = work(profile, epochs)
            least, what = floor(epoch, ceilings)
            rows.append([
                name, f"{epoch['flops'] / 1e6:.3g}", f"{epoch['bytes'] / 1e6:.3g}", seconds(least), what,
                seconds(took), f"{took / least:.1f}x",
            ])
            if took > FAR * least:
                far.append((name, took, profile, epochs, epoch))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    header = ["an epoch on one thread", "MFLOP", "MB", "floor", "bound by", "took", "ratio"]
    show("Floors", header, rows)
    for entry in far:
        reasons(*entry)
    return 0


if __name__ == "__main__":
    sys.exit(main())
