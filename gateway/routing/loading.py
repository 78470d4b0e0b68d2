"""From route files to the routes in use, or to all that is wrong with them."""

from collections.abc import Collection, Mapping

from gateway.routing.problems import Problem, RoutingError, nearest
from gateway.routing.reading import RouteFile
from gateway.routing.table import RouteTable


def load(sources: Mapping[str, str], *, nouns: Collection[str], dialects: Collection[str] = ()) -> RouteTable:
    """Read route files, given as file name and TOML text, one for each receiving system.

    `nouns` are the nouns that may come; OperationSet is always one of them. `dialects` are the sources for which the
    settings have one. Raises `RoutingError` with every problem of every file; it gives no table then.
    """
    files = [RouteFile(file, sources[file], nouns) for file in sorted(sources)]
    problems = [problem for file in files for problem in file.problems]
    problems += _duplicates(files)
    problems += _unknown_dialects(files, dialects)
    if problems:
        raise RoutingError(problems)
    return RouteTable(
        (file.system for file in files if file.system is not None), (route for file in files for route in file.routes)
    )


def _duplicates(files: list[RouteFile]) -> list[Problem]:
    problems: list[Problem] = []
    seen: dict[str, RouteFile] = {}
    for file in files:
        system = file.system
        if system is None:
            continue
        first = seen.setdefault(system.name.casefold(), file)
        if first is not file and first.system is not None:
            where = f"{first.system.file}:{first.name_line}"
            advice = "A system has one file: put the routes together, or choose another name."
            text = f"The system {system.name} is already described in {where}."
            problems.append(Problem(system.file, file.name_line, text, advice))
    return problems


def _unknown_dialects(files: list[RouteFile], dialects: Collection[str]) -> list[Problem]:
    problems: list[Problem] = []
    for system in (file.system for file in files):
        if system is not None and system.dialect and system.dialect not in dialects:
            guess = nearest(system.dialect, dialects)
            advice = f"Did you mean {guess}?" if guess else "Write a table [[sources]] of that name in the settings."
            text = f"The settings have no dialect of a source '{system.dialect}'."
            problems.append(Problem(system.file, system.dialect_line, text, advice))
    return problems
