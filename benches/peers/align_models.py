"""Models that learn without labels, what reads sequences, and the rest, for align.py (see align_layers.py)."""

import subprocess
import sys
from unittest.mock import patch

import torch
from torch.nn import Linear, ModuleDict, PReLU, ReLU, Sequential
from torch_geometric import nn, transforms
from torch_geometric.data import Data
from torch_geometric.nn.conv.han_conv import group

from align_layers import JOINED, PLAIN, WIDTH, Case, doubled, fill, lstm, parallel, pna, strands
from align_readouts import NODES, linear, one

try:
    from torch_spline_conv import spline_basis, spline_weighting
except ImportError:  # compiled where it is installed; without it SplineConv is left out
    spline_basis = None


def drawn(graph):
    """Their draws from the normal distribution are the constants y here and there."""
    return patch("torch.randn_like", lambda z: graph.y)


class Infomax(torch.nn.Module):
    """The encoder of their example."""

    def __init__(self):
        super().__init__()
        self.conv, self.prelu = nn.GCNConv(WIDTH, 4), PReLU()

    def forward(self, x, edges):
        return self.prelu(self.conv(x, edges))


def infomax(w):
    """The features of the corrupted graph come in reverse."""
    corrupt, summary = lambda x, edges: (x.flip(0), edges), lambda z, *_: z.mean(0).sigmoid()
    model = nn.DeepGraphInfomax(4, Infomax(), summary, corrupt)
    named = {"encoder.conv.lin.weight": w[0], "encoder.conv.bias": w[1], "encoder.prelu.weight": torch.tensor([0.25])}
    return fill(model, named | {"weight": w[2]})


def dgi(w, g):
    model = infomax(w)

    def run():
        given, fake, summary = model(g.x, g.edges)
        logits = [model.discriminate(z, summary, sigmoid=False).view(-1, 1) for z in (given, fake)]
        return torch.cat([given, *logits], 1)

    return model, run


def dgi_loss(w, g):
    """The paper's is the mean of both parts, theirs the sum."""
    model = infomax(w)
    return [(lambda: model.loss(*model(g.x, g.edges)) / 2, list(model.parameters()))]


class Coder(torch.nn.Module):
    """Encoder of a graph auto-encoder: two convolutions, the second one or two of a kind."""

    def __init__(self, kinds):
        super().__init__()
        self.first = nn.GCNConv(WIDTH, 4, bias=False)
        self.second = torch.nn.ModuleList(nn.GCNConv(4, WIDTH, bias=False) for _ in range(kinds))

    def forward(self, x, edges):
        hidden = self.first(x, edges).relu()
        out = [conv(hidden, edges) for conv in self.second]
        return out if len(out) > 1 else out[0]


def coder(w, kinds):
    """Names and values of the weights of an encoder."""
    return {"encoder.first.lin.weight": w[0], **{f"encoder.second.{k}.lin.weight": w[k + 1] for k in range(kinds)}}


def links(model, z, g):
    """Sums of the tanh of the logits of edges at their targets."""
    logits = model.decoder(z, g.edges, sigmoid=False).tanh().view(-1, 1)
    return torch.zeros(NODES, 1).index_add(0, g.edges[1], logits)


def gae(w, g):
    model = fill(nn.GAE(Coder(1)), coder(w, 1))
    return model, lambda: links(model, model.encode(g.x, g.edges), g)


def vgae(w, g):
    model = fill(nn.VGAE(Coder(2)), coder(w, 2))

    def run():
        with drawn(g):
            z = model.encode(g.x, g.edges)
        return torch.cat([links(model, z, g).sum(0), model.kl_loss().view(1)]).view(1, 2)

    return model, run


def vgae_loss(w, g):
    model = fill(nn.VGAE(Coder(2)), coder(w, 2))
    first, second = (g.edges[:, g.kinds == k] for k in (0, 1))

    def loss():
        with drawn(g):
            z = model.encode(g.x, g.edges)
        return model.recon_loss(z, first, second) + model.kl_loss() / NODES

    return [(loss, list(model.parameters()))]


