"""Every source of settings, read and checked, before one Config is made of them.

Floor 1. Owns the order of the sources: the command line, then the settings file, then the
environment's variables, then the table's defaults. Must not know what a setting means.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple, cast

from emulator import errors
from emulator.config.document import Document, find, read
from emulator.config.settings import setting
from emulator.config.table import Kind, Setting
from emulator.config.validation import Values, validate

_BOOLEANS = {"true": True, "false": False}


class Sources(NamedTuple):
    """What each source says.

    `given` is the command line by setting name, without what it does not say; `document` the
    settings file, None when there is none; `values` what that says for `environment`; `searched`
    the settings files that would be read in its place if they were there.
    """

    directory: Path
    given: Mapping[str, object]
    environ: Mapping[str, str]
    document: Document | None
    values: Values
    environment: str | None
    searched: tuple[Path, ...]
    notes: tuple[str, ...]

    @property
    def shown(self) -> str:
        """The settings file as messages show it; empty without one."""
        return "" if self.document is None else self.document.shown

    def chosen(self, name: str) -> object:
        """Return the value of the setting `name` from the first source that has it."""
        row = setting(name)
        if name in self.given:
            return self.given[name]
        if name in self.values.plain:
            return self.values.plain[name]
        if row.variable is not None and self.environ.get(row.variable):
            return _of_variable(row, self.environ[row.variable])
        return row.default

    def added(self, name: str) -> tuple[str, ...]:
        """Return the strings of the setting `name`: the file's, then the command line's."""
        of_file = cast("list[str]", self.values.plain.get(name, []))
        return (*of_file, *cast("tuple[str, ...]", self.given.get(name, ())))

    def path(self, name: str) -> Path | None:
        """Return a path: the command line's is relative to `directory`, the file's to the file."""
        if name in self.given:
            return self.directory / cast("str", self.given[name])
        if self.document is None or name not in self.values.plain:
            return None
        return self.document.path.parent / cast("str", self.values.plain[name])

    def origin(self, name: str) -> str:
        """Return the words for where the settings file has the setting `name`, and its key."""
        assert self.document is not None
        path = self.values.places[name]
        return f"{self.document.place(path)}: `{path}`"

    def refusal(
        self, template: str, name: str, /, *, index: int | None = None, **fields: object
    ) -> errors.ConfigError:
        """Return the error about what the settings file says of the setting or array `name`.

        `index` is the entry that is meant, from 0.
        """
        assert self.document is not None
        path = self.values.places[name]
        key = path if index is None else f"{path}[{index}]"
        return self.document.refusal(template, key, **fields)


def gather(
    config_file: Path | None,
    overrides: Mapping[str, object],
    directory: Path,
    environ: Mapping[str, str],
) -> Sources:
    """Find the settings file, read it and choose its environment. Raises ConfigError."""
    given = {name: value for name, value in overrides.items() if value is not None}
    document, searched = _document(config_file, cast("str | None", given.get("main")), directory)
    environment = cast("str | None", given.get("environment", environ.get("CLOUDFLARE_ENV")))
    # An empty name is the top level, which --env="" chooses over the variable.
    environment = environment or None
    values, notes = Values({}, {}, [], {}), cast("tuple[str, ...]", ())
    if document is None:
        pass
    elif environment is None:
        values = validate(document)
    else:
        # Imported on use: most projects have one environment.
        from emulator.config.environments import select

        values, notes = select(document, environment)
    return Sources(directory, given, environ, document, values, environment, searched, notes)


def _document(
    config_file: Path | None, script: str | None, directory: Path
) -> tuple[Document | None, tuple[Path, ...]]:
    if config_file is not None:
        path = directory / config_file
        return read(path.resolve(), directory), ()
    start = directory if script is None else (directory / script).resolve().parent
    found, searched = find(start)
    return (None if found is None else read(found, directory)), searched


def _of_variable(row: Setting, text: str) -> object:
    choices = tuple(_BOOLEANS) if row.kind is Kind.BOOLEAN else row.choices
    if choices and text not in choices:
        message = errors.VARIABLE_WRONG_VALUE.format(
            variable=row.variable, expected=", ".join(choices), found=text
        )
        raise errors.ConfigError(message)
    return _BOOLEANS[text] if row.kind is Kind.BOOLEAN else text
