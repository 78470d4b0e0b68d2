"""Whether a message may pass: the envelope's schema, the schema of what it carries, and the rules XSD cannot state."""

from gateway.validation.checker import Checker
from gateway.validation.outside import READING_RULES, WAY_RULES
from gateway.validation.registry import RULES, Rule
from gateway.validation.schemas import SchemaSet
from gateway.validation.severities import BadLevels, Severities
from gateway.validation.sources import SchemaError
from gateway.validation.verdict import Verdict

__all__ = [
    "READING_RULES",
    "RULES",
    "WAY_RULES",
    "BadLevels",
    "Checker",
    "Rule",
    "SchemaError",
    "SchemaSet",
    "Severities",
    "Verdict",
]