def adversaries(make, kinds):
    """Three losses in turn, two optimizers, as in their examples: those of the encoder and that of the discriminator."""

    def build(w, g):
        critic = Sequential(Linear(WIDTH, 5), ReLU(), Linear(5, 4), ReLU(), Linear(4, 1))
        names = ["0.weight", "2.weight", "0.bias", "2.bias", "4.weight", "4.bias"]
        named = dict(zip((f"discriminator.{name}" for name in names), w[kinds + 1 :]))
        model = fill(make(Coder(kinds), critic), coder(w, kinds) | named)
        first, second = (g.edges[:, g.kinds == k] for k in (0, 1))

        def on_codes(loss):
            def run():
                with drawn(g):
                    return loss(model.encode(g.x, g.edges))

            return run

        own, theirs = list(model.encoder.parameters()), list(model.discriminator.parameters())
        rebuilt = on_codes(lambda z: model.recon_loss(z, first, second))
        return [(rebuilt, own), (on_codes(model.discriminator_loss), theirs), (on_codes(model.reg_loss), own)]

    return build


def least_score(w, g):
    layer = fill(nn.TopKPooling(WIDTH, min_score=0.08), {"select.weight": w[0]})

    def run():
        x, _, _, _, kept, _ = layer(g.x, g.edges)
        return torch.zeros_like(g.x).index_copy(0, kept, x)

    return layer, run


def clusters(w, g):
    """Three clusters; both the states and the edges between them go on, summed at the targets."""
    both, cluster = fill(ModuleDict({"z": Linear(WIDTH, WIDTH)}), {"z.weight": w[0]}), torch.arange(NODES) % 3

    def run():
        data = Data(x=both["z"](g.x), edge_index=g.edges, edge_attr=g.strength.view(-1, 1))
        data = nn.avg_pool(cluster, data)
        sums = torch.zeros(3, 1).index_add(0, data.edge_index[1], data.edge_attr.view(-1, 1).tanh())
        return torch.cat([data.x, sums], 1)[cluster]

    return both, run


def cluster_max(w, g):
    both, cluster = fill(ModuleDict({"z": Linear(WIDTH, WIDTH)}), {"z.weight": w[0]}), torch.arange(NODES) % 3
    return both, lambda: nn.max_pool(cluster, Data(x=both["z"](g.x), edge_index=g.edges)).x[cluster]


def metapaths(w, g):
    """The part of HANConv that joins what it finds by meta-paths."""
    both = ModuleDict({"map": Linear(WIDTH, WIDTH), "q": Linear(WIDTH, 1)})
    fill(both, {"map.weight": w[0], "map.bias": w[1], "q.weight": w[2]})
    return both, lambda: group([g.x, g.y], both["q"].weight, both["map"])[0]


def sign(edges):
    def build(w, g):
        parts = torch.nn.ModuleList([*(Linear(WIDTH, 5) for _ in range(3)), Linear(15, 4)])
        named = {f"{k}.{name}": w[3 * k + i] for k in range(3) for i, name in [(0, "weight"), (2, "bias")]}
        fill(parts, named | {"3.weight": torch.cat(w[1:9:3], 1), "3.bias": w[9]})
        index, weights = edges(g)
        data = transforms.SIGN(2)(Data(x=g.x, edge_index=index, edge_weight=weights))
        powers = [data.x, data.x1, data.x2]
        return parts, lambda: parts[3](torch.cat([part(p).relu() for part, p in zip(parts, powers)], 1))

    return build


def pointnet(w, g):
    layer = nn.MLP([WIDTH, 5, 4], norm=None, plain_last=False)
    fill(layer, dict(zip(["lins.0.weight", "lins.0.bias", "lins.1.weight", "lins.1.bias"], w)))
    pool = nn.MaxAggregation()
    return layer, lambda: pool(layer(g.x), one(g))


def interpolation(w, g):
    """Near is what an edge leads from; nodes without such have no result here and 0 / 0 there."""
    both, found = fill(ModuleDict({"z": Linear(WIDTH, WIDTH)}), {"z.weight": w[0]}), g.edges.flip(0)
    module = sys.modules["torch_geometric.nn.unpool.knn_interpolate"]

    def run():
        with patch.object(module, "knn", lambda *_, **__: found):
            return nn.unpool.knn_interpolate(both["z"](g.x), g.pos, g.pos).nan_to_num()

    return both, run


def spline(w, g):
    """Their two functions come from the compiled package that they had before pyg_lib."""
    module = "torch_geometric.nn.conv.spline_conv"
    theirs = lambda: patch.multiple(module, spline_basis=spline_basis, spline_weighting=spline_weighting)
    with theirs():
        layer = nn.SplineConv(WIDTH, 4, dim=2, kernel_size=[3, 4], degree=2)
    kernels = torch.stack([kernel.t() for kernel in w[:12]])
    fill(layer, {"weight": kernels, "lin.weight": w[12], "bias": w[13]})

    def run():
        with theirs():
            return layer(g.x, g.edges, pseudo(g))

    return layer, run


