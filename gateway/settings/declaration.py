"""What can be set: each setting is declared once, and what shows or documents the settings is made from here."""

from pathlib import Path
from typing import Annotated, Final, Literal, Self
from urllib.parse import quote, urlsplit

from pydantic import ByteSize, Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from gateway.endpoints import Coverage
from gateway.masking import mask
from gateway.message import Limits
from gateway.settings.endpoints import EndpointSettings, clashes
from gateway.settings.feed import FeedSettings
from gateway.settings.outages import OutageSettings
from gateway.settings.sources import SourceSettings, named_twice

PREFIX: Final = "CIMGATE_"
_MIB: Final = 1024 * 1024

Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Days = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Bytes = Annotated[ByteSize, Field(ge=1)]


class Settings(BaseSettings):
    """The settings of one gateway process. Durations are seconds, sizes bytes (`"16 MiB"` is understood).

    `Settings(...)` takes its arguments and the defaults, and reads nothing of its surroundings: `load` does that.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_ignore_empty=True,
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        validate_default=True,
    )

    amqp_url: SecretStr = Field(
        default=SecretStr("amqp://guest:guest@127.0.0.1:5672/"),
        description="The broker: amqp://user:password@host:port/vhost, or amqps:// for TLS.",
    )
    amqp_password: SecretStr | None = Field(
        default=None, description="The broker's password; stands in for the one in amqp_url."
    )
    context: str = Field(
        default="TESTING",
        pattern=r"^[A-Z][A-Z0-9_-]*$",
        description="The Header.Context this gateway serves; others are refused. PRODUCTION must be named on purpose.",
    )
    name: str = Field(
        default="cimgate",
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$",
        description="Header.Source and app_id of the messages that the gateway itself sends.",
    )
    routes: Path | None = Field(
        default=None, description="Folder of routing tables (*.toml); without it, those that come with cimgate."
    )
    schemas: Path | None = Field(
        default=None,
        description="Folder of XSDs, with its subfolders; each replaces ours for its target namespace.",
    )
    store: SecretStr = Field(
        default=SecretStr("sqlite:///cimgate.db"),
        description="Where conversations are kept: sqlite:///FILE or postgresql://USER:PASSWORD@HOST:PORT/DATABASE. A "
        "relative FILE is below the folder that the gateway is started in; several gateways share one store.",
    )
    request_timeout: Seconds = Field(
        default=60.0, description="Seconds until a request is answered with 4.1, where neither it nor its route say."
    )
    resend_after: Seconds = Field(
        default=60.0,
        description="Seconds until what conversations said and the broker did not confirm is published again, marked: "
        "it only waits for this long after a crash or a cut connection.",
    )
    keep_conversations: Days = Field(
        default=100.0,
        description="Days for which a conversation is kept after it has ended and nothing has touched it. Until then "
        "repeated requests get its answer, and what follows from it is tied to its asker. Alarms stay until closed.",
    )
    journal: Literal["full", "headers", "off"] = Field(
        default="full",
        description="How much the journal keeps of a message where its route does not say: with its bytes, without, or "
        "nothing. Dead letters are kept in any case.",
    )
    keep_journal: Days = Field(default=90.0, description="Days for which the journal keeps a message.")
    keep_journal_of: dict[str, Days] = Field(
        default={}, description="Days for single nouns, e.g. { MeterReadings = 400, EndDeviceEvents = 30 }."
    )
    journal_bytes: Bytes | None = Field(
        default=None, description="Bytes that the journal may take on the disk; beyond, the oldest messages go first."
    )
    masks: dict[str, tuple[str, ...]] = Field(
        default={},
        description="Personal data, masked before anything is kept: paths by noun, * for all, "
        'e.g. { CustomerConfig = ["//Customer/name"] }.',
    )
    allow_cancel_of_get: bool = Field(
        default=False,
        description="Let a cancel name a get that is not answered yet, by its CorrelationID: the pattern of Annex M "
        "that is not recommended. Both are answered, with a warning in the log.",
    )
    publish_events: bool = Field(
        default=True,
        description="Publish every valid event on exchange cim.out too, for subscribers: nearly half the work again. "
        "Without it only events that the gateway itself makes (publish in a route) go there.",
    )
    prefetch: int = Field(
        default=500, ge=1, le=10_000, description="How many messages the broker hands over ahead of their settlement."
    )
    batch: int = Field(default=100, ge=1, le=10_000, description="At most so many messages are handled in one go.")
    max_message_bytes: Bytes = Field(
        default=ByteSize(16 * _MIB), description="Bytes of a message as sent; a larger one is refused unread."
    )
    max_decompressed_bytes: Bytes = Field(
        default=ByteSize(64 * _MIB), description="Bytes of a compressed payload once unpacked."
    )
    max_compression_ratio: int = Field(
        default=200, ge=2, description="Unpacked bytes for one packed byte, above 1 MiB unpacked."
    )
    off_loop_bytes: Bytes = Field(
        default=ByteSize(50_000), description="A message of more bytes is checked in a worker thread."
    )
    confirm_timeout: Seconds = Field(
        default=30.0, description="Seconds until a missing publisher confirm means that the connection is given up."
    )
    reconnect_first: Seconds = Field(default=0.5, description="Seconds before the first attempt to reconnect.")
    reconnect_most: Seconds = Field(
        default=30.0, description="Seconds between two attempts to reconnect, at most; they grow up to here."
    )
    heartbeat: int = Field(
        default=20, ge=1, le=65_535, description="Seconds between AMQP heartbeats (whole seconds on the wire)."
    )
    stop_timeout: Seconds = Field(
        default=25.0, description="Seconds to finish what is in hand after the signal to stop."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="The least grave level that is logged."
    )
    log_format: Literal["auto", "console", "json"] = Field(
        default="auto", description="console for people, json for log stores; auto: console on a terminal."
    )
    ready_file: Path | None = Field(
        default=None, description="A file that exists as long as the gateway is ready, for probes."
    )

    sources: tuple[SourceSettings, ...] = Field(
        default=(), description="Tables [[sources]], one for each source that writes or is judged otherwise; see docs."
    )
    endpoints: tuple[EndpointSettings, ...] = Field(
        default=(),
        description="Tables [[endpoints]], one for each place to which answers may be posted; a ReplyAddress that is a "
        "URL is called only if one covers it. See docs.",
    )
    feed: FeedSettings = Field(
        default=FeedSettings(),
        description="Table [feed]: events of subscriptions for HTTP clients, with tables [[feed.tokens]]; off unless "
        "its `listen` is set. See docs.",
    )

    outages: OutageSettings = Field(
        default=OutageSettings(),
        description="The table [outages]: who has no power, kept for each device and told to a system. See docs.",
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - the signature is pydantic's
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take the arguments alone: `load` reads the other sources, and knows then what came from where."""
        return (init_settings,)

    @field_validator("amqp_url")
    @classmethod
    def _is_amqp_url(cls, value: SecretStr) -> SecretStr:
        # What urlsplit says of a wrong port quotes the password, so its words are not handed on.
        try:
            parts = urlsplit(value.get_secret_value())
            usable = parts.scheme in ("amqp", "amqps") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            usable = False
        if not usable:
            raise ValueError(
                "must be amqp://user:password@host:port/vhost (or amqps://), with / ? # in the password written as "
                "%2F %3F %23"
            )
        return value

    @field_validator("log_level", "log_format", mode="before")
    @classmethod
    def _lower(cls, value: object) -> object:
        return value.lower() if isinstance(value, str) else value

    @field_validator("routes", "schemas", "ready_file")
    @classmethod
    def _home(cls, value: Path | None) -> Path | None:
        return None if value is None else value.expanduser()

    @field_validator("sources")
    @classmethod
    def _one_table_each(cls, value: tuple[SourceSettings, ...]) -> tuple[SourceSettings, ...]:
        twice = sorted(set(named_twice(value)))
        if twice:
            raise ValueError(f"{', '.join(twice)} has more than one table [[sources]]")
        return value

    @field_validator("endpoints")
    @classmethod
    def _told_apart(cls, value: tuple[EndpointSettings, ...]) -> tuple[EndpointSettings, ...]:
        if problems := list(clashes(value)):
            raise ValueError("; ".join(problems))
        return value

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.reconnect_first > self.reconnect_most:
            raise ValueError(
                f"reconnect_first ({self.reconnect_first:g} s) must not exceed "
                f"reconnect_most ({self.reconnect_most:g} s)"
            )
        return self

    @model_validator(mode="after")
    def _heard(self) -> Self:
        if self.outages.on and not self.publish_events:
            raise ValueError(
                "[outages] on = true needs publish_events = true: the outage view reads what is published on cim.out"
            )
        return self

    def limits(self) -> Limits:
        """Give the limits within which messages are read."""
        return Limits(
            message_bytes=self.max_message_bytes,
            decompressed_bytes=self.max_decompressed_bytes,
            compression_ratio=self.max_compression_ratio,
        )

    def coverage(self) -> Coverage:
        """Give which URLs the endpoints cover."""
        return Coverage(table.covered for table in self.endpoints)

    def broker_url(self) -> str:
        """Give the URL to connect with, password included: for the AMQP client, never for a log."""
        url = self.amqp_url.get_secret_value()
        if self.amqp_password is None:
            return url
        parts = urlsplit(url)
        account, _, host = parts.netloc.rpartition("@")
        user = account.partition(":")[0] or "guest"
        password = quote(self.amqp_password.get_secret_value(), safe="")
        return parts._replace(netloc=f"{user}:{password}@{host}").geturl()

    def masked(self) -> dict[str, str | int | float | None]:
        """Give every setting for people's eyes: paths as text, passwords as `***`."""
        return {name: _shown(getattr(self, name)) for name in type(self).model_fields}


def _shown(value: object) -> str | int | float | None:
    if isinstance(value, SecretStr):
        secret = value.get_secret_value()
        return mask(secret) if "://" in secret else "***"
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, OutageSettings | FeedSettings):
        return value.shown()
    if isinstance(value, tuple):
        return "; ".join(table.shown() for table in value) or None
    return str(value)
