"""From every source of settings to one Config.

Floor 1. Owns the order of the sources: the command line, then the settings file, then the
environment's variables, then the table's defaults. Must not know how the file is parsed or what a
command looks like.
"""

from __future__ import annotations

import difflib
import json
import os
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import cast

from emulator import errors
from emulator.config.document import Document, find, is_readable_format, read, shown_path
from emulator.config.limits import (
    MIB,
    STRICT_CPU_MS,
    STRICT_VARIABLE_BYTES,
    STRICT_VARIABLES,
    ConnectionMode,
    Limits,
)
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
from emulator.config.settings import FILE_NAMES, setting
from emulator.config.validation import Values, is_seconds, validate

_WORKER_NAME = re.compile(r"[a-z0-9_][a-z0-9_-]*")
_HOST_AND_PORT = re.compile(r"[^\s/]+:\d+")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")

# What the command line says of every worker, not of the first alone.
_SHARED_OVERRIDES = ("environment",)


def load_all(
    config_files: Sequence[Path] = (),
    overrides: Mapping[str, object] | None = None,
    *,
    directory: Path | None = None,
    environ: Mapping[str, str] | None = None,
) -> tuple[Config, ...]:
    """Read one Config for each of `config_files`, or the one that `load` finds without any.

    `overrides` go to the first, those about all workers to each. Raises ConfigError as `load` does.
    """
    first, *others = (*config_files,) or (None,)
    shared = {name: (overrides or {}).get(name) for name in _SHARED_OVERRIDES}
    return (
        load(first, overrides, directory=directory, environ=environ),
        *(load(file, shared, directory=directory, environ=environ) for file in others),
    )


def load(
    config_file: Path | None = None,
    overrides: Mapping[str, object] | None = None,
    *,
    directory: Path | None = None,
    environ: Mapping[str, str] | None = None,
) -> Config:
    """Read the settings in force.

    `config_file` is read if given; else the nearest settings file of the folder of
    `overrides["main"]`, or of `directory` (default: the current one), and the folders above.
    `overrides` are what the command line says, by setting name, None meaning nothing; its `main` is
    relative to `directory`; what may be given several times is a list, and adds to what the file
    says. `environ` defaults to the process's. Raises ConfigError with a sentence
    for the user.
    """
    directory = (directory or Path.cwd()).resolve()
    given = {name: value for name, value in (overrides or {}).items() if value is not None}
    script = cast("str | None", given.get("main"))
    notes: list[str] = []
    document = _read_document(config_file, script, directory, notes)
    values = Values({}, {}, []) if document is None else validate(document)
    if document is not None:
        _check_formats(document, values)
        notes += [errors.CONFIG_NOTED.format(file=document.shown, key=key) for key in values.noted]
    main = _main(script, document, values, directory)

    def chosen(name: str) -> object:
        return given.get(name, values.plain.get(name, setting(name).default))

    strict = None
    if chosen("strict") or (chosen("strict") is None and "strict_allow" in values.plain):
        strict = Strictness(_allowed(document, values))
        _check_variables(document, values)

    return Config(
        name=cast("str | None", chosen("name")) or _name_after(main),
        main=main,
        compatibility_date=cast("str | None", chosen("compatibility_date")),
        compatibility_flags=tuple(cast("list[str]", values.plain.get("compatibility_flags", []))),
        vars=MappingProxyType(cast("dict[str, object]", values.plain.get("vars", {}))),
        connect=_listeners(document, values),
        ip=cast("str", chosen("ip")),
        port=cast("int", chosen("port")),
        tls_ca=_authorities(given, document, values, directory),
        tls_insecure=(*_added(values.plain, "tls_insecure"), *_added(given, "tls_insecure")),
        connect_timeout_seconds=_seconds(chosen("connect_timeout_seconds")),
        limits=_limits(chosen, document, strict=strict is not None),
        strict=strict,
        event_loop=_event_loop(os.environ if environ is None else environ),
        source=None if document is None else document.path,
        notes=tuple(notes),
        environment=cast("str | None", chosen("environment")),
        services=_services(values),
        crons=_added(values.plain, "crons"),
        run_crons=bool(chosen("run_crons")),
        local_protocol=LocalProtocol(chosen("local_protocol")),
        https_key_path=_placed("https_key_path", given, document, values, directory),
        https_cert_path=_placed("https_cert_path", given, document, values, directory),
        unix_socket=_placed("unix_socket", given, document, values, directory),
        reload=bool(chosen("reload")),
        keep_last_good=bool(chosen("keep_last_good")),
        log_level=LogLevel(chosen("log_level")),
        log_format=LogFormat(chosen("log_format")),
        sources=() if document is None else (document.path,),
    )


