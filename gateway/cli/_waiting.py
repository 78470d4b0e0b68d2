"""A bar for what takes long: on stderr, and on a terminal alone."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from gateway.cli._shared import err


@contextmanager
def progress(what: str, whole: float) -> Iterator[Callable[[float], None]]:
    """Show a bar with the time that is left; what it gives is told how much of the whole is done."""
    if not err.is_terminal:
        yield lambda _: None
        return
    from rich.progress import Progress  # noqa: PLC0415 - quick start of the other commands

    with Progress(console=err, transient=True) as bar:
        task = bar.add_task(what, total=whole or None)
        yield lambda done: bar.update(task, completed=done)
