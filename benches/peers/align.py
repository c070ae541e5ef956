"""Layers of the standard library beside those of PyTorch Geometric: equal outputs for equal weights, and equal outputs
after steps of training, so equal gradients.

    python benches/peers/align.py --nlog target/release/nlog

Needs torch and torch_geometric. Every layer is followed by a linear map to one number, trained on random labels with
binary cross-entropy and full-batch SGD, in 64 bits, on random graphs with an isolated node and a self loop.
"""

import argparse
import csv
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import torch
from torch_geometric import nn

torch.set_default_dtype(torch.float64)

NODES, WIDTH, RATE, STEPS = 12, 3, 0.2, 10


def fill(module, matrices):
    """Sets the parameters of a module; what is not named stays as it is."""
    state = module.state_dict()
    for name, matrix in matrices.items():
        state[name] = matrix.reshape(state[name].shape)
    module.load_state_dict(state)
    return module


def gcn(w, _):
    layer = nn.GCNConv(WIDTH, 4)
    return fill(layer, {"lin.weight": w[0], "bias": w[1]}), {}


def gcn_weighted(w, graph):
    layer = nn.GCNConv(WIDTH, 4, bias=False)
    return fill(layer, {"lin.weight": w[0]}), {"edge_weight": graph.weights}


def sage(w, _):
    return fill(nn.SAGEConv(WIDTH, 4, bias=False), {"lin_r.weight": w[0], "lin_l.weight": w[1]}), {}


def tag(w, _):
    layer = nn.TAGConv(WIDTH, 4, K=3, bias=False)
    return fill(layer, {f"lins.{i}.weight": w[i] for i in range(4)}), {}


def sg(w, _):
    return fill(nn.SGConv(WIDTH, 4, K=2, bias=False), {"lin.weight": w[0]}), {}


def appnp(_, __):
    return nn.APPNP(K=3, alpha=0.2), {}


def gin(w, _):
    units = torch.nn.Sequential(
        torch.nn.Linear(WIDTH, 4, bias=False), torch.nn.ReLU(), torch.nn.Linear(4, 4, bias=False)
    )
    return fill(nn.GINConv(units), {"nn.0.weight": w[0], "nn.2.weight": w[1]}), {}


def gat(w, _):
    layer = nn.GATConv(WIDTH, 2, heads=2, bias=False)
    cat = lambda k: torch.cat([w[k], w[k + 3]])
    return fill(layer, {"lin.weight": cat(0), "att_src": cat(1), "att_dst": cat(2)}), {}


def gatv2(w, _):
    layer = nn.GATv2Conv(WIDTH, 2, heads=2, bias=False)
    cat = lambda k: torch.cat([w[k], w[k + 3]])
    return fill(layer, {"lin_l.weight": cat(0), "lin_r.weight": cat(1), "att": cat(2)}), {}


def resgated(w, _):
    layer = nn.ResGatedGraphConv(WIDTH, 4, bias=False)
    names = ["lin_key", "lin_query", "lin_value", "lin_skip"]
    zero = {f"{n}.bias": torch.zeros(4) for n in names[:3]}
    return fill(layer, {**{f"{n}.weight": w[i] for i, n in enumerate(names)}, **zero}), {}


def rgcn(w, graph):
    layer = nn.RGCNConv(WIDTH, 4, num_relations=1, bias=False)
    kinds = torch.zeros(graph.edges.shape[1], dtype=torch.long)
    return fill(layer, {"root": w[0].t(), "weight": w[1].t()}), {"edge_type": kinds}


def edgeconv(w, _):
    layer = nn.EdgeConv(torch.nn.Sequential(torch.nn.Linear(2 * WIDTH, 4), torch.nn.ReLU()))
    return fill(layer, {"nn.0.weight": w[0], "nn.0.bias": w[1]}), {}


def cheb(w, _):
    layer = nn.ChebConv(WIDTH, 4, K=3, bias=False)
    return fill(layer, {f"lins.{i}.weight": w[i] for i in range(3)}), {"lambda_max": 2.0}


# name, imports and uses, the layer of PyTorch Geometric, whether edges come in both directions
LAYERS = [
    ("GCN, bias", "gnn/gcn", "gcn(x, edge, h, 3, 4, act = identity, bias = 1)", gcn, False),
    ("GCN, edge weights", "gnn/gcn", "gcn(x, edge, h, 3, 4, act = identity, weighted = 1)", gcn_weighted, False),
    ("GraphSAGE, mean", "gnn/sage", "sage(x, edge, h, 3, 4, act = identity)", sage, False),
    ("TAG, k = 3", "gnn/tag", "tag(x, edge, h, 3, 4)", tag, False),
    ("SG, k = 2", "gnn/sg", "sg(x, edge, h, 3, 4, 2)", sg, False),
    ("APPNP, k = 3", "gnn/appnp", "appnp(x, edge, h, k = 3, alpha = 0.2)", appnp, False),
    ("GIN", "gnn/gin", "gin(x, edge, h, 3, 4)", gin, False),
    ("GAT, 2 heads", "gnn/gat", "gat(x, edge, h, 3, 4, heads = 2)", gat, False),
    ("GATv2, 2 heads", "gnn/gatv2", "gatv2(x, edge, h, 3, 4, heads = 2)", gatv2, False),
    ("ResGated", "gnn/resgated", "resgated(x, edge, h, 3, 4, act = identity)", resgated, False),
    ("RGCN", "gnn/rgcn", "rgcn(x, h, {edge}, 3, 4, act = identity)", rgcn, False),
    ("EdgeConv, max", "gnn/edgeconv", "edgeconv(x, edge, h, 3, {4})", edgeconv, False),
    (
        "ChebNet, k = 3",
        "gnn/cheb",
        "laplacian(x, edge, lap). @use cheb(x, lap, h, 3, 4, 3, act = identity)",
        cheb,
        True,
    ),
]


