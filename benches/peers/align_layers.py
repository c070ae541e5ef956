"""Layers over graphs, for align.py: a template, and the module of PyTorch Geometric with the same weights.

A builder gets the weights of the template in their order, and the graph. It gives back the module to train and the function
that computes the layer.
"""

from dataclasses import dataclass
from typing import Callable

import torch
from torch.nn import Linear, ReLU, Sequential
from torch_geometric import nn

WIDTH = 3
PLAIN = "[transformation=identity]"


@dataclass
class Case:
    """What is compared: `text` defines h/1, or, for the whole graph, h/0, of `width` elements."""

    name: str
    imports: str
    text: str
    build: Callable
    width: int = 4
    both: bool = False  # edges come in both directions
    loop: bool = True  # there is an edge from a node to itself
    degree: int = 0  # if above 0, so many edges lead to every node
    rate: float = 0.05  # so small that every step lessens the error: nlog keeps the best model
    rest: bool = False  # the output also reads x, since not every node has an h that is not zero
    whole: bool = False  # h/0 in place of h/1; the output also reads x
    losses: tuple = ()  # in place of h: losses to be trained; the builder gives, for each, a function and what it trains
    facts: Callable = lambda nlog, graph: ""  # more facts


def fill(module, matrices):
    """Sets the parameters of a module; what is not named is zero and stays so. Each keeps what it was made of as `drawn`,
    through which gradients lead back to the weights of the template."""
    state, names = module.state_dict(), dict(module.named_parameters())
    for name, parameter in names.items():
        if name not in matrices:
            state[name] = torch.zeros_like(parameter)
            parameter.requires_grad_(False)
    for name, matrix in matrices.items():
        assert state[name].numel() == matrix.numel(), (name, state[name].shape, matrix.shape)
        state[name] = matrix.detach().reshape(state[name].shape)
        if name in names:
            names[name].drawn = matrix
    module.load_state_dict(state)
    return module


def stated(g):
    return [g.edges]


def simple(make, names, *more, edges=stated):
    """A layer whose parameters are the weights in order, called with x, the edges (and their weights, where the function
    gives these) and these parts of the graph."""

    def build(w, g):
        layer = fill(make(), {name: w[i] for i, name in enumerate(names)})
        return layer, lambda: layer(g.x, *edges(g), *(getattr(g, m) for m in more))

    return build


def parallel(g):
    """Every edge twice, with parts of its weight; but loops, of which they keep one."""
    apart = g.edges[0] != g.edges[1]
    edges = torch.cat([g.edges, g.edges[:, apart]], 1)
    return edges, torch.cat([torch.where(apart, 0.25, 1.0) * g.strength, 0.75 * g.strength[apart]])


def doubled(g):
    """Every edge twice, loops too, with parts of its weight: for layers that do not look for loops."""
    return torch.cat([g.edges, g.edges], 1), torch.cat([0.25 * g.strength, 0.75 * g.strength])


def again(g):
    """Edges of the second kind twice, without weights."""
    return [torch.cat([g.edges, g.edges[:, g.kinds == 1]], 1)]


def both_ways(g):
    """Every edge with its own weight and with that of the edge back: the same in both directions."""
    return torch.cat([g.edges, g.edges.flip(0)], 1), torch.cat([g.strength, g.strength])


def strands(edges):
    """Facts: these edges, each with a name of its own, so that parallel ones are several; without weights they weigh 1."""

    def facts(nlog, g):
        index, *weights = edges(g)
        weights = weights[0].tolist() if weights else [1.0] * index.shape[1]
        ends = enumerate(zip(index.t().tolist(), weights, strict=True))
        return "".join(f"<{w}> strand(e{e},n{j},n{i}).\n" for e, ((j, i), w) in ends)

    return facts


JOINED = f"link(J,I) :- strand(_,J,I). [transformation=identity, aggregation=sum] link/2 {PLAIN}\n"


def further(g):
    """Edges that are of both kinds: a part of those of the first."""
    return (g.kinds == 0) & (g.strength > 1)


def also(nlog, g):
    return "".join(f"r1(n{j},n{i}).\n" for j, i in g.edges[:, further(g)].t().tolist())


