"""The explanation of a code or pattern of each kind. Parts are text; `*` is any number."""

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from gateway.codes.answers import answered_by, answers_of
from gateway.codes.device_codes import ANY, listed, name_of, part_entry, sentence_of, unknown_parts, with_device
from gateway.codes.dotted import spoken
from gateway.codes.explanations import Explanation, Part
from gateway.codes.patterns import CodeKind, CodePattern
from gateway.codes.quality import quality_name, quality_sentence
from gateway.codes.reading_parts import meaning_of, phase_bits
from gateway.codes.reading_types import ReadingType
from gateway.codes.reply_codes import UNTOLD, reply_sentence
from gateway.codes.tables import NONE, Entry, table

if TYPE_CHECKING:
    from gateway.codes.index import Registry

ONE_SOURCE: Final = "Found in one source only."
_ELECTRIC_METER: Final = "3"
_MOST_NAMED: Final = 5


def reading(parts: tuple[str, ...]) -> Explanation:
    """Explain a reading type, or a pattern of them."""
    numbers = dict(zip(CodeKind.READING.fields, parts, strict=True))
    told = tuple(_reading_part(position, field, numbers) for position, field in enumerate(numbers, start=1))
    unknown = tuple(part.part for part in told if not (part.name or part.is_none or part.value == ANY))
    text = ".".join(parts)
    if ANY in parts:
        name, sentence = text, _reading_pattern(told)
    else:
        code = ReadingType.parse(text)
        name, sentence = code.alias(), code.explain()
    example = table("reading_examples").get(text)
    confidence = example.confidence if example is not None else ""
    notes = (*_not_known(unknown), *(("This combination was found in one source only.",) if confidence == "C" else ()))
    return Explanation("reading", text, name, sentence, not unknown, confidence, told, notes=notes)


def _reading_part(position: int, field: str, numbers: dict[str, str]) -> Part:
    entry = meaning_of(field, numbers)
    note = ""
    if field == "phases" and entry is None and numbers[field] != ANY:
        bits = phase_bits(int(numbers[field]))
        note = f"by its bits {bits}" if bits else ""
    return _part(position, field, numbers[field], entry, note)


def _reading_pattern(parts: tuple[Part, ...]) -> str:
    fixed = ", ".join(f"{part.part} {_brief(part)}" for part in parts if part.value != ANY)
    return f"Any reading type with {fixed}." if fixed else "Any reading type."


def _brief(part: Part) -> str:
    return "none" if part.is_none else part.meaning if part.name else f"{part.value} (not known)"


def device_code(kind: CodeKind, parts: tuple[str, ...]) -> Explanation:
    """Explain an event or control type, or a pattern of them."""
    registry: Registry = "event" if kind is CodeKind.EVENT else "control"
    row = listed(kind, parts)
    answers = answered_by(parts) if kind is CodeKind.EVENT else answers_of(parts)
    told = tuple(
        _part(position, field, number, part_entry(field, number))
        for position, (field, number) in enumerate(zip(kind.fields, parts, strict=True), start=1)
    )
    unknown = unknown_parts(parts)
    notes = [*_not_known(unknown), *_naming(kind, parts, answers=bool(answers))]
    if row is not None and row.confidence == "C":
        notes.append(ONE_SOURCE)
    known = row is not None or (kind is CodeKind.EVENT and bool(answers)) or bool(_taken(kind, parts))
    return Explanation(
        registry,
        ".".join(parts),
        name_of(kind, parts),
        sentence_of(kind, parts),
        known,
        row.confidence if row is not None else "",
        told,
        answers,
        tuple(notes),
    )


def _naming(kind: CodeKind, parts: tuple[str, ...], *, answers: bool) -> list[str]:
    what = "event" if kind is CodeKind.EVENT else "control"
    if ANY in parts[1:]:
        named = _taken(kind, parts)
        if not named:
            return [f"No {what} of the list fits this pattern."]
        more = f" and {len(named) - _MOST_NAMED} more" if len(named) > _MOST_NAMED else ""
        several = "s" if len(named) > 1 else ""
        return [f"Stands for {len(named)} {what}{several} of the list: {', '.join(named[:_MOST_NAMED])}{more}."]
    if listed(kind, parts) is not None:
        if parts[0] != ANY:
            return []
        of_meter = with_device(".".join(parts), _ELECTRIC_METER)
        return [f"The first number is the device; for an electric meter it is {of_meter}."]
    if answers:
        return ["Not in the list of named events, but known as the answer to a control; named from its parts."]
    return [f"Not in the list of named {what}s; named from its parts."]


def _taken(kind: CodeKind, parts: tuple[str, ...]) -> list[str]:
    if ANY not in parts[1:]:
        return []
    pattern = CodePattern(kind, (ANY, *parts[1:]))
    rows = table("events" if kind is CodeKind.EVENT else "controls")
    return [entry.name for key, entry in rows.items() if pattern.takes(with_device(key, NONE))]


def quality(parts: tuple[str, ...]) -> Explanation:
    """Explain a quality code, or a pattern of them."""
    system, category, index = parts
    row = table("quality_codes").get(f"{category}.{index}")
    told = (
        _part(1, "system", system, table("quality_system").get(system)),
        _part(2, "category", category, table("quality_category").get(category)),
        _whole(3, index, row),
    )
    unknown = tuple(part.part for part in told if not part.name and part.value != ANY)
    notes = [*_not_known(unknown)]
    if row is not None and row.confidence == "C":
        notes.append(ONE_SOURCE)
    name = quality_name((category, index))
    confidence = row.confidence if row is not None else ""
    known = row is not None or (not unknown and ANY in parts)
    text = ".".join(parts)
    return Explanation("quality", text, name, quality_sentence(parts), known, confidence, told, notes=tuple(notes))


def reply(code: str) -> Explanation:
    """Explain a reply code of two numbers."""
    row = table("reply_codes").get(code)
    category, _, index = code.partition(".")
    told = (
        _part(1, "category", category, table("reply_categories").get(category)),
        _whole(2, index, row),
    )
    known = row is not None or code in UNTOLD
    name = row.name if row is not None else code
    notes = (ONE_SOURCE,) if row is not None and row.confidence == "C" else ()
    confidence = row.confidence if row is not None else ""
    return Explanation("reply", code, name, reply_sentence(code), known, confidence, told, notes=notes)


def _whole(position: int, index: str, row: Entry | None) -> Part:
    """Give the last part, which names the code as a whole: what is to be said of its row is said of the code."""
    return replace(_part(position, "index", index, row), note="")


def _part(position: int, field: str, number: str, entry: Entry | None, note: str = "") -> Part:
    if entry is None:
        return Part(position, spoken(field), number, "", "any" if number == ANY else "not known", note)
    others = (f"also {other.name}{f' ({other.remark})' if other.remark else ''}" for other in entry.others)
    notes = "; ".join(filter(None, (note, entry.remark, *others)))
    return Part(position, spoken(field), number, entry.name, entry.label, notes)


def _not_known(fields: tuple[str, ...]) -> tuple[str, ...]:
    if not fields:
        return ()
    number = "number is" if len(fields) == 1 else "numbers are"
    return (f"Well-formed, but the {number} not known of: {', '.join(map(spoken, fields))}.",)
