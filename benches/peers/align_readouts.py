"""What joins layers, reads out, pools, normalises and scores, for align.py (see align_layers.py)."""

import torch
from torch.nn import Linear, ModuleDict
from torch_geometric import nn
from torch_geometric.nn import kge

from align_layers import WIDTH, Case, fill, lstm


def triples(w):
    """Triples of three."""
    return [w[k : k + 3] for k in range(0, len(w), 3)]


def jk(mode):
    def build(_, g):
        layer = nn.JumpingKnowledge(mode)
        return layer, lambda: layer([g.x, g.y])

    return build


def jk_lstm(w, g):
    layer = nn.JumpingKnowledge("lstm", channels=WIDTH, num_layers=2)
    named = {**lstm("lstm", triples(w[:12])), **lstm("lstm", triples(w[12:24]), "_reverse")}
    fill(layer, named | {"att.weight": torch.cat([w[24], w[25]], 1)})
    return layer, lambda: layer([g.x, g.y])


def one(g):
    """All nodes are of one graph."""
    return torch.zeros(len(g.x), dtype=torch.long)


def readouts(_, g):
    layer = nn.MultiAggregation(["mean", "max", "sum", "min"])
    return layer, lambda: layer(g.x, one(g))


def attention(w, g):
    layer = nn.AttentionalAggregation(Linear(WIDTH, 4), Linear(WIDTH, 4))
    fill(layer, {"gate_nn.weight": w[0], "nn.weight": w[1], "gate_nn.bias": w[2], "nn.bias": w[3]})
    return layer, lambda: layer(g.x, one(g))


def set2set(w, g):
    """The matrix for q_{t-1} that they have beside that for q* stays zero."""
    layer = nn.Set2Set(WIDTH, processing_steps=3)
    gates = [(w[2 * k], None, w[2 * k + 1]) for k in range(4)]
    fill(layer, lstm("lstm", gates))
    return layer, lambda: layer(g.x, one(g))


def topk(w, g):
    layer = fill(nn.TopKPooling(WIDTH, ratio=0.4), {"select.weight": w[0]})

    def run():
        x, _, _, _, kept, _ = layer(g.x, g.edges)
        return torch.zeros_like(g.x).index_copy(0, kept, x)

    return layer, run


def sag(w, g):
    layer = nn.SAGPooling(WIDTH, ratio=0.5, GNN=nn.GCNConv)
    fill(layer, {"gnn.lin.weight": w[0], "gnn.bias": w[1], "select.weight": torch.ones(1)})
    layer.select.weight.requires_grad_(False)  # only its sign counts

    def run():
        x, _, _, _, kept, _ = layer(g.x, g.edges)
        return torch.zeros_like(g.x).index_copy(0, kept, x)

    return layer, run


def diffpool(w, g):
    maps = fill(ModuleDict({"z": Linear(WIDTH, WIDTH), "s": Linear(WIDTH, 2)}), {"z.weight": w[0], "s.weight": w[1]})
    adjacency = torch.zeros(len(g.x), len(g.x))
    adjacency[g.edges[0], g.edges[1]] = g.strength

    def run():
        h, links, link_loss, entropy = nn.dense_diff_pool(maps["z"](g.x), adjacency, maps["s"](g.x), normalize=True)
        return torch.cat([h[0].tanh().sum(0), links.tanh().sum().view(1), link_loss.view(1), entropy.view(1)]).view(1, -1)

    return maps, run


MOMENTS = [0.1, -0.2, 0.3, 0.0], [0.5, 1.5, 1.0, 0.25]


def normed(make, constants=(), inside=""):
    """A linear map, then a normalisation that begins with factors 1 and offsets 0."""

    def build(w, g):
        both = ModuleDict({"map": Linear(WIDTH, 4), "norm": make()})
        fill(both, {"map.weight": w[0], f"norm.{inside}weight": torch.ones(4), f"norm.{inside}bias": torch.zeros(4)})
        for name in constants:
            torch.nn.init.ones_(getattr(both["norm"], name))
        return both, lambda: both["norm"](both["map"](g.x))

    return build