def lstm(layer, gates, suffix=""):
    """Parameters of an LSTM by gates (matrix for the input, for the state, bias) in the order forget, input, output,
    fresh; theirs is input, forget, fresh, output, and they have a second bias."""
    order = [gates[k] for k in (1, 0, 3, 2)]
    names = ["weight_ih_l0", "weight_hh_l0", "bias_ih_l0"]
    parts = {n + suffix: [gate[k] for gate in order] for k, n in enumerate(names)}
    return {f"{layer}.{n}": torch.cat(p) for n, p in parts.items() if p[0] is not None}


def sage_lstm(place):
    """Edges by their targets, then in the order of `place`, the place of a source among all nodes."""

    def build(w, g):
        layer = nn.SAGEConv(WIDTH, 4, aggr="lstm")
        # Here input, forget, output, fresh; `lstm` reads forget, input, output, fresh.
        gates = [w[3 * k : 3 * k + 3] for k in (1, 0, 2, 3)]
        fill(layer, lstm("aggr_module.lstm", gates) | {"lin_r.weight": w[12], "lin_l.weight": w[13], "lin_l.bias": w[14]})
        edges = torch.tensor(sorted(g.edges.t().tolist(), key=lambda e: (e[1], place(e[0])))).t()
        return layer, lambda: layer(g.x, edges)

    return build


def backwards(nlog, g):
    """Facts: every node reads the sources of its edges from the greatest number down."""
    near = {}
    for j, i in sorted(g.edges.t().tolist(), reverse=True):
        near.setdefault(i, []).append(j)
    return "".join(f"turn(n{i},n{j},n{k}).\n" for i, js in near.items() for j, k in zip(js, js[1:]))


def appnp(edges):
    def build(_, g):
        layer = nn.APPNP(K=3, alpha=0.2)
        return layer, lambda: layer(g.x, *edges(g))

    return build


def perceptron(bias):
    return Sequential(Linear(WIDTH, 4, bias=bias), ReLU(), Linear(4, 4, bias=bias))


def gin_learned(w, g):
    names = ["nn.0.weight", "nn.0.bias", "nn.2.weight", "nn.2.bias"]
    layer = nn.GINConv(perceptron(True), train_eps=True)
    fill(layer, {**dict(zip(names, w)), "eps": torch.tensor([0.3])})
    return layer, lambda: layer(g.x, g.edges)


def gine_learned(w, g):
    names = ["lin.weight", "lin.bias", "nn.0.weight", "nn.0.bias", "nn.2.weight", "nn.2.bias"]
    layer = nn.GINEConv(perceptron(True), train_eps=True, edge_dim=2)
    fill(layer, {**dict(zip(names, w)), "eps": torch.tensor([0.3])})
    return layer, lambda: layer(g.x, g.edges, g.feat)


def gat(w, g):
    layer = nn.GATConv(WIDTH, 2, heads=2)
    cat = lambda k: torch.cat([w[k], w[k + 3]])
    fill(layer, {"lin.weight": cat(0), "att_src": cat(1), "att_dst": cat(2), "bias": w[6]})
    return layer, lambda: layer(g.x, g.edges)


def gat_edges(w, g):
    layer = nn.GATConv(WIDTH, 4, heads=2, concat=False, edge_dim=2, fill_value="mean")
    names = ["lin.weight", "att_src", "att_dst", "att_edge", "lin_edge.weight"]
    fill(layer, {**{n: torch.cat([w[k], w[k + 5]]) for k, n in enumerate(names)}, "bias": w[10]})
    return layer, lambda: layer(g.x, g.edges, g.feat)


def gatv2(w, g):
    layer = nn.GATv2Conv(WIDTH, 2, heads=2, bias=False)
    cat = lambda k: torch.cat([w[k], w[k + 3]])
    fill(layer, {"lin_l.weight": cat(0), "lin_r.weight": cat(1), "att": cat(2)})
    return layer, lambda: layer(g.x, g.edges)


