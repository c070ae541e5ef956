"""Table 3: a two-layer GCN on the citation graph Cora, full batch, against PyTorch Geometric and sparse PyTorch."""

import json
import math
from statistics import median

import datasets
import templates
from contenders import Failed, Nlog, Worker, in_turn, ratio, seconds, show

FORMS = {"geometric": "PyG", "dense": "torch, sparse adjacency", "sparse": "torch, sparse adjacency and features"}


def run(bench) -> None:
    """Equal results first, then epochs in turn."""
    cora = datasets.cora(bench.data / "Cora")
    graph = bench.folder / "cora.json"
    graph.write_text(json.dumps(cora))
    words = "".join(f"$e{w}={{16}} embed(w{w}) :- vocab(w{w}).\n" for w in range(cora["words"]))
    text = templates.template("cora", above=words)
    weights = templates.draw(text)
    template, data = bench.folder / "cora.lrnn", bench.folder / "cora.db"
    template.write_text(templates.with_weights(text, weights))
    data.write_text(facts(cora))
    labelled = len(cora["targets"])
    print(f"\n## Cora: {cora['papers']} papers, {labelled} of them labelled, {templates.count(weights)} parameters")

    ours = Nlog(
        *(bench.binary, bench.folder, template, data, "--loss", "crossentropy", "--batch", "all", "--lift", "all"),
        *("--rule-activation", "identity", "--atom-activation", "identity", *bench.threads()),
    )
    turns = {"nlog": lambda: ours.turn(bench.budget)}
    worker = start(bench, graph, weights)
    forms = [f for f in FORMS if f != "geometric" or bench.have("torch_geometric")] if worker else []
    if worker:
        check(bench, ours, worker, forms, weights)
        for form in forms:
            turns[form] = turn(bench, worker, form)
    took = in_turn(turns, bench.rounds)
    memory = ours.run(1)["memory"]["peak_mb"]
    if worker:
        worker.close()
    rows = [["nlog", seconds(took["nlog"])]]
    rows += [[name, ratio(took["nlog"], took.get(form))] for form, name in FORMS.items()]
    show(f"Cora, full batch; nlog's peak memory {memory:.0f} MiB", ["", "an epoch"], rows)


def facts(cora) -> str:
    """The graph as facts: words, edges with loops, the factor of each paper, a vector target for each labelled one."""
    edges = [*cora["edges"], *((n, n) for n in range(cora["papers"]))]
    degree = [0] * cora["papers"]
    for a, _ in edges:
        degree[a] += 1
    lines = [f"vocab(w{w})." for w in range(cora["words"])]
    lines += [f"word(n{n},w{w})." for n, words in enumerate(cora["features"]) for w in words]
    lines += [f"link(n{a},n{b})." for a, b in edges]
    lines += [f"<{1 / math.sqrt(d)!r}> scale(n{n})." for n, d in enumerate(degree)]
    classes = 1 + max(c for _, c in cora["targets"])
    for n, c in cora["targets"]:
        lines.append(f"?- [{','.join('1' if k == c else '0' for k in range(classes))}] label(n{n}).")
    return "\n".join(lines) + "\n"


def start(bench, graph, weights):
    """The worker of all forms, None without torch."""
    if not bench.have("torch"):
        return None
    first = [[row[0] for row in weights[f"e{w}"]] for w in range(len(weights) - 1)]
    second = [list(column) for column in zip(*weights["out"])]
    worker = Worker(bench.python, "cora_worker", bench.folder)
    try:
        worker.ask("build", graph=str(graph), first=first, second=second)
        return worker
    except Failed as reason:
        print(f"torch: {reason}")
        worker.close()
        return None


def turn(bench, worker, form):
    """A turn of one form with one thread and with all; the faster counts."""
    counts = sorted({1, bench.options.threads})

    def once():
        ask = lambda threads: worker.ask("epochs", form=form, budget=bench.budget / len(counts), threads=threads)
        return min(median(ask(threads)["seconds"]) for threads in counts)

    return once


def check(bench, ours, worker, forms, weights) -> None:
    """Equal probabilities for equal weights, and equal losses of some steps of Adam."""
    steps = 5
    answers = ours.run(0, predictions=True)["outputs"]
    report = ours.run(steps, extra=("--lr", "0.01"))
    losses = [epoch["online_error"] for epoch in report["train"]["history"]]
    print("Equal weights:")
    for form in forms:
        try:
            got = worker.ask("outputs", form=form, steps=steps, rate=0.01)
        except Failed as reason:
            print(f"{FORMS[form]}: {reason}")
            continue
        assert got["parameters"] == templates.count(weights), got["parameters"]
        bench.checks.equal(f"{FORMS[form]}, outputs", answers, got["outputs"])
        bench.checks.equal(f"{FORMS[form]}, losses of {steps} steps of Adam", losses, got["losses"])
