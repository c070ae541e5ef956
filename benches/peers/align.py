"""Modules of the standard library beside those of PyTorch Geometric: equal outputs for equal weights, equal gradients of
all weights, and equal outputs after steps of training.

    python benches/peers/align.py --nlog target/release/nlog

Needs torch and torch_geometric. Every module is followed by a linear map to one number a node, trained on random labels
with binary cross-entropy and full-batch SGD, in 64 bits, on random graphs with an isolated node and a self loop.
Losses, as of models that learn without labels, are trained themselves, each in its step. `align_layers.py`,
`align_readouts.py` and `align_models.py` say what is compared.
"""

import argparse
import csv
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import torch

torch.set_default_dtype(torch.float64)

from align_layers import LAYERS  # noqa: E402  (the type of numbers comes first)
from align_models import MODELS  # noqa: E402
from align_readouts import READOUTS  # noqa: E402

# The modules of this checkout, whatever the program carries.
STDLIB = Path(__file__).resolve().parents[2] / "stdlib"
NODES, WIDTH, STEPS = 12, 3, 10


class Graph:
    """A random graph: node 0 has a self loop, unless `loop` is off, the last node no edges. With a degree every
    node has so many edges to it.

    `x` and `y` are two features of the nodes, `pos` a third, `strength`, `feat` and `wide` features of the edges (numbers,
    two and three elements), `kinds` the relation of an edge, 0 or 1.
    """

    def __init__(self, seed, both, loop, degree=0):
        draw = torch.Generator().manual_seed(seed)
        self.draw = lambda *shape: torch.rand(*shape, generator=draw, dtype=torch.float64)
        self.x, self.y = (2 * self.draw(NODES, WIDTH) - 1 for _ in range(2))
        self.pos = self.draw(NODES, 2)
        pairs = {(0, 0)} if loop else set()
        ends = NODES if degree else NODES - 1
        while len(pairs) < (degree or 3) * NODES:
            j, i = (self.draw(2) * ends).long().tolist()
            if (loop or j != i) and (not degree or sum(k == i for _, k in pairs) < degree):
                pairs |= {(j, i), (i, j)} if both else {(j, i)}
        self.edges = torch.tensor(sorted(pairs)).t().contiguous()
        count = len(pairs)
        self.strength = self.draw(count) + 0.5
        self.feat, self.wide = 2 * self.draw(count, 2) - 1, 2 * self.draw(count, WIDTH) - 1
        self.kinds = (self.draw(count) * 2).long()
        self.labels = (self.draw(NODES) < 0.5).double()

    def facts(self):
        out = []
        for n in range(NODES):
            for name, values in [("x", self.x), ("y", self.y), ("pos", self.pos)]:
                out.append(f"<{values[n].tolist()}> {name}(n{n}).")
        for e, (j, i) in enumerate(self.edges.t().tolist()):
            out.append(f"edge(n{j},n{i}). r{self.kinds[e]}(n{j},n{i}). typed(n{j},r{self.kinds[e]},n{i}).")
            for name, values in [("strength", self.strength), ("feat", self.feat), ("wide", self.wide)]:
                out.append(f"<{values[e].tolist()}> {name}(n{j},n{i}).")
        return "\n".join(out) + "\n"

    def queries(self):
        return "\n".join(f"?- {int(label)} out(n{n})." for n, label in enumerate(self.labels))


def stated(template, draw):
    """The template with a value for each weight of stated dimensions, and the values in order."""
    values, named = [], {}

    def value(match):
        name, dims = match.group(1), [int(d) for d in match.group(2).split(",")]
        if name and name in named:
            matrix = named[name]
        else:
            matrix = 1.4 * draw(dims[0], dims[1] if len(dims) > 1 else 1) - 0.7
            values.append(matrix)
            named[name] = matrix
        rows = matrix.tolist() if len(dims) > 1 else [r[0] for r in matrix.tolist()]
        return f"{name or ''}{rows}"

    return re.sub(r"(?<!<)(\$\w+=)?\{(\d+(?:,\d+)?)\}", value, template), values


def outputs(nlog, folder, steps, rate, queries, loss):
    file = folder / "predictions.csv"
    command = [nlog, "run", folder / "t.lrnn", folder / "d.db", "--epochs", str(steps), "--optimizer", "sgd", "--lr"]
    command += [str(rate), "--batch", "all", "--eval-every", "100000", "--predictions", file, "-q"]
    command += ["--loss", loss]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    with open(file) as f:
        rows = {r["query"]: float(r["output"]) for r in csv.DictReader(f)}
    return torch.tensor([rows[query] for query in queries])


def descent(nlog, folder, rate, loss):
    """Every learned weight of the template: its values at first, and what one step of SGD takes off them, by the rate. That
    is the gradient. `:weights NAME` shows all digits."""

    def repl(lines):
        command = [nlog, "repl", "-q", folder / "t.lrnn", folder / "d.db"]
        text = "\n".join(lines) + "\n"
        return subprocess.run(command, input=text, check=True, capture_output=True, text=True).stdout

    names = dict.fromkeys(re.findall(r"^(\S+)(?: \{[\d,]+\})? = ", repl([":weights"]), re.M))
    settings = {"optimizer": "sgd", "lr": rate, "batch": "all", "loss": loss}
    shown = [f":weights {name}" for name in names]
    text = repl([f":set {key} {value}" for key, value in settings.items()] + [*shown, ":train 1", *shown])
    lines = re.findall(r"^\S+ (?:\{[\d,]+\}|a scalar) = (\S+)$", text, re.M)
    values, half = [torch.tensor(json.loads(v)).flatten() for v in lines], len(names)
    return [(first, (first - then) / rate) for first, then in zip(values[:half], values[half:], strict=True)]