def pseudo(g):
    """Pseudo-coordinates of the edges."""
    return (g.feat + 1) / 2


def bases(nlog, g):
    """Facts of the B-splines, as nlog makes them."""
    values = zip(pseudo(g).tolist(), g.edges.t().tolist())
    stated = "\n".join(f"<{value}> pseudo(n{j},n{i})." for value, (j, i) in values)
    command = [nlog, "data", "bspline", "-", "--kernels", "3,4", "--degree", "2"]
    return subprocess.run(command, input=stated, check=True, capture_output=True, text=True).stdout + "\n"


def dna_groups(w, g):
    layer = nn.DNAConv(WIDTH, heads=1, groups=3)
    parts = {"lin_q": w[:4], "lin_k": w[4:8], "lin_v": w[8:]}
    named = {f"multi_head.{n}.weight": torch.cat(p[:3]) for n, p in parts.items()}
    fill(layer, named | {f"multi_head.{n}.bias": p[3] for n, p in parts.items()})
    return layer, lambda: layer(torch.stack([g.x, g.y], 1), *parallel(g))


def gru_aggregation(w, g):
    """PyTorch's second biases stay zero, but for that behind the reset gate."""
    layer = nn.GRUAggregation(WIDTH, 4)
    (r, z, turn, n) = (w[:3], w[3:6], w[6:8], w[8:])
    named = {"weight_ih_l0": [r[0], z[0], n[0]], "weight_hh_l0": [r[1], z[1], turn[0]], "bias_ih_l0": [r[2], z[2], n[1]]}
    named["bias_hh_l0"] = [torch.zeros(8, 1), turn[1]]
    fill(layer, {f"gru.{name}": torch.cat(p) for name, p in named.items()})
    learned = torch.cat([torch.zeros(8), torch.ones(4)])
    layer.gru.bias_hh_l0.register_hook(lambda gradient: gradient * learned)
    return layer, lambda: layer(g.x, one(g))


def lstm_aggregation(w, g):
    layer = nn.LSTMAggregation(WIDTH, 4)
    gates = [w[3 * k : 3 * k + 3] for k in range(4)]
    # Here input, forget, output, fresh; `lstm` reads forget, input, output, fresh.
    fill(layer, lstm("lstm", [gates[k] for k in (1, 0, 2, 3)]))
    return layer, lambda: layer(g.x, one(g))


def waves(_, g):
    """Theirs has all sines before all cosines, and waves of base^(m/(n-1)), m < n, where ours are base^(-m/n)."""
    layer, order = nn.PositionalEncoding(6), [0, 3, 1, 4, 2, 5]
    return layer, lambda: layer(torch.arange(NODES).double())[:, order]


def heads(w):
    """Parameters of torch's attention: matrices and biases of queries, keys, values and the last map."""
    named = {"in_proj_weight": torch.cat(w[0:6:2]), "in_proj_bias": torch.cat(w[1:6:2])}
    return named | {"out_proj.weight": w[6], "out_proj.bias": w[7]}


def mha(w, g):
    layer = fill(torch.nn.MultiheadAttention(WIDTH, 3, batch_first=True), heads(w))
    return layer, lambda: layer(g.x, g.y, g.y, need_weights=False)[0]


def fresh_norms(names):
    """Gains and shifts of norms before they have learned."""
    return {f"{n}.weight": torch.ones(WIDTH) for n in names} | {f"{n}.bias": torch.zeros(WIDTH) for n in names}


def decoder(first, masked):
    """Of PyTorch. The nodes come one after the other; what they hear is y of all, or of those with an edge to them and of
    their own."""

    def build(w, g):
        sizes = dict(dropout=0.0, layer_norm_eps=1e-10, batch_first=True, norm_first=first)
        layer = torch.nn.TransformerDecoderLayer(WIDTH, 3, 5, **sizes)
        named = {f"self_attn.{name}": p for name, p in heads(w[:8]).items()}
        named |= {f"multihead_attn.{name}": p for name, p in heads(w[8:16]).items()}
        named |= dict(zip(["linear1.weight", "linear1.bias", "linear2.weight", "linear2.bias"], w[16:]))
        fill(layer, named | fresh_norms(["norm1", "norm2", "norm3"]))
        later = torch.ones(NODES, NODES).triu(1).bool()
        hidden = torch.ones(NODES, NODES).bool()
        hidden[g.edges[1], g.edges[0]] = False
        hidden &= ~torch.eye(NODES).bool()
        x, y = g.x.unsqueeze(0), g.y.unsqueeze(0)
        return layer, lambda: layer(x, y, tgt_mask=later, memory_mask=hidden if masked else None)[0]

    return build


