"""A site with all schemas, and what reads the messages of its partners."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from gateway.dialects import Dialect, Dialects, Interpreter
from gateway.message import Message
from gateway.validation import Checker, SchemaSet, Verdict

SCHEMAS = Path(__file__).parents[2] / "schemas"


@pytest.fixture(scope="session")
def checker() -> Checker:
    return Checker(SchemaSet({path.name: path.read_bytes() for path in sorted(SCHEMAS.glob("*.xsd"))}))


@pytest.fixture(scope="session")
def check(checker: Checker) -> Callable[[Message], Verdict]:
    return checker.check


@pytest.fixture(scope="session")
def read(checker: Checker) -> Callable[..., Message]:
    """Read a message from a source of one dialect, or of several by name."""

    def read(raw: bytes, dialect: Dialect | Mapping[str, Dialect]) -> Message:
        dialects = Dialects(dialect if isinstance(dialect, Mapping) else {"*": dialect})
        return Interpreter(dialects, checker.site).read(raw)

    return read