def gatv2_edges(w, g):
    layer = nn.GATv2Conv(WIDTH, 2, heads=2, edge_dim=2, fill_value="mean")
    names = ["lin_l.weight", "lin_l.bias", "lin_r.weight", "lin_r.bias", "lin_edge.weight", "att"]
    fill(layer, {**{n: torch.cat([w[k], w[k + 6]]) for k, n in enumerate(names)}, "bias": w[12]})
    return layer, lambda: layer(g.x, g.edges, g.feat)


def gatv2_shared(w, g):
    layer = nn.GATv2Conv(WIDTH, 4, heads=1, share_weights=True)
    fill(layer, {"lin_l.weight": w[0], "lin_l.bias": w[1], "att": w[2], "bias": w[3]})
    return layer, lambda: layer(g.x, g.edges)


def rgcn(edges):
    def build(w, g):
        layer = nn.RGCNConv(WIDTH, 4, num_relations=2)
        fill(layer, {"root": w[0].t(), "weight": torch.stack([w[1].t(), w[2].t()]), "bias": w[3]})
        return layer, lambda: layer(g.x, *edges(g))

    return build


def of_both_kinds(g):
    more = g.edges[:, further(g)]
    return torch.cat([g.edges, more], 1), torch.cat([g.kinds, torch.ones(more.shape[1], dtype=torch.long)])


def rgcn_bases(w, g):
    layer = nn.RGCNConv(WIDTH, 4, num_relations=2, num_bases=2, bias=False)
    bases = torch.stack([w[1].t(), w[2].t()])
    fill(layer, {"root": w[0].t(), "weight": bases, "comp": torch.cat(w[3:7])})
    return layer, lambda: layer(g.x, g.edges, g.kinds)


def rgcn_blocks(w, g):
    layer = nn.RGCNConv(WIDTH, 6, num_relations=2, num_blocks=3, bias=False)
    fill(layer, {"root": w[0].t(), "weight": torch.stack([b.t() for b in w[1:7]])})
    return layer, lambda: layer(g.x, g.edges, g.kinds)


def edgeconv(w, g):
    layer = nn.EdgeConv(Sequential(Linear(2 * WIDTH, 4), ReLU()))
    fill(layer, {"nn.0.weight": w[0], "nn.0.bias": w[1]})
    return layer, lambda: layer(g.x, g.edges)


def cheb(edges):
    def build(w, g):
        layer = nn.ChebConv(WIDTH, 4, K=3)
        fill(layer, {**{f"lins.{i}.weight": w[i] for i in range(3)}, "bias": w[3]})
        return layer, lambda: layer(g.x, *edges(g), lambda_max=2.0)

    return build


def egc(aggregators, bias):
    """Two heads of two bases: all B_b first, then the combination of each head. Without symnorm they give no loop to nodes
    behind the last that has an edge, so that of the last node is stated."""

    def build(w, g):
        layer = nn.EGConv(WIDTH, 4, aggregators=aggregators, num_heads=2, num_bases=2, bias=bias)
        named = {"bases_lin.weight": w[0]}
        if bias:
            named |= {"comb_lin.weight": torch.cat([w[1], w[3]]), "comb_lin.bias": torch.cat([w[2], w[4]]), "bias": w[5]}
        else:
            named |= {"comb_lin.weight": torch.cat(w[1:3])}
        fill(layer, named)
        loop = torch.full((2, 1), len(g.x) - 1)
        edges = g.edges if "symnorm" in aggregators else torch.cat([g.edges, loop], 1)
        return layer, lambda: layer(g.x, edges)

    return build


DELTA, MEAN = 1.1, 2.5


class Std(nn.StdAggregation):
    """The root of max(var, 1e-5), as their EGConv has it; their StdAggregation is zero where this is the bound. Of no
    messages it is zero here too."""

    def forward(self, x, index, ptr=None, dim_size=None, dim=-2):
        there = torch.zeros(dim_size).index_fill(0, index, 1.0).view(-1, *[1] * (x.dim() - 1))
        return self.var_aggr(x, index, ptr, dim_size, dim).clamp(min=1e-5).sqrt() * there


