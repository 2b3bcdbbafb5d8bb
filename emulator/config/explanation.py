"""What is in force, setting by setting, and which source says so.

Floor 1. Owns how a setting is named and shown to people; must not know a terminal or a command. A
secret's value leaves this file hidden.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from emulator import errors
from emulator.config.limits import MIB
from emulator.config.loading import each_worker, resolve, secrets_of
from emulator.config.model import Config
from emulator.config.settings import SETTINGS
from emulator.config.sources import Sources, gather
from emulator.config.table import Effect, Setting
from emulator.config.variables import given_variables
from emulator.printable import printable

# Settings that are no field of a Config, or that are shown one by one.
_NO_FIELD = (
    "config_file",
    "environments",
    "vars",
    "var",
    "env_file",
    "secrets_required",
    "load_dot_env",
)
_READERS: dict[str, Callable[[Config], object]] = {
    "crons": lambda config: [cron.text for cron in config.crons],
    "connections": lambda config: config.limits.connections,
    "connection_mode": lambda config: config.limits.connection_mode,
    "subrequests": lambda config: config.limits.subrequests,
    "cpu_ms": lambda config: config.limits.cpu_ms,
    "wait_until_seconds": lambda config: config.limits.wait_until_seconds,
    "body_mb": lambda config: config.limits.body_bytes // MIB,
    "strict": lambda config: config.strict is not None,
    "strict_allow": lambda config: sorted(config.strict.allowed) if config.strict else [],
}


@dataclass(frozen=True, slots=True)
class InForce:
    """One setting: what people call it, its name in the table or its array, and its value.

    The value is one that JSON can hold; None when it is hidden.
    """

    label: str
    name: str
    value: object
    hidden: bool = False

    @property
    def text(self) -> str:
        """The value as people read it."""
        if self.hidden:
            return errors.HIDDEN
        return errors.NOTHING if self.value is None else shown_value(self.value)


@dataclass(frozen=True, slots=True)
class Explanation:
    """One worker's settings, each with the words for where it is from."""

    config: Config
    settings: tuple[tuple[InForce, str], ...]


def shown_value(value: object) -> str:
    """Return a value that JSON can hold as people read it, on one line."""
    return printable(json.dumps(value, ensure_ascii=False))


def in_force(config: Config) -> Iterator[InForce]:
    """Give every setting of `config`, in the order of the table, then arrays and variables."""
    for row in SETTINGS:
        if (
            row.effect is Effect.APPLIED
            and row.name not in _NO_FIELD
            and "[]" not in (row.key or "")
        ):
            read = _READERS.get(row.name)
            value = getattr(config, row.name) if read is None else read(config)
            yield InForce(_label(row), row.name, _plain(value))
    for number, listener in enumerate(config.connect):
        listens = {
            "protocol": listener.protocol,
            "port": listener.port,
            "address": listener.address,
        }
        yield InForce(f"connect[{number}]", "connect", listens)
    for service in config.services:
        bound = {
            "service": service.service,
            "entrypoint": service.entrypoint,
            "environment": service.environment,
        }
        given = {key: value for key, value in bound.items() if value is not None}
        yield InForce(f"services {service.binding}", "services", given)
    for name, value in config.vars.items():
        hidden = name in config.secrets
        yield InForce(f"vars.{name}", "vars", None if hidden else value, hidden)


def explain(
    config_files: Sequence[Path] = (),
    overrides: Mapping[str, object] | None = None,
    *,
    directory: Path | None = None,
    environ: Mapping[str, str] | None = None,
) -> tuple[Explanation, ...]:
    """Read the settings as `load_all` does, and say where each is from. Raises ConfigError."""
    folder = (directory or Path.cwd()).resolve()
    variables = os.environ if environ is None else environ
    return tuple(
        _explained(gather(file, given, folder, variables))
        for file, given in each_worker(config_files, overrides)
    )


def _explained(sources: Sources) -> Explanation:
    config = resolve(sources)
    origins = _Origins(sources, config)
    return Explanation(
        config, tuple((setting, origins.of(setting)) for setting in in_force(config))
    )


class _Origins:
    """Where each setting of one worker is from."""

    def __init__(self, sources: Sources, config: Config) -> None:
        self._sources = sources
        self._secrets = secrets_of(sources, config.main)
        self._given = given_variables(sources.added("var"))
        self._entries: dict[str, int] = {}

    def of(self, setting: InForce) -> str:
        """Return the words for where `setting` is from; entries of an array are asked in order."""
        if setting.name == "vars":
            return self._of_variable(setting.label.removeprefix("vars."))
        if setting.name in self._sources.values.repeated:
            number = self._entries.get(setting.name, 0)
            self._entries[setting.name] = number + 1
            return self._line(f"{self._sources.values.places[setting.name]}[{number}]")
        found = []
        if setting.name in self._sources.values.plain:
            found.append(self._line(self._sources.values.places[setting.name]))
        given = self._sources.given.get(setting.name)
        if given not in (None, ()):
            # What may be given several times adds to the file; anything else takes its place.
            found = (
                [*found, errors.FROM_COMMAND_LINE]
                if isinstance(given, tuple)
                else [errors.FROM_COMMAND_LINE]
            )
        return ", ".join(found) or self._of_process(setting.name)

    def _of_variable(self, name: str) -> str:
        if name in self._given:
            return errors.FROM_COMMAND_LINE
        if name in self._secrets.places:
            return self._secrets.places[name]
        return self._line(f"{self._sources.values.places['vars']}.{name}")

    def _of_process(self, name: str) -> str:
        variable = next(row.variable for row in SETTINGS if row.name == name)
        if variable is not None and self._sources.environ.get(variable):
            return errors.FROM_VARIABLE.format(name=variable)
        return errors.FROM_DEFAULT

    def _line(self, key: str) -> str:
        document = self._sources.document
        assert document is not None
        line = document.line_of(key)
        return document.shown if line is None else f"{document.shown}:{line}"


def _label(row: Setting) -> str:
    if row.key is not None:
        return row.key
    return row.option[-1].split("/")[0] if row.option else str(row.variable)


def _plain(value: object) -> object:
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, (tuple, list)):
        return [_plain(item) for item in value]
    return value
