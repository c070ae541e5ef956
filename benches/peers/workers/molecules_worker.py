"""PyTorch Geometric, and PyTorch with sparse CSR matrices, on the molecules: batch 1, a DataLoader, batches made once."""

from serve import serve

import json
import random
import time
import warnings

import torch
from torch import nn

warnings.filterwarnings("ignore")
torch.set_default_dtype(torch.float64)
state = {}


def dense(weights, name):
    """A linear layer without bias that starts from a weight of the template."""
    value = torch.tensor(weights[name])
    layer = nn.Linear(value.shape[1], value.shape[0], bias=False)
    layer.weight.data.copy_(value)
    return layer


class Csr(nn.Module):
    """The models over sparse matrices: `adjacency` sums or averages neighbours, `pool` averages atoms."""

    def __init__(self, kind, weights):
        super().__init__()
        self.kind = kind
        self.layers = nn.ModuleDict({name: dense(weights, name) for name in weights})

    def forward(self, batch):
        x, adjacency, pool = batch["x"], batch["adjacency"], batch["pool"]
        w = self.layers
        if self.kind == "gcn":
            h = torch.relu(adjacency @ w["w1"](x))
            return w["out"](pool @ (adjacency @ w["w2"](h))).flatten()
        if self.kind == "sage":
            h = torch.relu(adjacency @ w["n1"](x) + w["s1"](x))
            return w["out"](pool @ (adjacency @ w["n2"](h) + w["s2"](h))).flatten()
        out = 0
        for k in range(1, 6):
            x = torch.relu(w[f"q{k}"](torch.relu(w[f"p{k}"](x + adjacency @ x))))
            out = out + w[f"out{k}"](pool @ x)
        return out.flatten()


class Geometric(nn.Module):
    """The same models of PyTorch Geometric's own layers."""

    def __init__(self, kind, weights):
        super().__init__()
        from torch_geometric import nn as pyg

        self.kind, self.mean = kind, pyg.global_mean_pool
        size = lambda name: (len(weights[name][0]), len(weights[name]))
        if kind == "gcn":
            self.convs = nn.ModuleList(pyg.GCNConv(*size(n), normalize=False, bias=False) for n in ("w1", "w2"))
            for conv, n in zip(self.convs, ("w1", "w2")):
                conv.lin.weight.data.copy_(torch.tensor(weights[n]))
        elif kind == "sage":
            self.convs = nn.ModuleList(pyg.SAGEConv(*size(f"n{k}"), normalize=False, bias=False) for k in (1, 2))
            for k, conv in zip((1, 2), self.convs):
                conv.lin_l.weight.data.copy_(torch.tensor(weights[f"n{k}"]))
                conv.lin_r.weight.data.copy_(torch.tensor(weights[f"s{k}"]))
        else:
            mlp = lambda k: nn.Sequential(dense(weights, f"p{k}"), nn.ReLU(), dense(weights, f"q{k}"))
            self.convs = nn.ModuleList(pyg.GINConv(mlp(k)) for k in range(1, 6))
            # GINConv draws its layers anew when it is made.
            for k, conv in enumerate(self.convs, 1):
                conv.nn[0].weight.data.copy_(torch.tensor(weights[f"p{k}"]))
                conv.nn[2].weight.data.copy_(torch.tensor(weights[f"q{k}"]))
        self.outs = nn.ModuleList(dense(weights, n) for n in weights if n.startswith("out"))

    def forward(self, data):
        x, edges, batch, size = data.x, data.edge_index, data.batch, data.num_graphs if data.batch is not None else 1
        if self.kind == "gin":
            out = 0
            for conv, readout in zip(self.convs, self.outs):
                x = torch.relu(conv(x, edges))
                out = out + readout(self.mean(x, batch, size))
            return out.flatten()
        x = self.convs[1](torch.relu(self.convs[0](x, edges)), edges)
        return self.outs[0](self.mean(x, batch, size)).flatten()


