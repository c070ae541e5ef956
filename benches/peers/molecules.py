"""Table 1: graph neural networks on molecules, against NeuraLogic, PyTorch Geometric and PyTorch with sparse matrices."""

import json
from statistics import median

import datasets
import templates
from contenders import Failed, Nlog, Worker, difference, in_turn, ratio, seconds, show

# Molecules on which NeuraLogic is also built without lifting, which takes much more time and memory.
FEW = 200


def run(bench) -> None:
    """A pair of tables for each model."""
    data = bench.data / bench.options.set / "trainExamples_onehot.txt"
    graphs = datasets.molecules(data)
    for kind in bench.options.models.lower().split(","):
        file = bench.folder / f"{kind}.json"
        # In the GCN an atom without a bond gets no value, so it is not among those that are averaged; PyTorch would give
        # it zero. The others give every atom a value, its own.
        file.write_text(json.dumps([datasets.bonded(g) for g in graphs] if kind == "gcn" else graphs))
        model(bench, kind, data, file, len(graphs[0]["x"][0]), len(graphs))


def model(bench, kind, data, file, features, size) -> None:
    """One model: equal results first, then epochs in turn."""
    text = templates.template(kind, features)
    weights = templates.draw(text)
    plain, filled = bench.folder / f"{kind}.lrnn", bench.folder / f"{kind}_weights.lrnn"
    plain.write_text(text)
    filled.write_text(templates.with_weights(text, weights))
    print(f"\n## {kind} on {bench.options.set}: {size} molecules, {templates.count(weights)} parameters")

    common = ["--examples", data, "--rule-activation", "identity", "--atom-activation", "identity", *bench.threads()]
    ours = lambda lift, batch: Nlog(bench.binary, bench.folder, filled, *common, "--lift", lift, "--batch", batch)
    first = Nlog(bench.binary, bench.folder, plain, *common).run(1)
    assert first["parameters"]["count"] == templates.count(weights), first["parameters"]["count"]

    theirs = start_reference(bench, plain, data)
    torch = start_torch(bench, file, kind, weights)
    check(bench, ours, theirs, torch, (plain, data), weights)

    turns, budget, own = {}, bench.budget, []
    for batch, lift in [(1, "sample"), (32, "sample"), (128, "sample"), ("all", "all")]:
        turns["nlog", batch] = (lambda run: lambda: run.turn(budget))(ours(lift, batch))
    if theirs:
        bench.warm(lambda: theirs["worker"].ask("epochs", budget=4 * budget))
        turns["neuralogic", 1] = lambda: bench.reference_epoch(theirs["worker"], own)
    if torch:
        forms = ["csr"] + (["loader", "made"] if bench.have("torch_geometric") else [])
        for form in forms:
            for batch in [1, 32, 128, "all"]:
                if (form, batch) in [("csr", 1), ("loader", 1), ("loader", "all")]:
                    continue
                turns[form, batch] = torch_turn(bench, torch, form, size if batch == "all" else batch)
    took = in_turn(turns, bench.rounds)
    for worker in [torch, theirs and theirs["worker"]]:
        if worker:
            worker.close()

    rows = []
    for batch, name in [(1, "per sample"), (32, "batch 32"), (128, "batch 128"), ("all", "full batch")]:
        mine = took["nlog", batch]
        # Without a DataLoader a batch of one is the sample itself: that column is the faster of the two.
        geometric = took.get(("made", 1)) if batch == 1 else took.get(("loader", batch))
        made = None if batch == 1 else took.get(("made", batch))
        peers = [took.get(("neuralogic", batch)), geometric, made, took.get(("csr", batch))]
        rows.append([name, seconds(mine), *(ratio(mine, peer) for peer in peers)])
    header = ["an epoch", "nlog", "NeuraLogic", "PyG", "PyG, batches made once", "torch CSR, made once"]
    show(f"{kind}, {bench.options.set}", header, rows)
    if own:
        print(f"NeuraLogic's training thread itself: {seconds(median(own))} an epoch, without its garbage collector\n")
    show("Before the epochs", ["", "nlog", "NeuraLogic"], costs(first, theirs))


def costs(first, theirs) -> list:
    """Rows of what comes before the epochs: times of a run of one epoch, and memory."""
    time, build = first["time"], theirs["build"] if theirs else {}
    grounding, building = time["ground"], time["build"] + time["lift"] + time["compile"]
    whole = sum(build[part] for part in ("ground", "build")) if build else None
    rows = [
        ["ground", grounding, build.get("ground")],
        ["build the network", building, build.get("build")],
        ["both", grounding + building, whole],
        ["files to the end of the first epoch", first["wall"], theirs and theirs["first"]],
    ]
    rows = [[name, seconds(ours), ratio(ours, peer)] for name, ours, peer in rows]
    ours, memory = first["memory"]["peak_mb"], theirs and theirs["memory"]
    return [*rows, ["peak memory", f"{ours:.0f} MiB", f"{memory:.0f} MiB ({memory / ours:.3g}x)" if memory else "-"]]


