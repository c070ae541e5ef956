"""Table 5: the smallest program, from start to end of its first epoch, against NeuraLogic."""

import subprocess
import time

import templates
from contenders import Failed, Nlog, Worker, in_turn, ratio, seconds, show

FACTS = "0 xor :- <[0,0]> input.\n1 xor :- <[0,1]> input.\n1 xor :- <[1,0]> input.\n0 xor :- <[1,1]> input.\n"


def run(bench) -> None:
    """Equal results first, then whole processes in turn."""
    text = templates.template("xor")
    weights = templates.draw(text)
    plain, filled, data = (bench.folder / name for name in ("xor.lrnn", "xor_weights.lrnn", "xor.txt"))
    plain.write_text(text)
    filled.write_text(templates.with_weights(text, weights))
    data.write_text(FACTS)
    print(f"\n## xor: 4 samples, {templates.count(weights)} parameters")

    ours = Nlog(bench.binary, bench.folder, plain, "--examples", data, *bench.threads())
    memory = ours.run(1)["memory"]["peak_mb"]
    turns = {"nlog": lambda: ours.run(1)["wall"]}
    used = None
    if bench.have("neuralogic"):
        used = check(bench, Nlog(bench.binary, bench.folder, filled, "--examples", data), plain, data, weights)
        if used:
            turns["package"] = lambda: package(bench, plain, data)["wall"]
            turns["jar"] = lambda: jar(bench, plain, data)
    took = in_turn(turns, 3 if bench.options.quick else 10)
    mine = took["nlog"]
    rows = [
        ["nlog", seconds(mine), f"{memory:.0f} MiB"],
        ["NeuraLogic, its Python package", ratio(mine, took.get("package")), f"{used:.0f} MiB" if used else "-"],
        ["NeuraLogic, its own command line", ratio(mine, took.get("jar")), "-"],
    ]
    show("xor, one epoch, the whole process", ["", "seconds", "peak memory"], rows)


def package(bench, template, data, weights=None) -> dict:
    """A new process of the package until its first epoch ended; with weights, its outputs before that."""
    worker = Worker(bench.python, "neuralogic_worker", bench.folder)
    try:
        worker.ask("build", template=str(template), examples=str(data), functions="tanh")
        outputs = None
        if weights:
            worker.ask("load", weights=weights)
            outputs = worker.ask("outputs")["outputs"]
        return {**worker.ask("epochs", budget=0, least=1), "outputs": outputs}
    finally:
        worker.close()


def check(bench, ours, template, data, weights) -> float | None:
    """Equal outputs for equal weights; the package's peak memory, None if it fails."""
    try:
        said = package(bench, template, data, weights)
    except Failed as reason:
        print(f"neuralogic: {reason}")
        return None
    bench.checks.equal("NeuraLogic, outputs", ours.run(0, predictions=True)["outputs"], said["outputs"])
    return said["peak_mb"]


def jar(bench, template, data) -> float:
    """The jar that the package brings, run by itself for one epoch."""
    find = "import neuralogic,os;print(os.path.join(os.path.dirname(neuralogic.__file__),'jar','NeuraLogic.jar'))"
    path = subprocess.run([str(bench.python), "-c", find], capture_output=True, text=True).stdout.strip()
    command = ["java", "-jar", path, "-t", str(template), "-e", str(data), "-ts", "1", "-out", str(bench.folder / "out")]
    start = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, cwd=bench.folder)
    wall = time.perf_counter() - start
    if done.returncode != 0:
        raise Failed(done.stdout[-500:] + done.stderr[-500:])
    return wall
