"""Keeps passwords out of what people and log stores see."""

import re
from typing import Final

# Greedy up to the last @ before the path: a password may hold an @ that nobody escaped.
_URL_PASSWORD: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*://[^\s:/@]*):[^\s/]+@")


def mask(text: str) -> str:
    """Put `***` in the place of the password of every URL in a text: `amqp://user:***@host:5672/vhost`."""
    if "://" not in text:
        return text
    return _URL_PASSWORD.sub(r"\1:***@", text)
