"""`cimgate example`: a message to start from, valid as it is printed."""

from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.text import Text

from gateway.cli._nouns import OWN, bases
from gateway.cli._shared import CommandError, app, command, err, load_settings, out, printable, show_indented

if TYPE_CHECKING:
    from lxml import etree

    from gateway.cli._envelopes import Parts
    from gateway.message import Verb
    from gateway.validation import SchemaSet

_DECLARATION: Final = b'<?xml version="1.0" encoding="UTF-8"?>\n'
_USUAL_SET: Final[tuple[str, ...]] = ("MeterConfig", "UsagePointConfig", "MasterDataLinkageConfig")
"""A meter, a point of use, and the link between them: the set that is sent most."""


@command(app)
def example(
    ctx: typer.Context,
    verb: Annotated[str, typer.Argument(metavar="VERB", help="get, create, created, reply and so on.")] = "",
    noun: Annotated[str, typer.Argument(metavar="NOUN", help="MeterReadings, EndDeviceControls and so on.")] = "",
    full: Annotated[
        bool, typer.Option("--full", help="Every element of the profile and of the header, not the least alone.")
    ] = False,
    draft: Annotated[
        bool, typer.Option("--draft", help="In the namespace of the 2011 draft of the envelope (with www.).")
    ] = False,
    context: Annotated[
        str, typer.Option("--context", metavar="CONTEXT", help="Header.Context; without it, that of the settings.")
    ] = "",
    source: Annotated[
        str, typer.Option("--source", metavar="SYSTEM", help="Header.Source; without it, CIS or HES-NORTH.")
    ] = "",
) -> None:
    """Print a valid message for a verb and a noun: the least that makes sense, or with --full all there is.

    Values and ids are invented and the same each time. Without arguments: what can be asked for. execute and executed
    put the noun into an operation set.
    """
    from gateway.rulebook import schema_set  # noqa: PLC0415 - heavy

    settings = load_settings(ctx)
    schemas = schema_set(settings)
    if not verb:
        _list(schemas)
        return
    known, wanted = understood(schemas, verb, noun)
    where = context or settings.context
    raw = written(schemas, known, wanted, full=full, draft=draft, context=where, source=source)
    typer.echo(raw.decode(), nl=False)
    if OWN in bases(settings).get(schemas.namespace_of(wanted) or "", ""):
        note = (
            f"The profile of {wanted} is a proposal of cimgate's, not the standard's: compare it with your partner's."
        )
        err.print(Text(note), soft_wrap=True)


def written(
    schemas: "SchemaSet", verb: "Verb", noun: str, *, full: bool, draft: bool, context: str, source: str
) -> bytes:
    """Write an example, indented. Raises `CommandError` for a verb or a noun that is none, or do not go together."""
    from lxml import etree  # noqa: PLC0415 - heavy

    from gateway.cli._envelopes import envelope  # noqa: PLC0415 - heavy
    from gateway.message import EnvelopeVersion, NotExpressible, build  # noqa: PLC0415 - heavy
    from gateway.validation.instances import NotWritable  # noqa: PLC0415 - heavy

    version = EnvelopeVersion.DRAFT if draft else EnvelopeVersion.FINAL
    try:
        header_noun, parts = _parts(schemas, verb, noun, full=full)
        raw = build(envelope(verb, header_noun, parts, context=context, source=source, full=full), version)
    except (NotExpressible, NotWritable) as error:
        raise CommandError(str(error)) from error
    root = etree.fromstring(raw)
    etree.indent(root)
    return _DECLARATION + etree.tostring(root, encoding="UTF-8", xml_declaration=False) + b"\n"


def _parts(schemas: "SchemaSet", verb: "Verb", noun: str, *, full: bool) -> "tuple[str, Parts]":
    """Give the noun of the header, and what goes into the message."""
    from gateway.cli._envelopes import Parts  # noqa: PLC0415 - heavy
    from gateway.message import Verb  # noqa: PLC0415 - heavy
    from gateway.message.nouns import OPERATION_SET, get_profile  # noqa: PLC0415 - heavy

    if verb in (Verb.EXECUTE, Verb.EXECUTED):
        nouns = (noun,) if noun != OPERATION_SET else _usual_set(schemas, full=full)
        return OPERATION_SET, Parts(operations=tuple((item, _instance(schemas, item, full=full)) for item in nouns))
    if noun == OPERATION_SET:
        return noun, Parts()
    payload = _instance(schemas, noun, full=full)
    profile = get_profile(noun)
    asked = _instance(schemas, profile, full=full) if profile in schemas.profiles and verb is Verb.GET else None
    object_id, object_type = _main_object(_instance(schemas, noun, full=False))
    return noun, Parts(payload, asked, object_id, object_type)


