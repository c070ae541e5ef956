"""Table 4: grounding of `path` over a random cyclic graph, against clingo, DuckDB and, on demand, NeuraLogic."""

import datasets
import templates
from contenders import Failed, Nlog, Worker, in_turn, ratio, seconds, show

SET = "path_dig_1000_5000"


def run(bench) -> None:
    """Counts first, then times in turn."""
    folder = bench.data / SET
    table, examples, queries = folder / "edge.csv", folder / "examples.txt", folder / "queries.txt"
    datasets.need(table, examples, queries)
    edges = bench.folder / "edge.csv"
    # Without the row of names that the file may have.
    lines = [line for line in table.read_text().splitlines() if line.replace(",", "").isdigit()]
    edges.write_text("\n".join(lines) + "\n")
    template = bench.folder / "path.lrnn"
    template.write_text(templates.template("path"))

    common = ["--examples", examples, "--queries", queries, "--semiring", "bool", *bench.threads()]
    ours = Nlog(bench.binary, bench.folder, template, *common)
    report = ours.run()
    # nlog counts the given facts among the facts and the instances of both rules.
    facts, instances = report["ground"]["facts"] - len(lines), report["ground"]["rules"]
    print(f"\n## path on {SET}: {len(lines)} edges, {facts} derived facts, {instances} instances of rules")

    turns = {"nlog": lambda: ours.run()["time"]["ground"]}
    memory = {"nlog": report["memory"]["peak_mb"]}
    workers = {}
    for peer in ("clingo", "duckdb"):
        if bench.have(peer):
            workers[peer] = Worker(bench.python, "path_worker", bench.folder)
            arguments = {"threads": 1} if peer == "duckdb" else {}
            ask = lambda peer=peer, arguments=arguments: workers[peer].ask(peer, file=str(edges), **arguments)
            if not check(bench, peer, ask, memory, facts, instances):
                continue
            turns[peer] = lambda ask=ask: ask()["seconds"]
    took = in_turn(turns, bench.rounds)
    if bench.options.slow and bench.have("neuralogic"):
        took["neuralogic"] = reference(bench, template, examples, queries, memory)
    for worker in workers.values():
        worker.close()
    mine = took["nlog"]
    rows = [["nlog", seconds(mine), f"{memory['nlog']:.0f} MiB"]]
    for peer, name in [("clingo", "clingo"), ("duckdb", "DuckDB, 1 thread"), ("neuralogic", "NeuraLogic (once)")]:
        used = memory.get(peer)
        rows.append([name, ratio(mine, took.get(peer)), f"{used:.0f} MiB" if used else "-"])
    show(f"Grounding, {SET}", ["", "seconds", "peak memory"], rows)


def check(bench, peer, ask, memory, facts, instances) -> bool:
    """The same counts; and whether the peer works at all."""
    try:
        said = ask()
    except Failed as reason:
        print(f"{peer}: {reason}")
        return False
    memory[peer] = said["peak_mb"]
    bench.checks.equal(f"{peer}, derived facts", [facts], [said["facts"]], 0)
    if "instances" in said:
        bench.checks.equal(f"{peer}, instances", [instances], [said["instances"]], 0)
    return True


def reference(bench, template, examples, queries, memory) -> float | None:
    """NeuraLogic's seconds, once: it takes minutes."""
    worker = Worker(bench.python, "neuralogic_worker", bench.folder)
    try:
        files = dict(template=str(template), examples=str(examples), queries=str(queries))
        said = worker.ask("ground", memory=bench.memory(), **files)
        memory["neuralogic"] = said["peak_mb"]
        return said["seconds"]
    except Failed as reason:
        print(f"neuralogic: {reason}")
        return None
    finally:
        worker.close()
