"""Settings: declared once, read from arguments, environment, secret files, a TOML file and defaults."""

from gateway.settings.declaration import Settings
from gateway.settings.endpoints import EndpointSettings
from gateway.settings.feed import FeedSettings, TokenSettings
from gateway.settings.loading import Loaded, Origin, SettingsError, Source, load, trace, unknown_variables
from gateway.settings.outages import OutageSettings
from gateway.settings.sources import SourceSettings

__all__ = [
    "EndpointSettings",
    "FeedSettings",
    "Loaded",
    "Origin",
    "OutageSettings",
    "Settings",
    "SettingsError",
    "Source",
    "SourceSettings",
    "TokenSettings",
    "load",
    "trace",
    "unknown_variables",
]
