import re
import tomllib
from pathlib import Path

import pytest

TOP = Path(__file__).parents[2]
RUNTIME, DEVELOPMENT = TOP / "deploy" / "requirements.lock", TOP / "tests" / "requirements.lock"
REQUIREMENT = re.compile(r"[a-z0-9][a-z0-9.-]*==[^ ]+( ; [^\\]+?)?( --hash=sha256:[0-9a-f]{64})+")


def requirements(lock: Path) -> list[str]:
    joined = lock.read_text().replace("\\\n", " ")
    return [" ".join(line.split()) for line in joined.splitlines() if line.strip()]


def names(lock: Path) -> set[str]:
    return {line.partition("==")[0] for line in requirements(lock)}


@pytest.mark.parametrize("lock", [RUNTIME, DEVELOPMENT], ids=["runtime", "development"])
def test_a_lock_pins_and_hashes_everything_and_names_no_host_and_no_path(lock: Path) -> None:
    lines = requirements(lock)
    assert lines
    assert [line for line in lines if not REQUIREMENT.fullmatch(line)] == []
    assert not re.search(r"://|@|^-|/", lock.read_text(), re.MULTILINE)


def test_the_runtime_lock_holds_what_the_package_needs() -> None:
    project = tomllib.loads((TOP / "pyproject.toml").read_text())
    needed = {re.split(r"[^a-zA-Z0-9_-]", wanted)[0] for wanted in project["project"]["dependencies"]}
    assert needed <= names(RUNTIME)
    wanted_in_development = {re.split(r"[^a-zA-Z0-9_-]", wanted)[0] for wanted in project["dependency-groups"]["dev"]}
    assert wanted_in_development <= names(DEVELOPMENT)


def test_development_runs_what_is_deployed() -> None:
    assert set(requirements(RUNTIME)) <= set(requirements(DEVELOPMENT))
