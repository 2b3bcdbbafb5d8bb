"""What a worker finds in env beyond bindings: variables and secrets.

Floor 1. Owns where secrets are looked for and which source wins: --var, then secrets, then `vars`.
Must not know what else a settings file says. Sources:
https://developers.cloudflare.com/workers/local-development/environment-variables/ and the
platform's tool, which has .env.NAME before .env.local.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from emulator import errors
from emulator.config.document import read_text, shown_path


class Secrets(NamedTuple):
    """The secrets' values by name, where each is from, and all files that they could come from.

    `notes` are sentences for the user.
    """

    values: Mapping[str, str] = MappingProxyType({})
    places: Mapping[str, str] = MappingProxyType({})
    candidates: tuple[Path, ...] = ()
    notes: tuple[str, ...] = ()


def read_secrets(
    folder: Path,
    environment: str | None,
    *,
    directory: Path,
    with_dot_env: bool = True,
    env_files: Iterable[str] = (),
) -> Secrets:
    """Read the secrets in `folder`: .dev.vars.NAME, else .dev.vars, else all of .env's files.

    `env_files` are read in place of the latter, and must be there. Messages show files relative to
    `directory`. Raises ConfigError.
    """
    own = [".dev.vars"] if environment is None else [f".dev.vars.{environment}", ".dev.vars"]
    shared = [".env", ".env.local"] if with_dot_env else []
    if with_dot_env and environment is not None:
        shared += [f".env.{environment}", f".env.{environment}.local"]
    shared = list(env_files) or shared
    candidates = tuple(folder / name for name in (*own, *shared))
    for file in candidates[: len(own)]:
        if os.path.isfile(file):
            found = _read([file], candidates, directory, with_references=False)
            unread = (errors.SECRETS_UNREAD.format(file=file.name),) if env_files else ()
            return found._replace(notes=unread)
    files = [file for file in candidates[len(own) :] if os.path.isfile(file)]
    for file in candidates[len(own) :]:
        if env_files and file not in files:
            message = errors.SECRETS_MISSING.format(file=shown_path(file, directory))
            raise errors.ConfigError(message)
    if not files:
        return Secrets(candidates=candidates)
    return _read(files, candidates, directory, with_references=True)


def _read(
    files: Iterable[Path], candidates: tuple[Path, ...], directory: Path, *, with_references: bool
) -> Secrets:
    """Read `files`, of which a later one wins."""
    # Imported on use: most projects have no secrets.
    from emulator.config.dotenv import expand, parse

    values: dict[str, str] = {}
    places: dict[str, str] = {}
    for file in files:
        shown = shown_path(file, directory)
        for name, line in parse(read_text(file, shown), shown).items():
            values[name] = line.value
            places[name] = f"{shown}:{line.number}"
    return Secrets(expand(values) if with_references else values, places, candidates)


def only_required(secrets: Secrets, required: Iterable[str] | None, shown: str) -> Secrets:
    """Return the secrets that `required` names, with a note for each that is missing.

    Without `required` they are all returned. `shown` is the settings file.
    """
    if required is None:
        return secrets
    names = list(dict.fromkeys(required))
    missing = (name for name in names if name not in secrets.values)
    files = secrets.candidates[0].name
    return secrets._replace(
        values={name: secrets.values[name] for name in names if name in secrets.values},
        notes=(
            *secrets.notes,
            *(errors.SECRET_MISSING.format(file=shown, name=name, files=files) for name in missing),
        ),
    )


def given_variables(texts: Iterable[str]) -> dict[str, str]:
    """Return the variables of --var, each a KEY:VALUE. Raises ConfigError."""
    values: dict[str, str] = {}
    for text in texts:
        name, colon, value = text.partition(":")
        if not colon or not name:
            raise errors.ConfigError(errors.VARIABLE_FORM.format(found=text))
        values[name] = value
    return values