def start_reference(bench, template, data, queries=None, functions="identity"):
    """NeuraLogic with everything built, and the time and memory until its first epoch ended; None where it is not."""
    if not bench.have("neuralogic"):
        return None
    worker = Worker(bench.python, "neuralogic_worker", bench.folder)
    try:
        arguments = dict(template=str(template), examples=str(data), functions=functions, memory=bench.memory())
        build = worker.ask("build", queries=str(queries) if queries else None, **arguments)
        first = worker.ask("epochs", budget=0, least=1)
        return {"worker": worker, "build": build, "first": first["wall"], "memory": first["peak_mb"]}
    except Failed as reason:
        print(f"neuralogic: {reason}")
        worker.close()
        return None


def start_torch(bench, file, kind, weights):
    """The worker of both PyTorch forms, None where there is no torch."""
    if not bench.have("torch"):
        return None
    worker = Worker(bench.python, "molecules_worker", bench.folder)
    try:
        worker.ask("build", graphs=str(file), kind=kind, weights=weights, geometric=bool(bench.have("torch_geometric")))
        return worker
    except Failed as reason:
        print(f"torch: {reason}")
        worker.close()
        return None


def torch_turn(bench, worker, form, batch):
    """A turn of one form and size of batch. Torch is faster with one thread where matrices are small or other processes
    are at work, so it runs with one and with all, and the faster counts; single samples never gain from a second."""
    counts = {1} if batch == 1 else {1, bench.options.threads}

    def turn():
        each = bench.budget / len(counts)
        ask = lambda threads: worker.ask("epochs", form=form, size=batch, budget=each, threads=threads)["seconds"]
        return min(median(ask(threads)) for threads in sorted(counts))

    return turn


def check(bench, ours, theirs, torch, files, weights) -> None:
    """Equal outputs for equal weights, and equal losses of full-batch steps."""
    logits = ours("sample", 1).run(0, predictions=True)["outputs"]
    print("Equal weights:")
    lifted = ours("all", "all").run(0, predictions=True)["outputs"]
    bench.checks.equal("nlog lifted over all molecules, outputs", lifted, logits)
    if theirs:
        check_reference(bench, ours, theirs["worker"], files, weights, logits)
    if torch:
        steps = 5
        report = ours("all", "all").run(steps, extra=("--lr", "0.01"))
        losses = [epoch["online_error"] for epoch in report["train"]["history"]]
        for form, name in [("csr", "torch CSR"), ("made", "PyG")]:
            if form == "made" and not bench.have("torch_geometric"):
                continue
            try:
                got = torch.ask("outputs", form=form, steps=steps, rate=0.01)
            except Failed as reason:
                print(f"{name}: {reason}")
                continue
            assert got["parameters"] == templates.count(weights), got["parameters"]
            bench.checks.equal(f"{name}, outputs", logits, got["outputs"])
            bench.checks.equal(f"{name}, losses of {steps} full-batch steps of Adam", losses, got["losses"])


def check_reference(bench, ours, worker, files, weights, logits) -> None:
    """NeuraLogic's outputs. As it lifts by default, neurons are one if their values were equal under one random draw of
    the weights: zeros of relu among them, which other weights tell apart. So the outputs of the timed network are
    counted where they differ, and the check is made without lifting on the first molecules."""
    template, data = files
    few = bench.folder / "few.txt"
    few.write_text("\n".join(data.read_text().splitlines()[:FEW]) + "\n")
    unlifted = Worker(bench.python, "neuralogic_worker", bench.folder)
    try:
        worker.ask("load", weights=weights)
        got = worker.ask("outputs")["outputs"]
        different = sum(difference([a], [b]) > 1e-6 for a, b in zip(logits, got))
        print(f"  NeuraLogic with its lifting: {different} of {len(got)} outputs differ, see README.md")
        unlifted.ask("build", template=str(template), examples=str(few), lift=False)
        unlifted.ask("load", weights=weights)
        got = unlifted.ask("outputs")["outputs"]
        bench.checks.equal("NeuraLogic without lifting, outputs", logits[:FEW], got)
    except Failed as reason:
        print(f"neuralogic: {reason}")
    finally:
        unlifted.close()
