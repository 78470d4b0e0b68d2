"""Line numbers beyond 65,535, which the parsed tree does not hold."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final
from xml.parsers import expat

from gateway.message.findings import Finding

_LAST_LINE: Final = 65_535
"""What libxml2 keeps of an element's line: from here on it takes the line of some text nearby, or says this."""
_MOST: Final = 200


def with_lines(findings: Sequence[Finding], chunks: Iterable[bytes]) -> list[Finding]:
    """Give the findings of a well-formed document, all of them with the line on which their element begins."""
    distant = {_element(f.xpath) for f in findings if f.line is not None and f.line >= _LAST_LINE and f.xpath}
    if not distant:
        return [*findings]
    lines = _Search(sorted(distant)[:_MOST]).lines_in(chunks)
    return [
        finding if (line := lines.get(_element(finding.xpath))) is None else replace(finding, line=line)
        for finding in findings
    ]


def _element(xpath: str) -> str:
    return xpath.partition("/@")[0]


@dataclass(slots=True)
class _Step:
    """One step of the XPaths that are sought: what follows it, and the XPath that ends with it, if one does."""

    following: dict[tuple[str, int], "_Step"] = field(default_factory=dict)
    xpath: str = ""


class _Found(Exception):  # noqa: N818 - no error: it ends the parsing
    """All lines are known."""


class _Search:
    """Follows the elements of a document along the XPaths, as `xpath_of` writes them."""

    def __init__(self, xpaths: Iterable[str]) -> None:
        self._sought = 0
        start = _Step()
        for xpath in xpaths:
            step = start
            for part in xpath.split("/")[1:]:
                name, _, index = part.partition("[")
                step = step.following.setdefault((name, int(index.rstrip("]") or 1)), _Step())
            step.xpath = xpath
            self._sought += 1
        self._open: list[tuple[_Step | None, Counter[str]]] = [(start, Counter())]
        self._lines: dict[str, int] = {}
        self._parser = expat.ParserCreate(namespace_separator="}")
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end

    def lines_in(self, chunks: Iterable[bytes]) -> dict[str, int]:
        """Give the lines by XPath; those of a document in an encoding that is not known here are not found."""
        try:
            for chunk in chunks:
                self._parser.Parse(chunk)
            self._parser.Parse(b"", True)
        except (_Found, expat.ExpatError, ValueError, LookupError):
            pass
        return self._lines

    def _start(self, tag: str, _attributes: dict[str, str]) -> None:
        around, counts = self._open[-1]
        if around is None:
            self._open.append((None, counts))
            return
        counts[tag] += 1
        step = around.following.get((tag.rpartition("}")[2], counts[tag]))
        if step is not None and step.xpath and step.xpath not in self._lines:
            self._lines[step.xpath] = self._parser.CurrentLineNumber
            if len(self._lines) == self._sought:
                raise _Found
        self._open.append((step if step is not None and step.following else None, Counter()))

    def _end(self, _tag: str) -> None:
        self._open.pop()