def batchnorm_kept(w, g):
    """In evaluation, with its running averages: the moments stated in the template."""
    both = ModuleDict({"map": Linear(WIDTH, 4), "norm": nn.BatchNorm(4)})
    ones = {"norm.module.weight": torch.ones(4), "norm.module.bias": torch.zeros(4)}
    fill(both, {"map.weight": w[0], **ones})
    both["norm"].module.running_mean.copy_(torch.tensor(MOMENTS[0]))
    both["norm"].module.running_var.copy_(torch.tensor(MOMENTS[1]))
    both["norm"].eval()
    return both, lambda: both["norm"](both["map"](g.x))


def mlp(w, g):
    layer = nn.MLP([WIDTH, 5, 4], norm=None)
    names = ["lins.0.weight", "lins.0.bias", "lins.1.weight", "lins.1.bias"]
    fill(layer, dict(zip(names, w)))
    return layer, lambda: layer(g.x)


def reconstruction(w, g):
    layer = fill(nn.GAE(Linear(WIDTH, WIDTH)), {"encoder.weight": w[0]})
    first, second = (g.edges[:, g.kinds == k] for k in (0, 1))
    return layer, lambda: layer.recon_loss(layer.encode(g.x), first, second).view(1, 1)


def divergence(w, g):
    maps = ModuleDict({"mu": Linear(WIDTH, WIDTH), "logstd": Linear(WIDTH, WIDTH)})
    fill(maps, {"mu.weight": w[0], "logstd.weight": w[1]})
    kl = nn.VGAE(None).kl_loss
    return maps, lambda: kl(maps["mu"](g.x), maps["logstd"](g.x)).view(1, 1)


NODES = 12


def scores(make, split):
    """Scores of the typed edges, a sum of their tanh at each target. `split` gives parameters by the rows of entities and
    relations."""

    def build(w, g):
        model = make(NODES, 2, WIDTH)
        rows = lambda part: torch.cat([v.t() for v in part])
        fill(model, split(rows(w[:NODES]), rows(w[NODES : NODES + 2])))

        def run():
            heads, tails = g.edges
            values = model(heads, g.kinds, tails).tanh().view(-1, 1)
            return torch.zeros(NODES, 1).index_add(0, tails, values)

        return model, run

    return build


def real(entities, relations):
    return {"node_emb.weight": entities, "rel_emb.weight": relations}


def halves(entities, relations):
    (re, im), (rel_re, rel_im) = entities.chunk(2, 1), relations.chunk(2, 1)
    return {"node_emb.weight": re, "node_emb_im.weight": im, "rel_emb.weight": rel_re, "rel_emb_im.weight": rel_im}


def angles(entities, relations):
    re, im = entities.chunk(2, 1)
    return {"node_emb.weight": re, "node_emb_im.weight": im, "rel_emb.weight": relations}


def embedded(entity, relation):
    """Learned embeddings of the nodes and of two relations, and what becomes of their scores."""
    facts = [f"{{{entity}}} entity(n{n})." for n in range(NODES)] + [f"{{{relation}}} relation(r{r})." for r in range(2)]
    sums = "h(I) :- tanh(score(_,_,I)). [transformation=identity, aggregation=sum] h/1 [transformation=identity]\n"
    return "\n".join(facts) + "\n" + sums


def linear(name, rows):
    return f"{{{rows},3}} {name}(I) :- x(I). [transformation=identity] {name}/1 [transformation=identity]\n"


