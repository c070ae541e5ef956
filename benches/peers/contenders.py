"""Contenders of a table, taking turns: `nlog`, a process a turn, and peers, a process that waits between its turns."""

import csv
import json
import subprocess
import time
from pathlib import Path
from statistics import median


class Failed(Exception):
    """A contender could not do what it was asked; the text says why."""


class Nlog:
    """`nlog run` with fixed arguments, measured by its own report."""

    def __init__(self, binary: str, folder: Path, *arguments):
        self.command = [binary, "run", *map(str, arguments), "--quiet"]
        self.folder = folder
        self.epoch = None

    def run(self, epochs: int | None = None, predictions: bool = False, extra: tuple = ()) -> dict:
        """One run: its report, with `wall` (seconds of the process) and, if asked for, `outputs`."""
        report, answers = self.folder / "report.json", self.folder / "answers.csv"
        command = [*self.command, "--report", str(report), *map(str, extra)]
        if epochs is not None:
            # One evaluation at the end: evaluating is no part of an epoch here, but costs time of the run.
            command += ["--epochs", str(epochs), "--eval-every", str(max(epochs, 1))]
        if predictions:
            command += ["--predictions", str(answers)]
        start = time.perf_counter()
        done = subprocess.run(command, capture_output=True, text=True)
        wall = time.perf_counter() - start
        if done.returncode != 0:
            raise Failed(f"{' '.join(command)}\n{done.stderr}")
        result = {**json.loads(report.read_text()), "wall": wall}
        if predictions:
            with answers.open() as rows:
                result["outputs"] = [json.loads(row["output"]) for row in csv.DictReader(rows)]
        return result

    def turn(self, budget: float) -> float:
        """Median seconds of an epoch in a run of about `budget` seconds, of 20 epochs at least."""
        if self.epoch is None:
            self.epoch = self.run(3)["train"]["epoch_seconds_median"]
        epochs = max(20, min(5000, int(budget / self.epoch)))
        self.epoch = self.run(epochs)["train"]["epoch_seconds_median"]
        return self.epoch


class Worker:
    """A peer in a process of its own: a request is a line of JSON, and so is its reply."""

    def __init__(self, python: Path, script: str, folder: Path, **environment):
        import os

        self.started = time.perf_counter()
        self.log = (folder / f"{script}.log").open("w")
        self.process = subprocess.Popen(
            [str(python), str(Path(__file__).parent / "workers" / f"{script}.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.log,
            cwd=folder,
            text=True,
            env={**os.environ, **environment},
        )

    def ask(self, do: str, **arguments) -> dict:
        """Sends a request and waits for its reply; `wall` is the time since the process was started."""
        try:
            self.process.stdin.write(json.dumps({"do": do, **arguments}) + "\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise Failed(f"the process ended while it was asked to {do}; see {self.log.name}")
        reply = json.loads(line)
        if "error" in reply:
            raise Failed(reply["error"])
        return {**reply, "wall": time.perf_counter() - self.started}

    def close(self) -> None:
        """Ends the process by the end of its input."""
        self.process.stdin.close()
        self.process.wait()
        self.log.close()


def in_turn(turns: dict, rounds: int) -> dict:
    """Calls every function of `{name: function}` in each round and returns the medians of what they returned; those
    that fail get None, with the reason printed."""
    seen = {name: [] for name in turns}
    for _ in range(rounds):
        for name, turn in turns.items():
            if seen[name] is None:
                continue
            try:
                seen[name].append(turn())
            except Failed as reason:
                print(f"{name}: {reason}")
                seen[name] = None
    return {name: median(values) if values else None for name, values in seen.items()}


def difference(ours: list, theirs: list) -> float:
    """Greatest difference of two lists of numbers (or of vectors), relative to the greater of the two; numbers below a
    thousandth of the greatest count as that, for sums that cancel leave no relative precision."""
    flat = lambda v: [x for y in v for x in flat(y)] if isinstance(v, list) else [float(v)]
    a, b = flat(ours), flat(theirs)
    if len(a) != len(b):
        return float("inf")
    floor = 1e-3 * max(map(abs, a + b), default=1.0)
    return max((abs(x - y) / max(abs(x), abs(y), floor, 1e-300) for x, y in zip(a, b)), default=0.0)


class Checks:
    """Comparisons of results; a failed one makes the whole run fail in the end."""

    def __init__(self):
        self.failed = 0

    def equal(self, what: str, ours: list, theirs: list, tolerance: float = 1e-6) -> None:
        """Prints how far two results are apart, and remembers if that is too far."""
        far = difference(ours, theirs)
        good = far <= tolerance
        self.failed += not good
        print(f"  {'same' if good else 'DIFFERENT'}: {what}: {len(ours)} values, relative difference {far:.1e}")


def seconds(value: float | None) -> str:
    """Seconds with three digits, `-` for nothing."""
    if value is None:
        return "-"
    return f"{value:.3g} s" if value >= 1 else f"{value * 1e3:.3g} ms"


def ratio(ours: float | None, theirs: float | None) -> str:
    """`12.3 ms (8.1x)`: the peer's value and how many times ours it is."""
    if theirs is None:
        return "-"
    return seconds(theirs) + (f" ({theirs / ours:.3g}x)" if ours else "")


def show(title: str, header: list, rows: list) -> None:
    """Prints a table of texts in Markdown."""
    widths = [max(len(str(r[k])) for r in [header, *rows]) for k in range(len(header))]
    line = lambda cells: "| " + " | ".join(str(c).ljust(w) for c, w in zip(cells, widths)) + " |"
    print(f"\n{title}\n\n{line(header)}\n|{'|'.join('-' * (w + 2) for w in widths)}|")
    for row in rows:
        print(line(row))
    print(flush=True)