def pna(aggregators, scalers, towers, feature=None):
    """Matrices for concatenations: ours are their blocks, by aggregator and then scaler, theirs the other way round."""

    def build(w, g):
        w = list(w)
        take = lambda: w.pop(0)
        layer = nn.PNAConv(
            WIDTH, 4, aggregators, scalers, torch.tensor([1, 1]), towers=towers, edge_dim=2 if feature else None
        )
        layer.aggr_module.avg_deg_log.fill_(DELTA)
        layer.aggr_module.avg_deg_lin.fill_(MEAN)
        named, join = {}, []
        if feature:
            named |= {"edge_encoder.weight": take(), "edge_encoder.bias": take()}
        for t in range(towers):
            named[f"pre_nns.{t}.0.weight"] = torch.cat([take() for _ in range(3 if feature else 2)], 1)
            own = take()
            blocks = [[take() for _ in scalers] for _ in aggregators]
            parts = [blocks[a][s] for s in range(len(scalers)) for a in range(len(aggregators))]
            named[f"post_nns.{t}.0.weight"] = torch.cat([own, *parts], 1)
            join.append(take())
            named[f"pre_nns.{t}.0.bias"], named[f"post_nns.{t}.0.bias"] = take(), take()
        named |= {"lin.weight": torch.cat(join, 1), "lin.bias": take()}
        fill(layer, named)
        return layer, lambda: layer(g.x, g.edges, g.feat if feature else None)

    return build


def gen(w, g):
    layer = nn.GENConv(WIDTH, 4, norm=None, learn_t=True)
    names = ["lin_src.weight", "lin_dst.weight", "mlp.0.weight", "mlp.3.weight"]
    fill(layer, {**dict(zip(names, w)), "aggr_module.t": torch.tensor([0.7])})
    return layer, lambda: layer(g.x, g.edges)


def gen_edges(w, g):
    layer = nn.GENConv(WIDTH, WIDTH, norm=None, edge_dim=2, bias=True)
    names = ["lin_edge.weight", "mlp.0.weight", "mlp.0.bias", "mlp.3.weight", "mlp.3.bias"]
    fill(layer, dict(zip(names, w)))
    return layer, lambda: layer(g.x, g.edges, g.feat)


def gen_power(w, g):
    """Their bounds of the mean and of what enters it, 1e-4 and 100, are widened."""
    unbounded = dict(p=2.0, clamp_min=0.0, clamp_max=None)
    layer = nn.GENConv(WIDTH, WIDTH, aggr="powermean", aggr_kwargs=unbounded, norm=None)
    fill(layer, dict(zip(["mlp.0.weight", "mlp.3.weight"], w)))
    return layer, lambda: layer(g.x, g.edges)


def by_columns(kernel):
    """The rows of a map to matrices in rows, {4*3,n}, as those of a map to the transposed matrices."""
    return kernel.reshape(4, WIDTH, -1).transpose(0, 1).reshape(4 * WIDTH, -1)


def nnconv(w, g):
    layer = nn.NNConv(WIDTH, 4, Linear(2, 4 * WIDTH))
    names = {"nn.weight": by_columns(w[0]), "nn.bias": by_columns(w[1]), "lin.weight": w[2], "bias": w[3]}
    fill(layer, names)
    return layer, lambda: layer(g.x, g.edges, g.feat)


def nnconv_deep(w, g):
    layer = nn.NNConv(WIDTH, 4, Sequential(Linear(2, 5), ReLU(), Linear(5, 4 * WIDTH)), aggr="mean")
    named = {"nn.0.weight": w[0], "nn.0.bias": w[1], "nn.2.weight": by_columns(w[2]), "nn.2.bias": by_columns(w[3])}
    fill(layer, {**named, "lin.weight": w[4], "bias": w[5]})
    return layer, lambda: layer(g.x, g.edges, g.feat)


def gatedgraph(edges):
    def build(w, g):
        layer = nn.GatedGraphConv(4, num_layers=2, bias=False)
        named = {"weight": torch.stack([w[0].t(), w[7].t()])}
        fill(layer, named | {"rnn.weight_ih": torch.cat(w[1:7:2]), "rnn.weight_hh": torch.cat(w[2:7:2])})
        return layer, lambda: layer(g.x, *edges(g))

    return build


