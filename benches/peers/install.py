"""The throw-away virtual environment of the peers."""

import subprocess
import sys
from pathlib import Path

# Named as requirements.txt names them; what cannot be imported gets a `-` in the tables.
MODULES = ["neuralogic", "torch", "torch_geometric", "clingo", "duckdb"]


def python_of(venv: Path) -> Path:
    """The environment's interpreter."""
    return venv / ("Scripts" if sys.platform == "win32" else "bin") / "python"


def make(venv: Path, torch_index: str | None) -> dict:
    """Makes the environment if it is not there, and installs each line of requirements.txt that is missing; what can be
    imported then, as `versions` says it."""
    python = python_of(venv)
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
    have = versions(venv)
    missing = False
    for line in (Path(__file__).parent / "requirements.txt").read_text().splitlines():
        name = line.split("=")[0].split(">")[0].strip()
        if not name or name.startswith("#") or have.get(name):
            continue
        missing = True
        print(f"installing {line} …", file=sys.stderr, flush=True)
        command = [str(python), "-m", "pip", "install", "--quiet", line]
        if torch_index and name == "torch":
            command += ["--index-url", torch_index]
        if subprocess.run(command).returncode != 0:
            print(f"{name} cannot be installed here: its columns show `-`", file=sys.stderr)
    return versions(venv) if missing else have


def versions(venv: Path) -> dict:
    """`{module: version}` of the peers that can be imported, None for the others."""
    code = "import importlib,sys;m=importlib.import_module(sys.argv[1]);print(getattr(m,'__version__','installed'))"
    ask = lambda module: subprocess.Popen(
        [str(python_of(venv)), "-c", code, module], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    # All at once: importing torch alone takes seconds.
    asked = {module: ask(module) for module in MODULES}
    said = {module: process.communicate()[0].split() for module, process in asked.items()}
    return {module: said[module][-1] if asked[module].returncode == 0 and said[module] else None for module in MODULES}
