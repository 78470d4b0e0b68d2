"""Code registries of IEC 61968-9, Annexes B to F. Pure data and its reading; no I/O beyond the package's own files."""

from gateway.codes.answers import Answer
from gateway.codes.controls import ControlType
from gateway.codes.dotted import BadCode
from gateway.codes.events import EventType
from gateway.codes.explaining import explain
from gateway.codes.explanations import Explanation, Part
from gateway.codes.finding import search
from gateway.codes.index import Item
from gateway.codes.patterns import BadPattern, CodeKind, CodePattern, compile_patterns, parse_pattern
from gateway.codes.quality import QualityCode
from gateway.codes.reading_types import ReadingType
from gateway.codes.reply_codes import Level, ReplyCode, Result, result_of

__all__ = [
    "Answer",
    "BadCode",
    "BadPattern",
    "CodeKind",
    "CodePattern",
    "ControlType",
    "EventType",
    "Explanation",
    "Item",
    "Level",
    "Part",
    "QualityCode",
    "ReadingType",
    "ReplyCode",
    "Result",
    "compile_patterns",
    "explain",
    "parse_pattern",
    "result_of",
    "search",
]