class Graph:
    """A random graph: node 0 has a self loop, the last node no edges."""

    def __init__(self, seed, both):
        draw = torch.Generator().manual_seed(seed)
        real = lambda *shape: torch.rand(*shape, generator=draw, dtype=torch.float64)
        self.x = 2 * real(NODES, WIDTH) - 1
        pairs = {(0, 0)}
        while len(pairs) < 3 * NODES:
            j, i = (real(2) * (NODES - 1)).long().tolist()
            pairs |= {(j, i), (i, j)} if both else {(j, i)}
        self.edges = torch.tensor(sorted(pairs)).t()
        self.weights = real(self.edges.shape[1]) + 0.5
        self.y = (real(NODES) < 0.5).double()
        self.draw = real

    def facts(self, weighted):
        out = []
        for n, row in enumerate(self.x.tolist()):
            out.append(f"<{row}> x(n{n}). ?- {int(self.y[n])} out(n{n}).")
        for (j, i), w in zip(self.edges.t().tolist(), self.weights.tolist()):
            out.append((f"<{w!r}> " if weighted else "") + f"edge(n{j},n{i}).")
        return "\n".join(out)


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


def outputs(nlog, folder, steps):
    file = folder / "predictions.csv"
    command = [nlog, "run", folder / "t.lrnn", folder / "d.db", "--epochs", str(steps), "--optimizer", "sgd", "--lr"]
    command += [str(RATE), "--batch", "all", "--eval-every", "100000", "--predictions", file, "-q"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    with open(file) as f:
        rows = {r["query"]: float(r["output"]) for r in csv.DictReader(f)}
    return torch.tensor([rows[f"out(n{n})"] for n in range(NODES)])


def compare(nlog, module, use, build, both, seed):
    """The greatest deviations of outputs before and after training."""
    graph = Graph(seed, both)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "m.lrnn").write_text(f"import {module}.\n@use {use}.\n")
        expand = [nlog, "check", folder / "m.lrnn", "--expand"]
        template = subprocess.run(expand, check=True, capture_output=True, text=True).stdout
        width = 3 if "appnp" in use else 4
        template += f"{{1,{width}}} out(I) :- h(I).  [transformation=identity, aggregation=sum]\n"
        template, weights = stated(template, graph.draw)
        (folder / "t.lrnn").write_text(template)
        (folder / "d.db").write_text(graph.facts("weighted = 1" in use))
        ours = [outputs(nlog, folder, steps) for steps in (0, STEPS)]
    layer, more = build(weights, graph)
    last = fill(torch.nn.Linear(width, 1, bias=False), {"weight": weights[-1]})
    parameters = [p for p in layer.parameters() if p.requires_grad and not frozen(layer, p)] + list(last.parameters())
    optimizer = torch.optim.SGD(parameters, lr=RATE)
    run = lambda: last(layer(graph.x, graph.edges, **more)).flatten()
    theirs = [run().detach()]
    for _ in range(STEPS):
        optimizer.zero_grad()
        torch.nn.functional.binary_cross_entropy_with_logits(run(), graph.y).backward()
        optimizer.step()
    theirs.append(run().detach())
    return [float((a - b).abs().max() / b.abs().max()) for a, b in zip(ours, theirs)]


def frozen(layer, parameter):
    """Biases that the model of nlog does not have."""
    names = [n for n, p in layer.named_parameters() if p is parameter]
    return isinstance(layer, nn.ResGatedGraphConv) and names[0].endswith("bias")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--nlog", default="target/release/nlog")
    parser.add_argument("--graphs", type=int, default=5)
    options = parser.parse_args()
    failed = False
    print(f"| layer | outputs | after {STEPS} steps |\n|---|---|---|")
    for name, module, use, build, both in LAYERS:
        found = [compare(options.nlog, module, use, build, both, seed) for seed in range(options.graphs)]
        before, after = (max(f[i] for f in found) for i in (0, 1))
        failed |= not (before < 1e-8 and after < 1e-8)
        print(f"| {name} | {before:.1e} | {after:.1e} |", flush=True)
    sys.exit(failed)


if __name__ == "__main__":
    main()
