"""Whether the gateway serves, for those who ask: probes look for a file, the feed asks for its GET /health."""

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path


class Readiness:
    """Ready for the length of a block, and only then; `file` exists meanwhile, where one is wanted."""

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self.is_ready = False

    @contextlib.contextmanager
    def serving(self) -> Iterator[None]:
        """Be ready for the length of the block."""
        if self._file is not None:
            self._file.write_text(f"{time.time():.0f}\n")
        self.is_ready = True
        try:
            yield
        finally:
            self.is_ready = False
            if self._file is not None:
                self._file.unlink(missing_ok=True)
