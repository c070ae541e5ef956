"""NeuraLogic through its Python package: ground and build once, then epochs of one step per sample with Adam."""

from serve import serve

import time

import jpype
import neuralogic
from neuralogic.core import Model, Settings
from neuralogic.dataset import FileDataset
from neuralogic.nn.loss import SoftEntropy
from neuralogic.nn.optim import Adam
from neuralogic.setup import set_max_memory_size

state = {}


def build(template, examples, queries=None, functions="identity", lift=True, prune=True, rate=0.001, memory=None):
    """Reads, grounds and builds; seconds of each part."""
    if memory:
        set_max_memory_size(memory)
    start = time.perf_counter()
    neuralogic.initialize()
    function = jpype.JClass("cz.cvut.fel.ida.setup.Settings").parseTransformation(functions)
    settings = Settings(
        optimizer=Adam(lr=rate),
        error_function=SoftEntropy(),
        iso_value_compression=lift,
        chain_pruning=prune,
    )
    # The package states no parameter for these two; its own default is the identity.
    settings["ruleNeuronTransformation"] = function
    settings["atomNeuronTransformation"] = function
    model = Model(model_file=template).build(settings)
    read = time.perf_counter()
    grounded = model.ground(FileDataset(examples_file=examples, queries_file=queries))
    ground = time.perf_counter()
    samples = grounded.neuralize()
    built = time.perf_counter()
    array = jpype.java.util.ArrayList([sample._java_sample for sample in samples])
    state.update(model=model, samples=samples, array=array, grounded=grounded)
    return {"samples": len(samples), "read": read - start, "ground": ground - read, "build": built - ground}


def ground(template, examples, queries=None, memory=None):
    """Only grounds; seconds, without start and reading of the template."""
    if memory:
        set_max_memory_size(memory)
    model = Model(model_file=template).build(Settings())
    start = time.perf_counter()
    grounded = model.ground(FileDataset(examples_file=examples, queries_file=queries))
    return {"seconds": time.perf_counter() - start, "samples": len(grounded)}


def load(weights):
    """Sets the weights by their names and counts their numbers."""
    model = state["model"]
    names = model.state_dict()["weight_names"]
    if sorted(names.values()) != sorted(weights):
        raise ValueError(f"weights {sorted(names.values())} are not {sorted(weights)}")
    values = {}
    for index, name in names.items():
        rows = weights[name]
        if len(rows) == 1 and len(rows[0]) == 1:
            values[index] = rows[0][0]
        else:
            values[index] = [row[0] for row in rows] if len(rows[0]) == 1 else rows
    model.load_state_dict({"weights": values})
    return {"parameters": sum(len(rows) * len(rows[0]) for rows in weights.values())}


def outputs():
    """The value of each sample's query, in the order of the files."""
    return {"outputs": state["model"](state["samples"])}


def epochs(budget, least=5):
    """Epochs for `budget` seconds: wall clock of each, and the training thread's own time, which the garbage collector
    and other processes do not disturb. The package's `train` also turns every result into Python objects; that is left
    out here."""
    learn, array = state["model"]._strategy.learnSamples, state["array"]
    wall, own, end = [], [], time.perf_counter() + budget
    while len(wall) < least or time.perf_counter() < end:
        a, b = time.perf_counter(), time.thread_time()
        learn(array, 1, 1)
        wall.append(time.perf_counter() - a)
        own.append(time.thread_time() - b)
    return {"seconds": wall, "own": own}


neuralogic.manual_seed(1)
serve(build=build, ground=ground, load=load, outputs=outputs, epochs=epochs)
