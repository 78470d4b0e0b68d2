"""Who acts: as the journal names an operator."""

import getpass
import os


def login_name() -> str:
    """Give the login name; in a container whose user has none, its number."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # 3.13 raises OSError
        return f"uid {os.getuid()}"