def encoder(w, g):
    """Of PyTorch, as GPSConv and others have it inside."""
    layer = torch.nn.TransformerEncoderLayer(WIDTH, 3, 5, dropout=0.0, layer_norm_eps=1e-10, batch_first=True)
    named = {f"self_attn.{name}": p for name, p in heads(w).items()}
    named |= dict(zip(["linear1.weight", "linear1.bias", "linear2.weight", "linear2.bias"], w[8:]))
    fill(layer, named | fresh_norms(["norm1", "norm2"]))
    return layer, lambda: layer(g.x.unsqueeze(0))[0]


def rmsnorm(w, g):
    both = ModuleDict({"map": Linear(WIDTH, 4), "norm": torch.nn.RMSNorm(4, eps=1e-8)})
    fill(both, {"map.weight": w[0], "norm.weight": torch.ones(4)})
    return both, lambda: both["norm"](both["map"](g.x))


MIRROR = "".join(f"perm(n{n},n{NODES - 1 - n}). " for n in range(NODES))
CHAIN = "".join(f"order(n{n},n{n + 1}). " for n in range(NODES - 1))
LAST = f"h :- state(n{NODES - 1}). {PLAIN} h/0 {PLAIN}\n"
THREE = "".join(f"cluster(n{n},c{n % 3}). " for n in range(NODES))
PLACES = "".join(f"<[0,0,0,0,0,0]> site({n}). at(n{n},{n}). " for n in range(NODES))
TURN = "".join(f"at(n{n},{n}). " for n in range(NODES)) + f"told(T) :- x(I), *at(I,T). {PLAIN} told/1 {PLAIN}\n"
BACK = f"h(I) :- made(T), *at(I,T). {PLAIN} h/1 {PLAIN}\n"
LINKS = f"h(I) :- tanh(link(_,I)). [transformation=identity, aggregation=sum] h/1 {PLAIN}\n"
TURNS = (
    "@use reconstruction_loss(z, r0, r1, rebuilt).\n"
    "@use arga(z, y, real, fake, 3, units = {5, 4}, discriminate = discriminate, deceive = deceive).\n"
)

