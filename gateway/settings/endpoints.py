"""Where answers may be posted: the tables [[endpoints]] of the settings."""

import os
import ssl
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Final, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from gateway.endpoints import Covered, UnusableUrl, Url, read_url
from gateway.endpoints.signing import secret_of

Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]
_PLACES: Final = "authorization_file or authorization_env"


class EndpointSettings(BaseModel):
    """One table [[endpoints]]: a ReplyAddress or a webhook is called only if it lies at or below one of these.

    `authorization_file` and `authorization_env` name where the value of the Authorization header stands, `secret_file`
    and `secret_env` the secrets that sign events; the values themselves are in no setting.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    name: str = Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$", description="A name; answers wait in the queue cim.to.<name>."
    )
    url: str = Field(
        description="What covered URLs begin with: scheme, host and port are the same, and the path is this one or "
        "lies below it."
    )
    timeout: Seconds = Field(
        default=30.0, le=600, description="Seconds for one post, from the connection to the answer; at most 600."
    )
    in_flight: int = Field(
        default=1,
        ge=1,
        le=100,
        description="At most so many posts at a time, in each gateway process: of answers, and of each webhook. With 1 "
        "and one process, answers arrive in their order as long as none is tried again.",
    )
    give_up_after: Seconds = Field(
        default=86_400.0, description="Seconds after which what is not taken becomes a dead letter."
    )
    authorization_file: Path | None = Field(
        default=None,
        description="File with the value of the Authorization header (Bearer ...), read anew for each post.",
    )
    authorization_env: str | None = Field(
        default=None, description="Environment variable with the value of the Authorization header."
    )
    secret_file: Path | None = Field(
        default=None,
        description="File with the secret that signs the events posted to webhooks (whsec_ and base64, as Standard "
        "Webhooks has it), read anew for each post; several, while one takes the place of another, a line each.",
    )
    secret_env: str | None = Field(default=None, description="Environment variable with that secret.")
    ca_file: Path | None = Field(
        default=None, description="Certificates (PEM) by which the server is trusted; without it, the system's."
    )

    @field_validator("url")
    @classmethod
    def _usable(cls, value: str) -> str:
        try:
            prefix = read_url(value)
        except UnusableUrl as error:
            raise ValueError(f"cannot be an endpoint: {error}") from None
        if prefix.has_query:
            raise ValueError("cannot be an endpoint: it has a query (?); write what covered URLs begin with")
        return value

    @field_validator("authorization_file", "secret_file", "ca_file")
    @classmethod
    def _home(cls, value: Path | None) -> Path | None:
        return None if value is None else value.expanduser()

    @model_validator(mode="after")
    def _readable(self) -> Self:
        if self.authorization_file is not None and self.authorization_env is not None:
            raise ValueError(f"write {_PLACES}, not both")
        try:
            self.authorization()
        except OSError as error:
            raise ValueError(f"authorization_file {self.authorization_file} cannot be read: {error.strerror}") from None
        if self.secret_file is not None and self.secret_env is not None:
            raise ValueError("write secret_file or secret_env, not both")
        if self.signs:
            try:
                self.secrets()
            except OSError as error:
                raise ValueError(f"secret_file {self.secret_file} cannot be read: {error.strerror}") from None
        if self.ca_file is not None:
            self._trust(self.ca_file)
        return self

    def _trust(self, file: Path) -> None:
        if self.prefix.scheme != "https":
            raise ValueError("ca_file is for https:// alone")
        try:
            ssl.create_default_context(cafile=file)
        except OSError as error:  # what is no certificate raises ssl.SSLError, which is one
            raise ValueError(f"ca_file {file} cannot be used: {error.strerror or error}") from None

    @property
    def prefix(self) -> Url:
        """The URL as others are held against it."""
        return read_url(self.url)

    @property
    def covered(self) -> Covered:
        """What the endpoint covers."""
        return Covered(self.name, self.prefix)

    @property
    def has_authorization(self) -> bool:
        """Tell whether posts carry an Authorization header."""
        return self.authorization_file is not None or self.authorization_env is not None

    @property
    def exposed(self) -> bool:
        """Tell whether the Authorization goes over a network for all to read."""
        return self.has_authorization and self.prefix.scheme == "http" and not self.prefix.is_loopback

    def authorization(self) -> SecretStr | None:
        """Read the value of the Authorization header. Raises OSError, or ValueError with a text without the value."""
        if self.authorization_file is not None:
            value, where = self.authorization_file.read_bytes().decode("utf-8", "replace").strip(), "authorization_file"
        elif self.authorization_env is not None:
            value, where = os.environ.get(self.authorization_env, ""), f"variable {self.authorization_env}"
        else:
            return None
        if not value:
            raise ValueError(f"the {where} has no value")
        if not (value.isascii() and value.isprintable()):
            raise ValueError(f"the {where} is not one line of plain ASCII text")
        return SecretStr(value)

    def header_value(self) -> str:
        """Read the Authorization header for a post, secret as it is. Raises OSError or ValueError."""
        secret = self.authorization()
        if secret is None:
            raise ValueError(f"neither {_PLACES} is set")
        return secret.get_secret_value()

    @property
    def signs(self) -> bool:
        """Tell whether events are signed."""
        return self.secret_file is not None or self.secret_env is not None

    def secrets(self) -> tuple[bytes, ...]:
        """Read the secrets that sign events. Raises OSError, or ValueError with a text without any of them."""
        if self.secret_file is not None:
            text, where = self.secret_file.read_bytes().decode("utf-8", "replace"), "secret_file"
        else:
            text, where = os.environ.get(self.secret_env or "", ""), f"variable {self.secret_env}"
        if not text.split():
            raise ValueError(f"the {where} has no value")
        try:
            return tuple(map(secret_of, text.split()))
        except ValueError as error:
            raise ValueError(f"the {where} {error}") from None

    def shown(self) -> str:
        """Give the table for people's eyes, the secret as ***."""
        secret = self.authorization_file or f"${self.authorization_env}"
        parts = (
            f"{self.name}: {self.url}",
            f"authorization *** ({secret})" if self.has_authorization else "no authorization",
            *([f"events signed by *** ({self.secret_file or f'${self.secret_env}'})"] if self.signs else []),
            f"{self.in_flight} at a time",
            f"timeout {self.timeout:g} s",
            f"given up after {self.give_up_after:g} s",
        )
        return ", ".join(parts)


def clashes(tables: Iterable[EndpointSettings]) -> Iterator[str]:
    """Tell which tables have the same name, or cover the same."""
    names: set[str] = set()
    prefixes: dict[tuple[object, ...], str] = {}
    for table in tables:
        if table.name in names:
            yield f"{table.name} is the name of more than one table [[endpoints]]"
        names.add(table.name)
        url = table.prefix
        first = prefixes.setdefault((url.scheme, url.host, url.port, url.segments), table.name)
        if first != table.name:
            yield f"{first} and {table.name} have the same url"