def _instance(schemas: "SchemaSet", name: str, *, full: bool) -> "etree._Element":
    from gateway.validation.instances import Full, Minimal, instance_of, wanted_in  # noqa: PLC0415 - heavy

    space = schemas.namespace_of(name)
    model = None if space is None else schemas.model(space)
    element = None if model is None else model.element([f"{{{space}}}{name}"])
    if element is None:
        raise CommandError(f"The schema of {name} cannot be read well enough to write an example.")
    return instance_of(element, Full() if full else Minimal(wanted_in(element)))


def _main_object(payload: "etree._Element") -> tuple[str, str]:
    """Give the id and the type of the first object with an mRID, as Request.ID names it; else an invented one."""
    from gateway.message.places import local_name  # noqa: PLC0415 - heavy
    from gateway.validation.instances import identity  # noqa: PLC0415 - heavy

    for child in payload:
        for part in child:
            if local_name(part) == "mRID" and part.text:
                return part.text, local_name(child)
    kind = local_name(payload[0]) if len(payload) else local_name(payload)
    return identity(kind, 0), kind


def _usual_set(schemas: "SchemaSet", *, full: bool) -> tuple[str, ...]:
    usual = tuple(noun for noun in _USUAL_SET if noun in schemas.nouns)
    return usual if full else usual[:1] or tuple(sorted(schemas.nouns)[:1])


def understood(schemas: "SchemaSet", verb: str, noun: str) -> "tuple[Verb, str]":
    """Understand what was asked for. Raises `CommandError` with the nearest that there is, and with all."""
    from gateway.cli._envelopes import verbs_of  # noqa: PLC0415 - heavy
    from gateway.message import Verb  # noqa: PLC0415 - heavy
    from gateway.message.nouns import OPERATION_SET  # noqa: PLC0415 - heavy
    from gateway.message.verbs import DEPRECATED  # noqa: PLC0415 - heavy
    from gateway.validation.wording import nearest  # noqa: PLC0415 - heavy

    nouns = sorted({*schemas.nouns, OPERATION_SET})
    verbs = [item.value for item in Verb]
    if verb in nouns and noun in verbs:
        verb, noun = noun, verb
    if verb not in verbs:
        close = DEPRECATED.get(verb.lower()) or nearest(verb, verbs)
        hint = f" Do you mean {close}?" if close else ""
        raise CommandError(f"There is no verb '{verb}'.{hint}", f"The verbs are {', '.join(verbs)}.")
    if not noun:
        raise CommandError(f"Say which noun to {verb}.", _all_nouns(nouns))
    if noun not in nouns:
        close = nearest(noun.removeprefix("Get"), nouns)
        hint = f" Do you mean {close}?" if close else ""
        raise CommandError(f"There is no noun '{noun}'.{hint}", _all_nouns(nouns))
    if verb not in verbs_of(noun):
        fitting = ", ".join(verbs_of(noun))
        raise CommandError(f"{noun} cannot be sent with the verb {verb}.", f"The verbs of {noun} are {fitting}.")
    return Verb(verb), noun


def _all_nouns(nouns: list[str]) -> str:
    return f"The nouns are {', '.join(nouns)}. `cimgate noun` says what each is."


def _list(schemas: "SchemaSet") -> None:
    from gateway.cli._envelopes import kind_of  # noqa: PLC0415 - heavy
    from gateway.message import MessageKind, Verb  # noqa: PLC0415 - heavy

    out.print("cimgate example VERB NOUN prints a message, such as: cimgate example create EndDeviceControls\n")
    for kind, label in (
        (MessageKind.REQUEST, "requests"),
        (MessageKind.EVENT, "events"),
        (MessageKind.RESPONSE, "replies"),
    ):
        show_indented(", ".join(verb for verb in Verb if kind_of(verb) is kind), indent=2, label=label)
    show_indented(", ".join(printable(noun) for noun in sorted(schemas.nouns)), indent=2, label="nouns")
    show_indented("OperationSet, with execute, executed and reply alone", indent=2, label="")