READOUTS = [
    Case("JK, concatenation", "depth/jk", "@use jk_concat({x, y}, h).", jk("cat"), width=6),
    Case("JK, maximum", "depth/jk", "@use jk_max({x, y}, h).", jk("max"), width=3),
    Case("JK, LSTM", "depth/jk", "@use jk_lstm({x, y}, h, 3).", jk_lstm, width=3),
    Case("Readouts: mean, max, sum, min", "pool/readout", "@use readouts(x, h, {avg, max, sum, min}).", readouts, 12, whole=True),
    Case(
        "Attention readout",
        "pool/attention_readout",
        "@use attention_readout(x, h, 3, 4, channels = 4).",
        attention,
        whole=True,
    ),
    Case("Set2Set, 3 steps", "pool/set2set", "@use set2set(x, h, 3).", set2set, width=6, whole=True),
    Case("Top-k pooling", "pool/topk", "@use topk(x, edge, h, keep, link, 3, ratio = 0.4).", topk, width=3),
    Case(
        "Self-attention pooling",
        "gnn/gcn pool/topk",
        "@use gcn(x, edge, score, 3, 1, act = identity, bias = 1). @use topk_by(x, score, edge, h, keep, link).",
        sag,
        width=3,
    ),
    Case(
        "DiffPool with both losses",
        "pool/diffpool",
        linear("z", 3) + linear("s", 2) + "@use diffpool(z, s, strength, state, link, 2, weighted = 1, link_loss = far,"
        " scaled = 1, entropy = mixed).\n"
        "states :- tanh(state(_)). [transformation=identity, aggregation=sum] states/0 [transformation=identity]\n"
        "links :- tanh(link(_,_)). [transformation=identity, aggregation=sum] links/0 [transformation=identity]\n"
        "h :- states, links, far, mixed. [combination=concat, transformation=identity] h/0 [transformation=identity]\n",
        diffpool,
        width=6,
        whole=True,
    ),
    Case(
        "LayerNorm of a node",
        "nn/norm",
        linear("z", 4) + "@use layernorm(z, h, 4).",
        normed(lambda: nn.LayerNorm(4, eps=1e-10, mode="node")),
    ),
    Case(
        "InstanceNorm",
        "nn/norm",
        linear("z", 4) + "@use instancenorm(z, h, 4).",
        normed(lambda: nn.InstanceNorm(4, affine=True)),
    ),
    Case(
        "GraphNorm, mean scale 1",
        "nn/norm",
        linear("z", 4) + "@use instancenorm(z, h, 4).",
        normed(lambda: nn.GraphNorm(4), ["mean_scale"]),
    ),
    Case(
        "BatchNorm, training",
        "nn/norm",
        linear("z", 4) + "@use batchnorm(z, h, 4).",
        normed(lambda: nn.BatchNorm(4), inside="module."),
    ),
    Case(
        "BatchNorm, given moments",
        "nn/norm",
        linear("z", 4) + f"<{MOMENTS[0]}> mu. <{MOMENTS[1]}> sigma. @use batchnorm(z, h, 4, mean = mu, variance = sigma).",
        batchnorm_kept,
    ),
    Case("MLP", "nn/mlp", "@use mlp(x, h, {3, 5, 4}, relu, identity, bias = 1).", mlp),
    Case(
        "GAE, error of a reconstruction",
        "generative/gae",
        linear("z", 3) + "@use reconstruction_loss(z, r0, r1, h).",
        reconstruction,
        width=1,
        whole=True,
    ),
    Case(
        "VGAE, divergence",
        "generative/gae",
        linear("mu", 3) + linear("logstd", 3) + "@use gauss_kl(mu, logstd, h, 3).",
        divergence,
        width=1,
        whole=True,
    ),
    Case(
        "DistMult",
        "kb/distmult",
        embedded(3, 3) + "@use distmult(entity, relation, score, asked = typed).",
        scores(kge.DistMult, real),
        width=1,
        rest=True,
    ),
    Case(
        "ComplEx",
        "kb/complex",
        embedded(6, 6) + "@use complex(entity, relation, score, 3, asked = typed).",
        scores(kge.ComplEx, halves),
        width=1,
        rest=True,
    ),
    Case(
        "RotatE, norm = 2",
        "kb/rotate",
        embedded(6, 3) + "@use rotate(entity, relation, score, 3, norm = 2, margin = 1, asked = typed).",
        scores(kge.RotatE, angles),
        width=1,
        rest=True,
    ),
    Case(
        "TransE, norm = 2, normalised entities",
        "kb/transe",
        embedded(3, 3) + "unit(X) :- entity(X). [transformation=identity] unit/1 [transformation=l2norm]\n"
        "@use transe(unit, relation, score, 3, norm = 2, asked = typed).",
        scores(lambda *sizes: kge.TransE(*sizes, p_norm=2.0), real),
        width=1,
        rest=True,
    ),
]
