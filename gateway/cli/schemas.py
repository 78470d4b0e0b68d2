"""`cimgate schemas`: which schemas are in use, and how sure each is."""

import re
from typing import Final

import typer
from rich.text import Text

from gateway.cli._shared import app, command, load_settings, out, printable, show_indented

_COMMENT: Final = re.compile(r"<!--(.*?)-->", re.DOTALL)
_CONFIDENCE: Final = re.compile(r"Confidence: (.*?)\.\s", re.DOTALL)

schemas = typer.Typer(no_args_is_help=True, help="Show the XML schemas in use.")
app.add_typer(schemas, name="schemas")


@command(schemas, "list")
def show(ctx: typer.Context) -> None:
    """List the schemas: noun, namespace, file, and what each is based on."""
    from gateway import resources  # noqa: PLC0415 - heavy

    settings = load_settings(ctx)
    extra = [] if settings.schemas is None else [settings.schemas]
    ours = set(resources.schema_sources().values())
    for name, raw in sorted(resources.schema_sources(*extra).items()):
        namespace = resources.target_namespace(raw, name)
        noun = namespace.rstrip("#").rpartition("/")[2] if namespace.endswith("#") else "(envelope)"
        based_on = _basis(raw) if raw in ours else f"your folder {settings.schemas}"
        out.print(Text.assemble((f"{noun:<22}", "bold"), printable(namespace or "(no namespace)")), soft_wrap=True)
        show_indented(f"{name}: {based_on}", style="dim")


def _basis(raw: bytes) -> str:
    comment = _COMMENT.search(raw.decode("utf-8", "replace"))
    confidence = _CONFIDENCE.search(comment.group(1)) if comment is not None else None
    return "not stated" if confidence is None else " ".join(confidence.group(1).split())
