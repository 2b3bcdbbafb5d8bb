"""Settings: one table feeds the settings file, the command line and docs/settings.md. Floor 1."""

from emulator.config.loading import load
from emulator.config.model import Config, ConnectListener, EventLoopChoice
from emulator.config.settings import SETTINGS, Effect, Kind, Owner, Setting

__all__ = [
    "SETTINGS",
    "Config",
    "ConnectListener",
    "Effect",
    "EventLoopChoice",
    "Kind",
    "Owner",
    "Setting",
    "load",
]