def _services(values: Values) -> tuple[ServiceBinding, ...]:
    return tuple(
        ServiceBinding(
            cast("str", entry["service_binding"]),
            cast("str", entry["service_name"]),
            cast("str | None", entry.get("service_entrypoint")),
            cast("str | None", entry.get("service_environment")),
        )
        for entry in values.repeated.get("services", [])
    )


def _placed(
    name: str,
    given: Mapping[str, object],
    document: Document | None,
    values: Values,
    directory: Path,
) -> Path | None:
    """A path: the command line's is relative to `directory`, the file's to the file."""
    if name in given:
        return (directory / cast("str", given[name])).absolute()
    if document is None or name not in values.plain:
        return None
    return (document.path.parent / cast("str", values.plain[name])).absolute()


def _read_document(
    config_file: Path | None, script: str | None, directory: Path, notes: list[str]
) -> Document | None:
    if config_file is not None:
        return read((directory / config_file).resolve(), directory)
    start = directory if script is None else (directory / script).resolve().parent
    path = find(start)
    if path is None:
        return None
    if script is not None and not is_readable_format(path):
        notes.append(errors.CONFIG_JSON_SKIPPED.format(file=shown_path(path, directory)))
        return None
    return read(path, directory)


def _check_formats(document: Document, values: Values) -> None:
    name = values.plain.get("name")
    if isinstance(name, str) and not _WORKER_NAME.fullmatch(name):
        raise errors.ConfigError(errors.CONFIG_NAME.format(file=document.shown, name=name))
    date = values.plain.get("compatibility_date")
    if isinstance(date, str) and not _DATE.fullmatch(date):
        raise errors.ConfigError(errors.CONFIG_DATE.format(file=document.shown, date=date))


def _main(script: str | None, document: Document | None, values: Values, directory: Path) -> Path:
    """The worker's file: SCRIPT, else the file's `main`."""
    if script is not None:
        path = (directory / script).resolve()
        _check_worker_file(path, directory, f"SCRIPT {script}")
        return path
    if document is None:
        names = ", ".join(FILE_NAMES[:2])
        raise errors.ConfigError(errors.CONFIG_NO_WORKER.format(names=names))
    main = values.plain.get("main")
    if main is None:
        raise errors.ConfigError(errors.CONFIG_NO_MAIN.format(file=document.shown))
    path = (document.path.parent / cast("str", main)).resolve()
    _check_worker_file(path, directory, f"{document.shown}: `main`")
    return path


def _check_worker_file(path: Path, directory: Path, origin: str) -> None:
    shown = shown_path(path, directory)
    if path.is_dir():
        raise errors.ConfigError(errors.MAIN_IS_DIRECTORY.format(origin=origin, path=shown))
    if path.suffix != ".py":
        raise errors.ConfigError(errors.MAIN_NOT_PYTHON.format(origin=origin, path=shown))
    if not path.is_file():
        hint = ""
        siblings = [entry.name for entry in path.parent.glob("*.py")]
        if near := difflib.get_close_matches(path.name, siblings, n=1):
            hint = f" Did you mean {shown_path(path.parent / near[0], directory)}?"
        raise errors.ConfigError(errors.MAIN_MISSING.format(origin=origin, path=shown, hint=hint))


def _name_after(main: Path) -> str:
    """The name of a worker without one: its file's, in the letters that a name may have."""
    return re.sub(r"[^a-z0-9_-]+", "-", main.stem.lower()).strip("-") or "worker"


def _listeners(document: Document | None, values: Values) -> tuple[ConnectListener, ...]:
    listeners: dict[tuple[str, int], tuple[int, ConnectListener]] = {}
    for number, entry in enumerate(values.repeated.get("connect", []), start=1):
        listener = ConnectListener(
            protocol=cast("str", entry["connect_protocol"]),
            port=cast("int", entry["connect_port"]),
            address=cast("str", entry.get("connect_address", setting("connect_address").default)),
        )
        # Two entries of port 0 get two ports: they can't clash.
        key = (listener.protocol, listener.port or -number)
        if key in listeners and document is not None:
            first_number, first = listeners[key]
            raise errors.ConfigError(
                errors.CONFIG_SAME_LISTENER.format(
                    file=document.shown,
                    protocol=listener.protocol,
                    port=listener.port,
                    first=f"number {first_number} (address {first.address})",
                    second=f"number {number} (address {listener.address})",
                )
            )
        listeners[key] = (number, listener)
    return tuple(listener for _, listener in listeners.values())


