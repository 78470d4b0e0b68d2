"""Who may read events over HTTP: the table [feed] of the settings, and its tables [[feed.tokens]]."""

import os
import re
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Final, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]
_ADDRESS: Final = re.compile(r"(?:\[(?P<six>[0-9A-Fa-f:.]+)\]|(?P<host>[A-Za-z0-9.-]+)):(?P<port>[0-9]{1,5})", re.ASCII)
_TOKEN: Final = re.compile(r"[A-Za-z0-9._~+/-]{16,}=*", re.ASCII)
_PORTS: Final = 65_535


class TokenSettings(BaseModel):
    """One table [[feed.tokens]]. `file` or `env` names where the token stands; the token itself is in no setting."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$", description="Who has it, for the log.")
    file: Path | None = Field(default=None, description="File with the token, read anew for each request.")
    env: str | None = Field(default=None, description="Environment variable with the token.")
    subscriptions: tuple[str, ...] = Field(min_length=1, description="The subscriptions that it reads; * for all.")
    clients: int = Field(default=10, ge=1, le=1_000, description="At most so many clients at a time have it.")

    @field_validator("subscriptions", mode="before")
    @classmethod
    def _several(cls, value: object) -> object:
        return (value,) if isinstance(value, str) else value

    @field_validator("file")
    @classmethod
    def _home(cls, value: Path | None) -> Path | None:
        return None if value is None else value.expanduser()

    @model_validator(mode="after")
    def _readable(self) -> Self:
        if (self.file is None) == (self.env is None):
            raise ValueError("write file or env, the place where the token stands")
        try:
            self.secret()
        except OSError as error:
            raise ValueError(f"file {self.file} cannot be read: {error.strerror}") from None
        return self

    def secret(self) -> str:
        """Read the token, secret as it is. Raises OSError, or ValueError with a text without the token."""
        if self.file is not None:
            value, where = self.file.read_bytes().decode("utf-8", "replace").strip(), f"file {self.file}"
        else:
            value, where = os.environ.get(self.env or "", ""), f"variable {self.env}"
        if not _TOKEN.fullmatch(value):
            raise ValueError(
                f"the {where} has no token: write one line of at least 16 letters, digits, . _ ~ + / or - (such as "
                "`openssl rand -base64 32` gives)"
            )
        return value

    def shown(self) -> str:
        """Give the table for people's eyes, the token as ***."""
        return f"{self.name}: *** ({self.file or f'${self.env}'}) reads {', '.join(self.subscriptions)}"


class FeedSettings(BaseModel):
    """The table [feed]: events of subscriptions as server-sent events; off unless `listen` is set."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    listen: str | None = Field(
        default=None, description="HOST:PORT, such as 127.0.0.1:8750; without tokens it must be of loopback."
    )
    clients: int = Field(default=100, ge=1, le=1_000, description="At most so many clients at a time.")
    heartbeat: Seconds = Field(default=15.0, le=600, description="Seconds without an event after which a sign is sent.")
    patience: Seconds = Field(
        default=60.0, le=3_600, description="Seconds for which a client may take nothing; then it is cut off."
    )
    tokens: tuple[TokenSettings, ...] = Field(default=(), description="Tables [[feed.tokens]].")

    @field_validator("listen")
    @classmethod
    def _usable(cls, value: str | None) -> str | None:
        if value is not None:
            found = _ADDRESS.fullmatch(value)
            if found is None or not 0 < int(found["port"]) <= _PORTS:
                raise ValueError("must be HOST:PORT, such as 127.0.0.1:8750 or [::1]:8750")
        return value

    @model_validator(mode="after")
    def _guarded(self) -> Self:
        names = [token.name for token in self.tokens]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"{', '.join(twice)} has more than one table [[feed.tokens]]")
        if self.listen is not None and not self.tokens and not self.is_loopback:
            raise ValueError(
                f"listen is {self.listen}, where others can reach it: add a table [[feed.tokens]] for each reader, or "
                "listen at 127.0.0.1"
            )
        return self

    @property
    def address(self) -> tuple[str, int]:
        """Where to listen. Only where `listen` is set."""
        found = _ADDRESS.fullmatch(self.listen or "")
        if found is None:
            raise ValueError("the feed is off")
        return found["six"] or found["host"], int(found["port"])

    @property
    def is_loopback(self) -> bool:
        """Tell whether only programs of this machine reach the feed."""
        host = self.address[0]
        try:
            return ip_address(host).is_loopback
        except ValueError:
            return host.lower() == "localhost"

    def shown(self) -> str:
        """Give the table for people's eyes."""
        if self.listen is None:
            return "off"
        tokens = f"tokens of {', '.join(token.name for token in self.tokens)}" if self.tokens else "no tokens"
        return f"{self.listen}, {tokens}, at most {self.clients} clients"