MODELS = [
    Case(
        "DGI, states and both logits",
        "generative/dgi",
        MIRROR + "@use dgi(x, edge, perm, state, pos, neg, 3, 4).\n"
        f"h(I) :- state(I), pos(I), neg(I). [combination=concat, transformation=identity] h/1 {PLAIN}\n",
        dgi,
        width=6,
    ),
    Case(
        "DGI, its loss",
        "generative/dgi",
        MIRROR + "@use dgi(x, edge, perm, state, pos, neg, 3, 4, loss = loss).\n",
        dgi_loss,
        losses=("loss",),
    ),
    Case(
        "GAE, links",
        "generative/gae",
        "@use gae(x, edge, z, link, 3, 4, 3, pair = edge).\n" + LINKS,
        gae,
        width=1,
        rest=True,
    ),
    Case(
        "VGAE, links and divergence",
        "generative/gae",
        "@use vgae(x, edge, y, mu, z, link, kl, 3, 4, 3, pair = edge).\n"
        f"links :- tanh(link(_,_)). [transformation=identity, aggregation=sum] links/0 {PLAIN}\n"
        f"h :- links, kl. [combination=concat, transformation=identity] h/0 {PLAIN}\n",
        vgae,
        width=2,
        whole=True,
        rate=0.005,
    ),
    Case(
        "VGAE, its loss",
        "generative/gae",
        "@use vgae(x, edge, y, mu, z, link, kl, 3, 4, 3, pair = edge). @use reconstruction_loss(z, r0, r1, rebuilt).\n"
        f"loss :- rebuilt, <{1 / NODES!r}> kl. {PLAIN} loss/0 {PLAIN}\n",
        vgae_loss,
        losses=("loss",),
    ),
    Case(
        "ARGA, three losses in turn",
        "generative/gae generative/arga",
        "@use gae(x, edge, z, link, 3, 4, 3, pair = edge).\n" + TURNS,
        adversaries(nn.ARGA, 1),
        losses=("rebuilt", "discriminate", "deceive"),
    ),
    Case(
        "ARGVA, three losses in turn",
        "generative/gae generative/arga",
        "@use vgae(x, edge, y, mu, z, link, kl, 3, 4, 3, pair = edge).\n" + TURNS,
        adversaries(nn.ARGVA, 2),
        losses=("rebuilt", "discriminate", "deceive"),
    ),
    Case(
        "Top-k pooling, least score",
        "pool/topk",
        "@use least_score(x, edge, h, keep, link, 3, 0.08).",
        least_score,
        width=3,
    ),
    Case(
        "Clusters, mean, and their edges",
        "pool/cluster",
        linear("z", 3) + THREE + "@use cluster_pool(z, cluster, state).\n"
        "@use cluster_edges(strength, cluster, link, weighted = 1).\n"
        f"seen(D) :- tanh(link(_,D)). [transformation=identity, aggregation=sum] seen/1 {PLAIN}\n"
        f"h(I) :- state(C), seen(C), *cluster(I,C). [combination=concat, transformation=identity] h/1 {PLAIN}\n",
        clusters,
    ),
    Case(
        "Clusters, maximum",
        "pool/cluster",
        linear("z", 3) + THREE + "@use cluster_pool(z, cluster, state, agg = max).\n"
        f"h(I) :- state(C), *cluster(I,C). {PLAIN} h/1 {PLAIN}\n",
        cluster_max,
        width=3,
    ),
    Case("Meta-paths joined, as in HAN", "gnn/magnn", "@use magnn_join({x, y}, h, 3, 3).", metapaths, width=3),
    Case("SIGN, k = 2", "gnn/sign", "@use sign(x, edge, h, 3, 5, 4, bias = 1).", sign(lambda g: (g.edges, None))),
    Case(
        "SIGN, k = 2, parallel edges and loops",
        "gnn/sign",
        JOINED + "@use sign(x, link, h, 3, 5, 4, weighted = 1, bias = 1).",
        sign(doubled),
        facts=strands(doubled),
    ),
    Case(
        "MPNN, 2 towers",
        "gnn/mpnn",
        "@use mpnn(x, edge, h, 3, 4, towers = 2, message = 3, bias = 1).",
        pna(["sum"], ["identity"], 2),
    ),
    Case(
        "DNA, 3 groups, parallel edges",
        "depth/dna",
        JOINED + "@use dna({x, y}, link, h, 3, groups = 3, weighted = 1).",
        dna_groups,
        width=3,
        facts=strands(parallel),
    ),
    Case("PointNet", "points/pointnet", "@use pointnet(x, h, 3, {5, 4}).", pointnet, whole=True),
    Case(
        "PointNet++, interpolation",
        "points/pointnet2",
        linear("z", 3) + "@use interpolate(edge, pos, z, h).",
        interpolation,
        width=3,
        rest=True,
    ),
    Case(
        "GRU over all nodes",
        "seq/recurrent",
        CHAIN + "@use gru(x, state, 3, 4, order = order, compat = pynl, bias = 1).\n" + LAST,
        gru_aggregation,
        whole=True,
    ),
    Case(
        "LSTM over all nodes",
        "seq/recurrent",
        CHAIN + "@use lstm(x, state, 3, 4, order = order, bias = 1).\n" + LAST,
        lstm_aggregation,
        whole=True,
    ),
    Case(
        "Positional encoding",
        "seq/position",
        PLACES + f"@use position(site, code, 6, base = 1000000). h(I) :- code(P), *at(I,P). {PLAIN} h/1 {PLAIN}\n",
        waves,
        width=6,
    ),
    Case("Attention, 3 heads, bias", "seq/attention", "@use mha(x, y, y, h, 3, 3, bias = 1).", mha, width=3),
    Case("Transformer, encoder", "seq/transformer", "@use encoder(x, h, 3, 3, 5, attbias = 1).", encoder, width=3),
    Case(
        "Transformer, decoder",
        "seq/transformer",
        TURN + f"@use decoder(told, y, made, 3, 3, 5, attbias = 1). {BACK}",
        decoder(False, False),
        width=3,
    ),
    Case(
        "Transformer, decoder, norms first, masked",
        "seq/transformer",
        TURN + "heard(T,I) :- *at(I,T). heard(T,J) :- *edge(J,I), *at(I,T).\n"
        f"@use decoder(told, y, made, 3, 3, 5, mask = heard, place = pre, attbias = 1). {BACK}",
        decoder(True, True),
        width=3,
    ),
    Case("RMSNorm", "nn/norm", linear("z", 4) + "@use rmsnorm(z, h, 4).", rmsnorm),
]

if spline_basis is not None:
    MODELS.append(
        Case(
            "SplineConv, degree 2",
            "points/spline",
            "@use spline(x, basis, edge, h, 3, 4, 12, act = identity).",
            spline,
            facts=bases,
        )
    )
