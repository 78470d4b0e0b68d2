"""Holds two schemas of one noun against each other: what one allows and the other does not."""

from gateway.validation.comparison.differences import Difference, Side
from gateway.validation.comparison.walking import compare

__all__ = ["Difference", "Side", "compare"]
