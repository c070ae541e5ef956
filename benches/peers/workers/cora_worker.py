"""The two-layer GCN of Cora in PyTorch: PyTorch Geometric, a sparse adjacency, and sparse features as well."""

from serve import serve

import json
import time
import warnings

import torch
from torch import nn

warnings.filterwarnings("ignore")
torch.set_default_dtype(torch.float64)
state = {}


def csr(rows, cols, values, shape):
    return torch.sparse_coo_tensor([rows, cols], values, shape).coalesce().to_sparse_csr()


class Sparse(nn.Module):
    """Two matrices and a sparse normalised adjacency; features sparse or dense."""

    def __init__(self, first, second, features):
        super().__init__()
        self.features = features
        self.first, self.second = nn.Parameter(first.clone()), nn.Parameter(second.clone())

    def forward(self):
        h = torch.relu(state["adjacency"] @ (self.features @ self.first))
        return state["adjacency"] @ (h @ self.second)


class Geometric(nn.Module):
    """GCNConv as it is delivered, without bias, with its normalisation kept."""

    def __init__(self, first, second, features):
        super().__init__()
        from torch_geometric.nn import GCNConv

        self.features = features
        self.one = GCNConv(*first.shape, bias=False, cached=True)
        self.two = GCNConv(*second.shape, bias=False, cached=True)
        self.one.lin.weight.data.copy_(first.t())
        self.two.lin.weight.data.copy_(second.t())

    def forward(self):
        return self.two(torch.relu(self.one(self.features, state["edges"])), state["edges"])


def build(graph, first, second):
    """Reads the graph; `first` and `second` are the layers' matrices, inputs by outputs."""
    with open(graph) as file:
        cora = json.load(file)
    n = cora["papers"]
    rows = [a for a, _ in cora["edges"]] + list(range(n))
    cols = [b for _, b in cora["edges"]] + list(range(n))
    degree = torch.bincount(torch.tensor(rows), minlength=n).double()
    scale = degree.rsqrt()
    papers = [p for p, words in enumerate(cora["features"]) for _ in words]
    words = [w for words in cora["features"] for w in words]
    features = csr(papers, words, torch.ones(len(words)), (n, cora["words"]))
    state.update(
        adjacency=csr(rows, cols, scale[rows] * scale[cols], (n, n)),
        edges=torch.tensor(cora["edges"], dtype=torch.long).t().contiguous(),
        sparse=features,
        dense=features.to_dense(),
        first=torch.tensor(first),
        second=torch.tensor(second),
        asked=torch.tensor([p for p, _ in cora["targets"]]),
        classes=torch.tensor([c for _, c in cora["targets"]]),
        runs={},
    )
    return {"samples": len(cora["targets"])}


def make(form):
    features = state["sparse" if form == "sparse" else "dense"]
    return (Geometric if form == "geometric" else Sparse)(state["first"], state["second"], features)


def step(model, optimizer):
    """One step of Adam over all labelled papers; the loss before it. nlog's gradient is the mean over all elements of
    the targets, hence the division by the number of classes, which Adam would not notice but for its epsilon."""
    optimizer.zero_grad()
    logits = model()[state["asked"]]
    loss = nn.functional.cross_entropy(logits, state["classes"])
    (loss / logits.shape[1]).backward()
    optimizer.step()
    return loss.item()


def outputs(form, steps, rate):
    """The probabilities of the labelled papers' classes, and the losses of some steps from there."""
    model = make(form)
    with torch.no_grad():
        classes = model()[state["asked"]].softmax(1).tolist()
    optimizer = torch.optim.Adam(model.parameters(), lr=rate)
    return {
        "outputs": classes,
        "losses": [step(model, optimizer) for _ in range(steps)],
        "parameters": sum(p.numel() for p in model.parameters()),
    }


def epochs(form, budget, threads, least=3):
    """Epochs for `budget` seconds after one that is not counted."""
    torch.set_num_threads(threads)
    if form not in state["runs"]:
        model = make(form)
        state["runs"][form] = (model, torch.optim.Adam(model.parameters(), lr=0.001, fused=True))
    model, optimizer = state["runs"][form]
    step(model, optimizer)
    seconds, end = [], time.perf_counter() + budget
    while len(seconds) < least or time.perf_counter() < end:
        start = time.perf_counter()
        step(model, optimizer)
        seconds.append(time.perf_counter() - start)
    return {"seconds": seconds}


serve(build=build, outputs=outputs, epochs=epochs)
