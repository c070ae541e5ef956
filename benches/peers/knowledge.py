"""Table 2: embeddings of knowledge bases with one big shared example and thousands of queries, against NeuraLogic."""

from statistics import median

import datasets
import templates
from contenders import Failed, Nlog, in_turn, ratio, seconds, show
from molecules import costs, start_reference


def run(bench) -> None:
    """One table a knowledge base, and one of all epochs."""
    epochs = [base(bench, name) for name in bench.options.bases.split(",")]
    show("An epoch, one step a query", ["", "nlog", "NeuraLogic", "its training thread itself"], epochs)


def base(bench, name) -> list:
    """Equal results, the table of what comes before the epochs, and the row of the epochs."""
    folder = bench.data / name
    examples, queries = folder / "examples.txt", folder / "queries.txt"
    datasets.need(examples, queries)
    embeddings = "".join(
        f"$e{k}={{3}} embed_{kind}({constant}) :- {kind}({constant}).\n"
        for k, (kind, constant) in enumerate(datasets.constants(folder / "facts.csv"))
    )
    text = templates.template(name, above=embeddings)
    weights = templates.draw(text)
    plain, filled = bench.folder / f"{name}.lrnn", bench.folder / f"{name}_weights.lrnn"
    plain.write_text(text)
    filled.write_text(templates.with_weights(text, weights))
    print(f"\n## {name}: {templates.count(weights)} parameters, tanh")

    # Chain pruning, which NeuraLogic does unless told otherwise, loses the tanh of neurons of one input; both do it here.
    common = ["--examples", examples, "--queries", queries, "--compat", "neuralogic", *bench.threads()]
    first = Nlog(bench.binary, bench.folder, plain, *common).run(1)
    assert first["parameters"]["count"] == templates.count(weights), first["parameters"]["count"]
    ours = Nlog(bench.binary, bench.folder, filled, *common)
    own = []
    turns = {"nlog": lambda: ours.turn(bench.budget)}
    theirs = start_reference(bench, plain, examples, queries, "tanh")
    if theirs:
        print("Equal weights:")
        try:
            theirs["worker"].ask("load", weights=weights)
            answers = ours.run(0, predictions=True)["outputs"]
            bench.checks.equal("NeuraLogic, outputs", answers, theirs["worker"].ask("outputs")["outputs"])
        except Failed as reason:
            print(f"neuralogic: {reason}")
        bench.warm(lambda: theirs["worker"].ask("epochs", budget=2 * bench.budget, least=2))
        turns["neuralogic"] = lambda: bench.reference_epoch(theirs["worker"], own)
    took = in_turn(turns, bench.rounds)
    if theirs:
        theirs["worker"].close()
    show(f"{name}: before the epochs", ["", "nlog", "NeuraLogic"], costs(first, theirs))
    return [name, seconds(took["nlog"]), ratio(took["nlog"], took.get("neuralogic")), seconds(median(own) if own else None)]
