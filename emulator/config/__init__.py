"""Settings: one table feeds the settings file, the command line and docs/settings.md. Floor 1."""

from emulator.config.cron import Cron, parse_cron
from emulator.config.differences import differences
from emulator.config.limits import DEFAULT_LIMITS, ConnectionMode, Limits
from emulator.config.loading import load, load_all
from emulator.config.model import (
    Config,
    ConnectListener,
    EventLoopChoice,
    LocalProtocol,
    LogFormat,
    LogLevel,
    ServiceBinding,
    Strictness,
)
from emulator.config.settings import SETTINGS
from emulator.config.table import Effect, Kind, Owner, Setting

__all__ = [
    "DEFAULT_LIMITS",
    "SETTINGS",
    "Config",
    "ConnectListener",
    "ConnectionMode",
    "Cron",
    "Effect",
    "EventLoopChoice",
    "Kind",
    "Limits",
    "LocalProtocol",
    "LogFormat",
    "LogLevel",
    "Owner",
    "ServiceBinding",
    "Setting",
    "Strictness",
    "differences",
    "load",
    "load_all",
    "parse_cron",
]
