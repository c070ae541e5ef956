"""Compares nlog with its peers, both measured in turn in this one call. See README.md."""

import argparse
import importlib
import os
import shutil
import sys
import tempfile
from pathlib import Path
from statistics import median

import install
from contenders import Checks, Failed

TABLES = ["molecules", "knowledge", "cora", "path", "startup"]
ROOT = Path(__file__).resolve().parents[2]


class Bench:
    """What every table needs: options, folders, the contenders' programs, and how long a turn takes."""

    def __init__(self, options, versions):
        self.options = options
        self.data = Path(options.data) if options.data else None
        self.folder = Path(tempfile.mkdtemp(prefix="nlog-peers-"))
        self.binary = options.nlog
        self.python = install.python_of(Path(options.venv).resolve())
        self.versions = versions
        self.checks = Checks()
        # Three rounds of three seconds a contender, or a quick look.
        self.rounds, self.budget = (2, 0.3) if options.quick else (3, 3.0)

    def have(self, module: str) -> str | None:
        """The version of a peer, None if it is not installed or left out by `--without`."""
        return None if module in self.options.without.split(",") else self.versions.get(module)

    def threads(self) -> list:
        """nlog's arguments for as many threads as the peers get."""
        return ["--threads", str(self.options.threads)]

    def memory(self) -> int | None:
        """Heap for the JVM in GB: given, or 70 % of the machine's memory, since its own default of 25 % is too small for
        the larger tables."""
        if self.options.heap:
            return self.options.heap
        try:
            return max(1, int(0.7 * os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30))
        except (ValueError, OSError):
            return None

    def warm(self, turn) -> None:
        """A turn that is not counted, for what compiles while it runs."""
        try:
            turn()
        except Failed as reason:
            print(reason)

    def reference_epoch(self, worker, own: list) -> float:
        """NeuraLogic's median epoch in this turn; its training thread's own time is added to `own`."""
        turn = worker.ask("epochs", budget=self.budget)
        own.append(median(turn["own"]))
        return median(turn["seconds"])


def main() -> int:
    """Reads the arguments, makes the environment, prints the tables. Exit code 1 if results differ."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("table", choices=[*TABLES, "all", "install"])
    parser.add_argument("--data", default=os.environ.get("NLOG_DATA"), help="the data folder [NLOG_DATA]")
    parser.add_argument("--nlog", default=str(ROOT / "target/release/nlog"), help="the binary to measure")
    parser.add_argument("--venv", default=str(ROOT / "target/peers-venv"), help="the peers' virtual environment")
    parser.add_argument("--torch-index", help="package index with CPU wheels of torch")
    parser.add_argument("--quick", action="store_true", help="few epochs: does everything run and agree?")
    parser.add_argument("--slow", action="store_true", help="path: also NeuraLogic, which takes minutes")
    parser.add_argument("--set", default="NCI1_3000", help="molecules: NCI1_3000, MUTAG, PROTEINS")
    parser.add_argument("--models", default="gcn,sage,gin", help="molecules: which of them")
    parser.add_argument("--bases", default="nations,kinships,umls", help="knowledge: which of them")
    parser.add_argument("--without", default="", help="peers to leave out, as neuralogic,torch_geometric")
    parser.add_argument("--threads", type=int, default=min(2, os.cpu_count() or 1), help="threads of every contender")
    parser.add_argument("--heap", type=int, help="heap of the JVM in GB [70 %% of memory]")
    options = parser.parse_args()

    if options.table not in ("startup", "install") and not options.data:
        parser.error("--data or NLOG_DATA names the data folder")
    if options.table != "install" and not shutil.which(options.nlog):
        parser.error(f"{options.nlog} is not there: run `cargo build --release`, or name a binary by --nlog")
    versions = install.make(Path(options.venv), options.torch_index)
    print(", ".join(f"{name} {version or '-'}" for name, version in versions.items()), end="; ")
    print(f"{options.threads} threads, {os.cpu_count()} cores")
    if options.table == "install":
        return 0
    bench = Bench(options, versions)
    if not shutil.which("java"):
        bench.versions["neuralogic"] = None
        print("NeuraLogic needs Java, which is not on the path: its column shows `-`")
    try:
        for table in TABLES if options.table == "all" else [options.table]:
            importlib.import_module(table).run(bench)
    finally:
        shutil.rmtree(bench.folder, ignore_errors=True)
    if bench.checks.failed:
        print(f"{bench.checks.failed} results differ", file=sys.stderr)
    return 1 if bench.checks.failed else 0


if __name__ == "__main__":
    sys.exit(main())
