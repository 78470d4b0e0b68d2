"""Whether a message may pass: the envelope's schema, the schema of what it carries, and the rules XSD cannot state."""

from gateway.validation.checker import Checker
from gateway.validation.registry import RULES, Rule
from gateway.validation.schemas import SchemaSet
from gateway.validation.sources import SchemaError
from gateway.validation.verdict import Verdict

__all__ = ["RULES", "Checker", "Rule", "SchemaError", "SchemaSet", "Verdict"]
