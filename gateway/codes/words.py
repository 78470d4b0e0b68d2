"""From the names of the standard to words that read: `MaxLimitReached` is `max limit reached`."""

import re
from typing import Final

_WORD: Final = re.compile(r"[A-Z]{2,}(?=[A-Z][a-z])|[A-Z]?[a-z]+(?:-[A-Z]?[a-z]+)*|[A-Z]+(?![a-z])|\d+|[^\sA-Za-z\d.]+")


def in_words(name: str) -> str:
    """Split a name in camel case into words; abbreviations stay in capitals: `IPAddress` is `IP address`."""
    words = _WORD.findall(name)
    return " ".join(word if word.isupper() else word.lower() for word in words)


def with_article(words: str) -> str:
    """Give `a gas meter`, `an electric meter`."""
    return f"{'an' if words[:1].lower() in 'aeio' else 'a'} {words}"


def as_sentence(words: str) -> str:
    """Begin with a capital and end with a full stop."""
    return f"{words[:1].upper()}{words[1:]}."
