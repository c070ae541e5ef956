"""Paths of a graph in clingo and in DuckDB."""

from serve import serve

import csv
import time


def edges(file):
    with open(file) as lines:
        return [(int(a), int(b)) for a, b in list(csv.reader(lines))]


def clingo(file):
    """Seconds to ground, the facts read; how many `path` facts there are. clingo solves facts away, so ground rules are
    not counted."""
    import clingo as asp

    facts = "".join(f"edge({a},{b})." for a, b in edges(file))
    control = asp.Control(["--warn=none"])
    control.add("base", [], facts + "path(X,Y) :- edge(X,Y). path(X,Y) :- edge(X,Z), path(Z,Y).")
    start = time.perf_counter()
    control.ground([("base", [])])
    seconds = time.perf_counter() - start
    return {"seconds": seconds, "facts": sum(1 for _ in control.symbolic_atoms.by_signature("path", 2))}


def duckdb(file, threads):
    """Seconds of the recursive query and of counting the rules' instances by a join; both counts. DuckDB does not keep
    the instances."""
    import duckdb as database

    with database.connect(config={"threads": threads}) as connection:
        connection.execute("create table edge(a integer, b integer)")
        connection.executemany("insert into edge values (?, ?)", edges(file))
        start = time.perf_counter()
        connection.execute(
            "create table path as with recursive p(a, b) as (select a, b from edge union "
            "select edge.a, p.b from edge join p on edge.b = p.a) select * from p"
        )
        derived = time.perf_counter()
        instances = connection.execute(
            "select (select count(*) from edge) + (select count(*) from edge join path on edge.b = path.a)"
        ).fetchone()[0]
        counted = time.perf_counter()
        facts = connection.execute("select count(*) from path").fetchone()[0]
    return {"seconds": counted - start, "derived": derived - start, "facts": facts, "instances": instances}


serve(clingo=clingo, duckdb=duckdb)
