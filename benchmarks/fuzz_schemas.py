"""Instances at random of every noun and Get profile, and single mutations of each, held against both validators.

    python -m benchmarks.fuzz_schemas [--instances 1000] [--seed 0] [--processes 2] [--write benchmarks/FUZZ.md]

Each instance must be accepted by lxml (libxml2) and by xmlschema; each mutant must be refused by both, and the first
finding of cimgate must name the place of the mutation, by XPath and line. Exit status 1 where anything disagrees.
"""

import argparse
import multiprocessing
import os
import platform
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache, partial
from importlib.metadata import version
from pathlib import Path

from lxml import etree

from gateway.resources import schema_sources
from gateway.validation import SchemaSet
from tests.validation.mutations import Mutation
from tests.validation.trials import Profile

_MOST_PROBLEMS = 20
_AGREED = """Both validators accepted every instance and refused every mutant, and the first finding of cimgate named
the place of each mutation by XPath and line."""
_PAGE = """# Every schema, tried at random

Written by `make fuzz` (benchmarks/fuzz_schemas.py). The schemas drive the instances, chance chooses; a mutant is an
instance with one fault of a known kind at a known place. That it must be invalid follows from the declarations, not
from one of the validators.

- {date}, {machine}, {versions}
- {profiles} nouns and Get profiles, {instances:,} instances, {mutants:,} mutants, seeds {seeds}, {seconds:,.0f} s

{verdict}

What counts as the place: the parent of a dropped element; the element itself for a value, a name or a namespace; any
element from the first to the second of two that were swapped; for an element that stands once too often, one of its
name or one that it pushed out of order.

A dash: the profile has no such place (no listed values, or text alone). Fewer mutants than instances: the others had
no such place, because an optional part was left out.

| profile | instances | elements each | drop | swap | type | enumeration | extra | namespace |
|---|---:|---:|---:|---:|---:|---:|---:|---:|
{rows}

Some forms of values are left out, because the two validators are known to disagree on them
(tests/validation/test_every_schema.py holds each): libxml2 takes `1e` as a float and `PT.5S` as a duration, and does
not strip blanks around dates and times; xmlschema takes what Python's `int()` takes, such as `1_0`. In each of these
the other one is right by XML Schema.
"""


@dataclass
class Tally:
    """What all trials of one noun or Get profile showed."""

    name: str
    instances: int = 0
    elements: int = 0
    mutations: Counter[Mutation] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)


@cache
def _schemas() -> tuple[SchemaSet, dict[str, bytes]]:
    sources = schema_sources()
    return SchemaSet(sources), sources


def tally(name: str, instances: int, seed: int) -> Tally:
    """Try one noun or Get profile so many times; seeds are `<seed>` and the number of the instance."""
    schemas, sources = _schemas()
    profile = Profile(name, schemas, sources)
    result = Tally(name)
    for number in range(instances):
        outcome = profile.trial(f"{seed} {number}")
        result.instances += 1
        result.elements += outcome.elements
        result.mutations.update(outcome.mutations)
        result.problems += outcome.problems[: _MOST_PROBLEMS - len(result.problems)]
    return result


def page(tallies: Sequence[Tally], seed: int, seconds: float, processes: int) -> str:
    """Write the page of results."""
    problems = [problem for item in tallies for problem in item.problems]
    rows = [
        f"| {item.name} | {item.instances:,} | {item.elements / item.instances:.0f} | "
        + " | ".join(f"{item.mutations[mutation]:,}" if item.mutations[mutation] else "-" for mutation in Mutation)
        + " |"
        for item in tallies
    ]
    return _PAGE.format(
        date=datetime.now(UTC).date(),
        machine=f"{platform.machine()}, {os.cpu_count()} cores, {processes} processes",
        versions=f"Python {platform.python_version()}, lxml {version('lxml')} "
        f"(libxml2 {'.'.join(map(str, etree.LIBXML_VERSION))}), xmlschema {version('xmlschema')}",
        profiles=len(tallies),
        instances=sum(item.instances for item in tallies),
        mutants=sum(item.mutations.total() for item in tallies),
        seeds=f"`{seed} 0` to `{seed} {tallies[0].instances - 1}`",
        seconds=seconds,
        verdict="\n".join([f"**{len(problems)} disagreements:**", "", *(f"- {p}" for p in problems)])
        if problems
        else _AGREED,
        rows="\n".join(rows),
    )


def main() -> int:
    """Run the trials, print what disagrees, write the page if asked to."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--instances", type=int, default=1000, help="of each noun and Get profile")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--write", type=Path, help="file to write the page of results to")
    options = parser.parse_args()
    schemas, _ = _schemas()
    names = sorted(schemas.nouns | schemas.profiles)
    began = time.monotonic()
    tallies = []
    with multiprocessing.get_context("spawn").Pool(options.processes) as pool:
        for item in pool.imap(partial(tally, instances=options.instances, seed=options.seed), names):
            tallies.append(item)
            print(f"{item.name}: {item.instances} instances, {item.mutations.total()} mutants", flush=True)
            for problem in item.problems:
                print(f"  {problem}", flush=True)
    text = page(tallies, options.seed, time.monotonic() - began, options.processes)
    if options.write is not None:
        options.write.write_text(text, encoding="utf-8")
    return 1 if any(item.problems for item in tallies) else 0


if __name__ == "__main__":
    sys.exit(main())