def gatedgraph_bias(w, g):
    """PyTorch has two biases in a gate, which learn twice as fast together; here the second stays zero."""
    layer = nn.GatedGraphConv(4, num_layers=2)
    named = {"weight": torch.stack([w[0].t(), w[11].t()])}
    named |= {"rnn.weight_ih": torch.cat(w[1:7:2]), "rnn.weight_hh": torch.cat(w[2:7:2])}
    named |= {"rnn.bias_ih": torch.cat(w[8:11]), "rnn.bias_hh": torch.cat([torch.zeros(8, 1), w[7]])}
    fill(layer, named)
    learned = torch.cat([torch.zeros(8), torch.ones(4)])
    layer.rnn.bias_hh.register_hook(lambda gradient: gradient * learned)
    return layer, lambda: layer(g.x, g.edges)


def gcn2(w, g):
    layer = fill(nn.GCN2Conv(WIDTH, alpha=0.2, theta=0.5, layer=3), {"weight1": w[0].t()})
    return layer, lambda: layer(g.x, g.y, g.edges)


def gcn2_two(edges):
    def build(w, g):
        layer = nn.GCN2Conv(WIDTH, alpha=0.2, theta=0.5, layer=2, shared_weights=False)
        fill(layer, {"weight1": w[1].t(), "weight2": w[0].t()})
        return layer, lambda: layer(g.x, g.y, *edges(g))

    return build


def dna(w, g):
    layer = nn.DNAConv(WIDTH, heads=3)
    names = ["lin_q", "lin_k", "lin_v"]
    named = {f"multi_head.{n}.weight": w[2 * i].t() for i, n in enumerate(names)}
    fill(layer, named | {f"multi_head.{n}.bias": w[2 * i + 1] for i, n in enumerate(names)})
    return layer, lambda: layer(torch.stack([g.x, g.y], 1), g.edges)


def pointnet2(w, g):
    layer = nn.PointNetConv(Sequential(Linear(WIDTH + 2, 5), ReLU()), Sequential(Linear(5, 4), ReLU()))
    names = ["local_nn.0.weight", "local_nn.0.bias", "global_nn.0.weight", "global_nn.0.bias"]
    fill(layer, dict(zip(names, w)))
    return layer, lambda: layer(g.x, g.pos, g.edges)


SCALERS = ["identity", "amplification", "attenuation", "linear", "inverse_linear"]
LISTED = ", ".join(SCALERS)

