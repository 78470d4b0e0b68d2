"""What partners really write: their namespaces and nouns read as ours, what is safe repaired and recorded. Pure."""

from gateway.dialects.dialect import EVERYBODY, STRICT, Dialect, Dialects, Tense
from gateway.dialects.interpreting import Interpreter
from gateway.dialects.speaking import speak, spoken_version

__all__ = ["EVERYBODY", "STRICT", "Dialect", "Dialects", "Interpreter", "Tense", "speak", "spoken_version"]