def collate(graphs, average):
    """Molecules as one batch of CSR matrices."""
    x = torch.tensor([row for g in graphs for row in g["x"]])
    rows, cols, values, first = [], [], [], 0
    for g in graphs:
        degree = [0] * len(g["x"])
        for _, to in g["edges"]:
            degree[to] += 1
        for source, to in g["edges"]:
            rows.append(first + to)
            cols.append(first + source)
            values.append(1 / degree[to] if average else 1.0)
        first += len(g["x"])
    sizes = [len(g["x"]) for g in graphs]
    owner = [k for k, n in enumerate(sizes) for _ in range(n)]
    sparse = lambda r, c, v, shape: torch.sparse_coo_tensor([r, c], v, shape).coalesce().to_sparse_csr()
    return {
        "x": x,
        "y": torch.tensor([g["y"] for g in graphs]),
        "adjacency": sparse(rows, cols, values, (first, first)),
        "pool": sparse(owner, range(first), [1 / sizes[k] for k in owner], (len(graphs), first)),
    }


def build(graphs, kind, weights, geometric):
    """Reads the molecules once for all forms."""
    with open(graphs) as file:
        state.update(graphs=json.load(file), kind=kind, weights=weights, runs={})
    if geometric:
        from torch_geometric.data import Data

        state["data"] = [
            Data(
                x=torch.tensor(g["x"]),
                edge_index=torch.tensor(g["edges"], dtype=torch.long).reshape(-1, 2).t().contiguous(),
                y=torch.tensor([g["y"]]),
            )
            for g in state["graphs"]
        ]
    return {"samples": len(state["graphs"])}


def batches(form, size):
    """A function that gives the batches of an epoch."""
    n = len(state["graphs"])
    starts = range(0, n, size)
    if form == "csr":
        made = [collate(state["graphs"][k : k + size], state["kind"] == "sage") for k in starts]
    elif form == "loader":
        from torch_geometric.loader import DataLoader

        loader = DataLoader(state["data"], batch_size=size, shuffle=True)
        return lambda: loader
    elif size == 1:
        made = state["data"]
    else:
        from torch_geometric.data import Batch

        made = [Batch.from_data_list(state["data"][k : k + size]) for k in starts]
    order = random.Random(0)

    def epoch():
        shuffled = list(made)
        order.shuffle(shuffled)
        return shuffled

    return epoch


def target(batch):
    return batch["y"] if isinstance(batch, dict) else batch.y


def model_of(form):
    return (Csr if form == "csr" else Geometric)(state["kind"], state["weights"])


def outputs(form, steps=5, rate=0.01):
    """The logits of all molecules for the given weights, then the losses of some full-batch steps of
    Adam from there."""
    torch.set_num_threads(1)
    model, whole = model_of(form), batches(form, len(state["graphs"]))
    with torch.no_grad():
        logits = sum((model(b).tolist() for b in whole()), [])
    optimizer, losses = torch.optim.Adam(model.parameters(), lr=rate), []
    for _ in range(steps):
        for batch in whole():
            optimizer.zero_grad()
            loss = nn.functional.binary_cross_entropy_with_logits(model(batch), target(batch))
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    return {"outputs": logits, "losses": losses, "parameters": sum(p.numel() for p in model.parameters())}


def epochs(form, size, budget, threads, least=2, rate=0.001):
    """Epochs for `budget` seconds, `least` at least; the first call of a setting is preceded by an epoch that is not
    counted."""
    torch.set_num_threads(threads)
    key = (form, size)
    new = key not in state["runs"]
    if new:
        model = model_of(form)
        # `fused` saves one kernel call per parameter and step.
        optimizer = torch.optim.Adam(model.parameters(), lr=rate, fused=True)
        state["runs"][key] = (model, batches(form, size), optimizer)
    model, make, optimizer = state["runs"][key]
    seconds, begun = [], None
    while len(seconds) < least + new or time.perf_counter() < begun + budget:
        start = time.perf_counter()
        begun = begun or start
        for batch in make():
            optimizer.zero_grad()
            loss = nn.functional.binary_cross_entropy_with_logits(model(batch), target(batch))
            loss.backward()
            optimizer.step()
        seconds.append(time.perf_counter() - start)
    return {"seconds": seconds[1:] if new else seconds}


serve(build=build, outputs=outputs, epochs=epochs)