def _authorities(
    given: Mapping[str, object], document: Document | None, values: Values, directory: Path
) -> tuple[Path, ...]:
    """The files of --tls-ca, after those of the settings file."""
    named: list[tuple[str, Path]] = []
    if document is not None:
        origin = f"{document.shown}: `dev.tls_ca`"
        folder = document.path.parent
        named += [(origin, folder / file) for file in _added(values.plain, "tls_ca")]
    named += [("--tls-ca", directory / file) for file in _added(given, "tls_ca")]
    for origin, path in named:
        if not path.is_file():
            shown = shown_path(path.resolve(), directory)
            raise errors.ConfigError(errors.TLS_CA_MISSING.format(origin=origin, path=shown))
    return tuple(path.resolve() for _, path in named)


def _limits(chosen: Callable[[str], object], document: Document | None, *, strict: bool) -> Limits:
    """The limits in force; what is not given is the table's, or strict mode's."""

    def count(name: str) -> int:
        value = cast("int", chosen(name))
        if value < 1:
            key = setting(name).key
            shown = "" if document is None else document.shown
            raise errors.ConfigError(
                errors.LIMIT_TOO_SMALL.format(file=shown, key=key, value=value)
            )
        return value

    cpu_ms = count("cpu_ms") if chosen("cpu_ms") is not None else None
    return Limits(
        connections=count("connections"),
        connection_mode=ConnectionMode(chosen("connection_mode")),
        subrequests=count("subrequests"),
        cpu_ms=STRICT_CPU_MS if cpu_ms is None and strict else cpu_ms,
        wait_until_seconds=float(cast("float", chosen("wait_until_seconds"))),
        body_bytes=count("body_mb") * MIB,
    )


def _allowed(document: Document | None, values: Values) -> frozenset[str]:
    """The addresses of `strict.allow`, in lower case."""
    texts = _added(values.plain, "strict_allow")
    for number, text in enumerate(texts):
        if not _HOST_AND_PORT.fullmatch(text):
            message = errors.CONFIG_WRONG_VALUE.format(
                file="" if document is None else document.shown,
                key=f"strict.allow[{number}]",
                expected='an address as "host:port"',
                found=f'"{text}"',
            )
            raise errors.ConfigError(message)
    return frozenset(text.lower() for text in texts)


def _check_variables(document: Document | None, values: Values) -> None:
    """Strict mode: as many variables, and as large ones, as production takes."""
    shown = "" if document is None else document.shown
    variables = cast("dict[str, object]", values.plain.get("vars", {}))
    if len(variables) > STRICT_VARIABLES:
        raise errors.ConfigError(
            errors.TOO_MANY_VARIABLES.format(
                file=shown, count=len(variables), limit=STRICT_VARIABLES
            )
        )
    for name, value in variables.items():
        text = value if isinstance(value, str) else json.dumps(value)
        if (size := len(text.encode())) > STRICT_VARIABLE_BYTES:
            raise errors.ConfigError(
                errors.VARIABLE_TOO_LARGE.format(
                    file=shown, name=name, size=size, limit=STRICT_VARIABLE_BYTES
                )
            )


def _added(source: Mapping[str, object], name: str) -> tuple[str, ...]:
    return tuple(cast("list[str]", source.get(name, ())))


def _seconds(value: object) -> float:
    if not is_seconds(value):
        raise errors.ConfigError(errors.CONNECT_TIMEOUT.format(value=value))
    return float(cast("float", value))


def _event_loop(environ: Mapping[str, str]) -> EventLoopChoice:
    row = setting("event_loop")
    text = environ.get(row.variable or "") or str(row.default)
    if text not in row.choices:
        message = errors.VARIABLE_WRONG_VALUE.format(
            variable=row.variable, expected=", ".join(row.choices), found=text
        )
        raise errors.ConfigError(message)
    return EventLoopChoice(text)