def slopes(gradients, weights):
    """The gradients of the weights of the template, from those of the parameters made of them (fused, transposed, in another
    order), then those of the parameters that begin as constants."""
    made = [(p.drawn, g.reshape(p.drawn.shape)) for p, g in gradients if p.drawn.requires_grad]
    through = torch.autograd.grad([d for d, _ in made], weights, [g for _, g in made])
    return [g.flatten() for g in through], [g.flatten() for p, g in gradients if not p.drawn.requires_grad]


def apart(ours, starts, theirs):
    """The greatest deviation of a gradient, by the greatest element. A weight drawn for both is known by its values; what
    begins as a constant, such as the gain of a norm, by its place and size. None is left over on either side."""
    drawn, constants = theirs
    drawn, constants = dict(zip(starts, drawn, strict=True)), iter(constants)
    pairs = [(slope, drawn.pop(tuple(first.tolist()), None)) for first, slope in ours]
    pairs = [(a, next(constants) if b is None else b) for a, b in pairs]
    assert not drawn and not list(constants), "parameters that have no weight"
    assert all(a.shape == b.shape for a, b in pairs), "weights of other sizes"
    return deviation(*(torch.cat(side) for side in zip(*pairs)))


def deviation(a, b):
    return float((a - b).abs().max() / b.abs().max())


def compare(nlog, case, seed):
    """The greatest relative deviations of the outputs, of the gradients, and of the outputs after training."""
    graph = Graph(seed, case.both, case.loop, case.degree)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "m.lrnn").write_text("".join(f"import {i}.\n" for i in case.imports.split()) + case.text)
        expand = [nlog, "check", folder / "m.lrnn", "--expand", "--lib", STDLIB]
        template = subprocess.run(expand, check=True, capture_output=True, text=True).stdout
        if not case.losses:
            template += answers(case)
        template, weights = stated(template, graph.draw)
        (folder / "t.lrnn").write_text(template)
        queries = "\n".join(f"?- 0 {name}." for name in case.losses) or graph.queries()
        (folder / "d.db").write_text(graph.facts() + case.facts(nlog, graph) + queries)
        asked, loss = case.losses or [f"out(n{n})" for n in range(NODES)], "absdiff" if case.losses else "softentropy"
        before, after = (outputs(nlog, folder, steps, case.rate, asked, loss) for steps in (0, STEPS))
        found = descent(nlog, folder, case.rate, loss)
    starts = [tuple(w.flatten().tolist()) for w in weights]
    first, gradients, last = (by_losses if case.losses else by_labels)(case, [w.requires_grad_() for w in weights], graph)
    return deviation(before, first), apart(found, starts, slopes(gradients, weights)), deviation(after, last)


def answers(case):
    """The rules that make a number of what is compared."""
    plain = "[transformation=identity, aggregation=sum]\n"
    out = f"{{1,{case.width}}} out(I) :- {'h, *x(I)' if case.whole else 'h(I)'}.  {plain}"
    return out + (f"{{1,{WIDTH}}} out(I) :- x(I).  {plain}" if case.rest or case.whole else "")


def by_losses(case, weights, graph):
    """Values of the losses before training, gradients, and values after training: every step takes the losses in turn, each
    with what it trains. Of what several losses train the gradients of the first turn are added."""
    parts = case.build(weights, graph)
    optimizers = [torch.optim.SGD([p for p in trained if p.requires_grad], lr=case.rate) for _, trained in parts]
    values = lambda: torch.tensor([float(loss().detach()) for loss, _ in parts])
    before, total = values(), {}
    for step in range(STEPS):
        for (loss, trained), optimizer in zip(parts, optimizers):
            optimizer.zero_grad()
            loss().backward()
            for p in trained if step == 0 else []:
                if p.requires_grad:
                    total[p] = total.get(p, 0) + p.grad.clone()
            optimizer.step()
    return before, list(total.items()), values()


def by_labels(case, weights, graph):
    """Outputs before training, gradients of the first step, and outputs after training."""
    weights = list(weights)
    rest = parameter(weights.pop()) if case.rest or case.whole else None
    last = parameter(weights.pop())
    module, layer = case.build(weights, graph)
    parameters = [p for p in module.parameters() if p.requires_grad] + [w for w in (last, rest) if w is not None]
    optimizer = torch.optim.SGD(parameters, lr=case.rate)

    def run():
        out = layer() @ last.t()
        return (out if rest is None else out + graph.x @ rest.t()).expand(NODES, 1).flatten()

    before, gradients = run().detach(), None
    for _ in range(STEPS):
        optimizer.zero_grad()
        torch.nn.functional.binary_cross_entropy_with_logits(run(), graph.labels).backward()
        gradients = gradients or [(p, p.grad.clone()) for p in parameters]
        optimizer.step()
    return before, gradients, run().detach()


def parameter(weight):
    """A parameter that is a weight of the template as it stands."""
    own = torch.nn.Parameter(weight.detach().clone())
    own.drawn = weight
    return own


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--nlog", default="target/release/nlog")
    parser.add_argument("--graphs", type=int, default=5)
    parser.add_argument("--only", help="only what has this text in its name")
    options = parser.parse_args()
    failed = False
    print(f"| module | outputs | gradients | outputs after {STEPS} steps |\n|---|---|---|---|")
    for case in LAYERS + READOUTS + MODELS:
        if options.only and options.only not in case.name:
            continue
        found = [compare(options.nlog, case, seed) for seed in range(options.graphs)]
        worst = torch.tensor(found).amax(0)  # a NaN of one graph stays, where max() may lose it
        failed |= not (worst < 1e-8).all()
        print(f"| {case.name} | {' | '.join(f'{w:.1e}' for w in worst.tolist())} |", flush=True)
    sys.exit(failed)


if __name__ == "__main__":
    main()
