"""Names of elements, as words."""

import re
from typing import Final

_HUMP: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def phrase(name: str) -> str:
    """Give a name as words: `siteAccessProblem` becomes `site access problem`."""
    return _HUMP.sub(" ", name).lower()


def singular(name: str) -> str:
    """Give the name of one of several: `ComFunctions` becomes `ComFunction`."""
    return name[:-1] if name.endswith("s") and not name.endswith("ss") else name
