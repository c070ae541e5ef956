"""Templates as both engines read them, and weights that every contender starts from."""

import random
import re
from pathlib import Path

FOLDER = Path(__file__).parent / "templates"
WEIGHT = re.compile(r"\$(\w+)=\{(\d+)(?:,(\d+))?\}")


def template(name: str, features: int = 0, above: str = "") -> str:
    """The text of templates/NAME.lrnn for `features` inputs an atom, with the rules `above` before it."""
    file = FOLDER / f"{name}.lrnn"
    if not file.exists():
        raise SystemExit(f"there is no model `{name}`: {', '.join(sorted(f.stem for f in FOLDER.glob('*.lrnn')))}")
    text = file.read_text()
    return above + text.replace("FEATURES", str(features))


def shapes(text: str) -> dict:
    """`{name: (rows, cols)}` of all weights of a template; `{n}` is a column of n rows."""
    return {m[1]: (int(m[2]), int(m[3] or 1)) for m in WEIGHT.finditer(text)}


def draw(text: str, seed: int = 1) -> dict:
    """Weights drawn uniformly, by name, as lists of rows: within ±0.5, or less for many inputs, so that sums do not
    saturate what follows them (nothing would be compared then)."""
    rng = random.Random(seed)
    weights = {}
    for name, (rows, cols) in shapes(text).items():
        bound = min(0.5, 1.7 / cols**0.5)
        weights[name] = [[rng.uniform(-bound, bound) for _ in range(cols)] for _ in range(rows)]
    return weights


def count(weights: dict) -> int:
    """How many numbers are learned."""
    return sum(len(w) * len(w[0]) for w in weights.values())


def with_weights(text: str, weights: dict) -> str:
    """The template with its weights' values written in place of their shapes."""

    def value(m):
        rows = weights[m[1]]
        if m[3] is None:
            return f"${m[1]}=[{','.join(repr(r[0]) for r in rows)}]"
        return f"${m[1]}=[{','.join('[' + ','.join(map(repr, r)) + ']' for r in rows)}]"

    return WEIGHT.sub(value, text)
