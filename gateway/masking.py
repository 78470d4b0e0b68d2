"""Keeps passwords out of what people and log stores see."""

import re
from typing import Final

# Greedy up to the last @ of the word: a password may hold an @ or a / that nobody escaped. Hiding more does no harm.
_URL_PASSWORD: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*://[^\s:/@]*):[^\s\"'<>]+@")
_PASSWORD_PARAMETER: Final = re.compile(r"([?&](?:ssl)?(?:password|passwd|pwd)=)[^&\s\"'<>]+", re.IGNORECASE)


def mask(text: str) -> str:
    """Put `***` in the place of the password of every URL in a text: `amqp://user:***@host:5672/vhost`.

    Those that are parameters are hidden too: `postgresql://host/database?password=***`.
    """
    if "://" not in text:
        return text
    return _PASSWORD_PARAMETER.sub(r"\1***", _URL_PASSWORD.sub(r"\1:***@", text))
