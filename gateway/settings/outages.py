"""The outage view: the table [outages] of the settings."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator

from gateway.adapters.oms import BatchPolicy
from gateway.outages import BadOutageCode, OutageCodes, Policy

Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]
SecondsOrNone = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class OutageSettings(BaseModel):
    """The table [outages]: whether the gateway keeps for each device whether it has power, and whom it tells."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    on: bool = Field(default=False, description="Keep the view, and tell the system what changes.")
    to: str = Field(default="OMS", min_length=1, description="The system that is told, as its routing table names it.")
    momentary: SecondsOrNone = Field(default=300.0, description="An outage of at most so many seconds is momentary.")
    merge: SecondsOrNone = Field(
        default=60.0, description="Losses within so many seconds of each other are one outage told again."
    )
    calm: int = Field(
        default=10, ge=0, description="Up to so many reports in `window` each go out at once; beyond, it is a storm."
    )
    window: Seconds = Field(default=10.0, description="Seconds over which reports are counted for `calm`.")
    count: int = Field(default=500, ge=1, le=10_000, description="In a storm: so many reports in a message.")
    seconds: Seconds = Field(default=5.0, description="In a storm: a report waits for at most so many seconds.")
    suppress_momentary: SecondsOrNone = Field(
        default=0.0,
        description="Each loss waits for so many seconds, and is not told where power is back by then; 0 tells all.",
    )
    codes: dict[str, str] = Field(
        default={},
        description='Codes of the site, each with what it means: { "3.26.0.300" = "momentary" }. A meaning is out, '
        "restored, momentary, last gasp or none; voltage or phase behind it where it is not the whole supply.",
    )

    @field_validator("codes")
    @classmethod
    def _readable(cls, value: dict[str, str]) -> dict[str, str]:
        try:
            OutageCodes(value)
        except BadOutageCode as error:
            raise ValueError(str(error).rstrip(".")) from None
        return value

    def outage_codes(self) -> OutageCodes:
        """Give the codes that count."""
        return OutageCodes(self.codes)

    def policy(self) -> Policy:
        """Give how events are judged."""
        return Policy(momentary=self.momentary, merge=self.merge)

    def batching(self) -> BatchPolicy:
        """Give how reports are gathered."""
        return BatchPolicy(self.calm, self.window, self.count, self.seconds, self.suppress_momentary)

    def shown(self) -> str:
        """Give the table for people's eyes."""
        if not self.on:
            return "off"
        parts = [
            f"to {self.to}",
            f"momentary up to {self.momentary:g} s",
            f"merged within {self.merge:g} s",
            f"a storm beyond {self.calm} in {self.window:g} s: {self.count} in a message, or for {self.seconds:g} s",
        ]
        if self.suppress_momentary:
            parts.append(f"losses held for {self.suppress_momentary:g} s")
        parts += [f"{code} is {meaning}" for code, meaning in self.codes.items()]
        return ", ".join(parts)