LAYERS = [
    Case(
        "GCN, bias",
        "gnn/gcn",
        "@use gcn(x, edge, h, 3, 4, act = identity, bias = 1).",
        simple(lambda: nn.GCNConv(WIDTH, 4), ["lin.weight", "bias"]),
    ),
    Case(
        "GCN, edge weights",
        "gnn/gcn",
        "@use gcn(x, strength, h, 3, 4, act = identity, weighted = 1).",
        simple(lambda: nn.GCNConv(WIDTH, 4, bias=False), ["lin.weight"], "strength"),
    ),
    Case(
        "GCN, parallel edges",
        "gnn/gcn",
        JOINED + "@use gcn(x, link, h, 3, 4, act = identity, weighted = 1).",
        simple(lambda: nn.GCNConv(WIDTH, 4, bias=False), ["lin.weight"], edges=parallel),
        facts=strands(parallel),
    ),
    Case(
        "GraphSAGE, mean",
        "gnn/sage",
        "@use sage(x, edge, h, 3, 4, act = identity).",
        simple(lambda: nn.SAGEConv(WIDTH, 4, bias=False), ["lin_r.weight", "lin_l.weight"]),
    ),
    Case(
        "GraphSAGE, mean, bias, normalised",
        "gnn/sage",
        "@use sage(x, edge, h, 3, 4, act = identity, bias = 1, normalize = 1).",
        simple(lambda: nn.SAGEConv(WIDTH, 4, normalize=True), ["lin_r.weight", "lin_l.weight", "lin_l.bias"]),
    ),
    Case(
        "GraphSAGE, pooling",
        "gnn/sage",
        "@use sage_pool(x, edge, h, 3, 4, act = identity, bias = 1).",
        simple(
            lambda: nn.SAGEConv(WIDTH, 4, aggr="max", project=True),
            ["lin.weight", "lin_r.weight", "lin_l.weight", "lin.bias", "lin_l.bias"],
        ),
    ),
    Case(
        "GraphSAGE, LSTM",
        "gnn/sage",
        "@use sage_lstm(x, edge, h, 3, 4, act = identity, bias = 1).",
        sage_lstm(str),  # the names decide, n10 is before n2
        degree=3,
    ),
    Case(
        "GraphSAGE, LSTM in a stated order",
        "gnn/sage",
        "@use sage_lstm(x, edge, h, 3, 4, act = identity, order = turn, bias = 1).",
        sage_lstm(lambda j: -j),
        degree=3,
        facts=backwards,
    ),
    Case(
        "TAG, k = 3",
        "gnn/tag",
        "@use tag(x, edge, h, 3, 4, bias = 1).",
        simple(lambda: nn.TAGConv(WIDTH, 4, K=3), [*(f"lins.{i}.weight" for i in range(4)), "bias"]),
    ),
    Case(
        "TAG, k = 2, edge weights",
        "gnn/tag",
        "@use tag(x, strength, h, 3, 4, 2, weighted = 1).",
        simple(lambda: nn.TAGConv(WIDTH, 4, K=2, bias=False), [f"lins.{i}.weight" for i in range(3)], "strength"),
    ),
    Case(
        "TAG, k = 2, parallel edges and loops",
        "gnn/tag",
        JOINED + "@use tag(x, link, h, 3, 4, 2, weighted = 1).",
        simple(lambda: nn.TAGConv(WIDTH, 4, K=2, bias=False), [f"lins.{i}.weight" for i in range(3)], edges=doubled),
        facts=strands(doubled),
    ),
    Case(
        "SG, k = 2",
        "gnn/sg",
        "@use sg(x, edge, h, 3, 4, 2, bias = 1).",
        simple(lambda: nn.SGConv(WIDTH, 4, K=2), ["lin.weight", "lin.bias"]),
    ),
    Case(
        "SG, k = 2, parallel edges",
        "gnn/sg",
        JOINED + "@use sg(x, link, h, 3, 4, 2, weighted = 1).",
        simple(lambda: nn.SGConv(WIDTH, 4, K=2, bias=False), ["lin.weight"], edges=parallel),
        facts=strands(parallel),
    ),
    Case("APPNP, k = 3", "gnn/appnp", "@use appnp(x, edge, h, k = 3, alpha = 0.2).", appnp(stated), width=3),
    Case(
        "APPNP, k = 3, parallel edges",
        "gnn/appnp",
        JOINED + "@use appnp(x, link, h, k = 3, alpha = 0.2, weighted = 1).",
        appnp(parallel),
        width=3,
        facts=strands(parallel),
    ),
    Case(
        "GIN",
        "gnn/gin",
        "@use gin(x, edge, h, 3, 4).",
        simple(lambda: nn.GINConv(perceptron(False)), ["nn.0.weight", "nn.2.weight"]),
    ),
    Case("GIN, learned eps, bias", "gnn/gin", "@use gin(x, edge, h, 3, 4, eps = 0.3, learn = 1, bias = 1).", gin_learned),
    Case(
        "GINE",
        "gnn/gine",
        "@use gine(x, wide, h, 3, 4).",
        simple(lambda: nn.GINEConv(perceptron(False)), ["nn.0.weight", "nn.2.weight"], "wide"),
    ),
    Case(
        "GINE, map of edges, learned eps, bias",
        "gnn/gine",
        "@use gine(x, feat, h, 3, 4, de = 2, eps = 0.3, learn = 1, bias = 1).",
        gine_learned,
    ),
    Case("GAT, 2 heads, bias", "gnn/gat", "@use gat(x, edge, h, 3, 4, heads = 2, bias = 1).", gat),
    Case(
        "GAT, 2 heads, their mean, edge features",
        "gnn/gat",
        "@use gat(x, feat, h, 3, 4, heads = 2, join = mean, de = 2, bias = 1).",
        gat_edges,
        loop=False,
    ),
    Case("GATv2, 2 heads", "gnn/gatv2", "@use gatv2(x, edge, h, 3, 4, heads = 2).", gatv2),
    Case(
        "GATv2, 2 heads, edge features, bias",
        "gnn/gatv2",
        "@use gatv2(x, feat, h, 3, 4, heads = 2, de = 2, bias = 1).",
        gatv2_edges,
        loop=False,
    ),
    Case("GATv2, shared, bias", "gnn/gatv2", "@use gatv2(x, edge, h, 3, 4, shared = 1, bias = 1).", gatv2_shared),
    Case(
        "ResGated, bias",
        "gnn/resgated",
        "@use resgated(x, edge, h, 3, 4, act = identity, bias = 1).",
        simple(
            lambda: nn.ResGatedGraphConv(WIDTH, 4),
            ["lin_key.weight", "lin_query.weight", "lin_value.weight", "lin_skip.weight", "bias"],
        ),
    ),
    Case(
        "ResGated, parallel edges and loops",
        "gnn/resgated",
        JOINED + "@use resgated(x, link, h, 3, 4, act = identity, weighted = 1).",
        simple(
            lambda: nn.ResGatedGraphConv(WIDTH, 4, bias=False),
            ["lin_key.weight", "lin_query.weight", "lin_value.weight", "lin_skip.weight"],
            edges=again,
        ),
        facts=strands(again),
    ),
    Case("EGC, symnorm", "gnn/egc", "@use egc_s(x, edge, h, 3, 4, heads = 2, bases = 2, bias = 1).", egc(["symnorm"], True)),
    Case(
        "EGC, sum, std, max",
        "gnn/egc",
        "@use egc_m(x, edge, h, 3, 4, heads = 2, bases = 2, aggregators = {sum, std(clamp), max}).",
        egc(["sum", "std", "max"], False),
    ),
    Case(
        "EGC, all seven aggregators",
        "gnn/egc",
        "@use egc_m(x, edge, h, 3, 4, heads = 2, bases = 2, bias = 1,"
        " aggregators = {symnorm, sum, avg, min, max, var, std(clamp)}).",
        egc(["symnorm", "sum", "mean", "min", "max", "var", "std"], True),
    ),
    Case(
        "PNA, mean, std, max, min, all 5 scalers",
        "gnn/pna",
        "@use pna(x, edge, h, 3, 4, delta = 1.1, mean = 2.5, aggregators = {avg, std(clamp), max, min},"
        f" scalers = {{{LISTED}}}, bias = 1).",
        pna(["mean", Std(), "max", "min"], SCALERS, 1),
        rate=0.002,
    ),
    Case(
        "PNA, 2 towers, sum and var",
        "gnn/pna",
        "@use pna(x, edge, h, 3, 4, delta = 1.1, aggregators = {sum, var},"
        " scalers = {identity, attenuation}, towers = 2, bias = 1).",
        pna(["sum", "var"], ["identity", "attenuation"], 2),
    ),
    Case(
        "PNA, edge features",
        "gnn/pna",
        "{3,2} code(J,I) :- feat(J,I). [transformation=identity] code/2 {3} code/2 [transformation=identity]\n"
        "@use pna(x, code, h, 3, 4, delta = 1.1, aggregators = {avg, max},"
        " scalers = {identity, amplification}, de = 3, bias = 1).",
        pna(["mean", "max"], ["identity", "amplification"], 1, feature=True),
    ),
    Case(
        "GEN, softmax, learned t, maps of nodes",
        "gnn/gen",
        "@use gen(x, edge, h, 3, 4, t = 0.7, learn = 1).",
        gen,
    ),
    Case("GEN, softmax, edge features, bias", "gnn/gen", "@use gen(x, feat, h, 3, 3, de = 2, bias = 1).", gen_edges, width=3),
    Case(
        "GEN, power mean",
        "gnn/gen",
        "@use gen(x, edge, h, 3, 3, aggregation = powermean, p = 2).",
        gen_power,
        width=3,
    ),
    Case("NNConv, sum", "gnn/nnconv", "@use nnconv(x, feat, h, 3, 4, 2, act = identity).", nnconv),
    Case(
        "NNConv, mean, two layers",
        "gnn/nnconv",
        "@use nnconv(x, feat, h, 3, 4, 2, units = {5}, act = identity, agg = avg).",
        nnconv_deep,
    ),
    Case(
        "GatedGraph, 2 steps, edge weights",
        "gnn/gatedgraph",
        "@use gatedgraph(x, strength, h, 3, 4, 2, tied = 0, cell = torch, weighted = 1).",
        gatedgraph(lambda g: (g.edges, g.strength)),
    ),
    Case(
        "GatedGraph, 2 steps, parallel edges and loops",
        "gnn/gatedgraph",
        JOINED + "@use gatedgraph(x, link, h, 3, 4, 2, tied = 0, cell = torch, weighted = 1).",
        gatedgraph(doubled),
        facts=strands(doubled),
    ),
    Case(
        "GatedGraph, 2 steps, bias",
        "gnn/gatedgraph",
        "@use gatedgraph(x, edge, h, 3, 4, 2, tied = 0, cell = torch, bias = 1).",
        gatedgraph_bias,
    ),
    Case(
        "GCNII, layer 3",
        "gnn/gcn2",
        "@use gcn2(x, y, edge, h, 3, 3, alpha = 0.2, act = identity).",
        gcn2,
        width=3,
    ),
    Case(
        "GCNII, layer 2, two matrices, edge weights",
        "gnn/gcn2",
        "@use gcn2(x, y, strength, h, 3, 2, alpha = 0.2, shared = 0, act = identity, weighted = 1).",
        gcn2_two(lambda g: (g.edges, g.strength)),
        width=3,
    ),
    Case(
        "GCNII, layer 2, two matrices, parallel edges",
        "gnn/gcn2",
        JOINED + "@use gcn2(x, y, link, h, 3, 2, alpha = 0.2, shared = 0, act = identity, weighted = 1).",
        gcn2_two(parallel),
        width=3,
        facts=strands(parallel),
    ),
    Case(
        "RGCN, 2 relations",
        "gnn/rgcn",
        "@use rgcn(x, h, {r0, r1}, 3, 4, act = identity, bias = 1).",
        rgcn(lambda g: (g.edges, g.kinds)),
    ),
    Case(
        "RGCN, parallel edges of 2 relations",
        "gnn/rgcn",
        "@use rgcn(x, h, {r0, r1}, 3, 4, act = identity, bias = 1).",
        rgcn(of_both_kinds),
        facts=also,
    ),
    Case("RGCN, 2 bases", "gnn/rgcn", "@use rgcn(x, h, {r0, r1}, 3, 4, act = identity, bases = 2).", rgcn_bases),
    Case(
        "RGCN, 3 blocks",
        "gnn/rgcn",
        "@use rgcn(x, h, {r0, r1}, 3, 6, act = identity, blocks = 3).",
        rgcn_blocks,
        width=6,
    ),
    Case("EdgeConv, max", "gnn/edgeconv", "@use edgeconv(x, edge, h, 3, {4}).", edgeconv),
    Case(
        "ChebNet, k = 3",
        "gnn/cheb",
        "@use laplacian(x, edge, lap). @use cheb(x, lap, h, 3, 4, 3, act = identity, bias = 1).",
        cheb(stated),
        both=True,
    ),
    Case(
        "ChebNet, k = 3, parallel edges",
        "gnn/cheb",
        JOINED + "@use laplacian(x, link, lap, weighted = 1). @use cheb(x, lap, h, 3, 4, 3, act = identity, bias = 1).",
        cheb(both_ways),
        both=True,
        facts=strands(both_ways),
    ),
    Case("DNA, 3 heads", "depth/dna", "@use dna({x, y}, edge, h, 3, heads = 3).", dna, width=3),
    Case(
        "PointNet++",
        "points/pointnet2",
        "<1> near(J,I) :- *edge(J,I). <1> near(I,I) :- *x(I), !edge(I,I).\n"
        "@use pointnet2(near, pos, h, 2, {5}, x = x, din = 3, outer = {4}).",
        pointnet2,
        rest=True,  # its functions may be zero for all nodes
    ),
]
