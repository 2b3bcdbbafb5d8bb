"""From every source of settings to one Config.

Floor 1. Owns what each setting becomes and what is checked across settings. Must not know how a
file is parsed, which source wins or what a command looks like.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import cast

from emulator import errors
from emulator.config.cron import Cron, parse_cron
from emulator.config.document import shown_path
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
from emulator.config.sources import Sources, gather
from emulator.config.validation import Values, is_seconds
from emulator.config.variables import Secrets, given_variables, only_required, read_secrets
from emulator.nearest import nearest
from emulator.printable import printable

_WORKER_NAME = re.compile(r"[a-z0-9_][a-z0-9_-]*")
_HOST_AND_PORT = re.compile(r"[^\s/]+:\d+")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")

# More processes than that serve nobody better.
WORKERS_LIMIT = 256

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
    return tuple(
        load(file, given, directory=directory, environ=environ)
        for file, given in each_worker(config_files, overrides)
    )


def each_worker(
    config_files: Sequence[Path], overrides: Mapping[str, object] | None
) -> Iterator[tuple[Path | None, Mapping[str, object]]]:
    """Give each settings file with what the command line says of its worker."""
    given = overrides or {}
    first, *others = (*config_files,) or (None,)
    yield first, given
    for file in others:
        yield file, {name: given.get(name) for name in _SHARED_OVERRIDES}


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
    return resolve(
        gather(
            config_file,
            overrides or {},
            (directory or Path.cwd()).resolve(),
            os.environ if environ is None else environ,
        )
    )


def resolve(sources: Sources) -> Config:
    """Make one Config of `sources`. Raises ConfigError."""
    values, document = sources.values, sources.document
    _check_formats(sources)
    main = _main(sources)
    chosen = sources.chosen
    secrets = secrets_of(sources, main)
    variables: dict[str, object] = {
        **cast("dict[str, object]", values.plain.get("vars", {})),
        **secrets.values,
        **given_variables(sources.added("var")),
    }
    strict = None
    if chosen("strict") or (chosen("strict") is None and "strict_allow" in values.plain):
        strict = Strictness(_allowed(sources))
        _check_variables(variables, sources.shown or "pyworker")
    noted = (errors.CONFIG_NOTED.format(file=sources.shown, key=key) for key in values.noted)
    read_files = () if document is None else (document.path,)

    return Config(
        name=_name(sources, main),
        main=main,
        compatibility_date=cast("str | None", chosen("compatibility_date")),
        compatibility_flags=sources.added("compatibility_flags"),
        vars=MappingProxyType(variables),
        connect=_listeners(sources),
        ip=cast("str", chosen("ip")),
        port=cast("int", chosen("port")),
        tls_ca=_authorities(sources),
        tls_insecure=sources.added("tls_insecure"),
        connect_timeout_seconds=_seconds(chosen("connect_timeout_seconds")),
        limits=_limits(sources, strict=strict is not None),
        strict=strict,
        event_loop=EventLoopChoice(chosen("event_loop")),
        source=None if document is None else document.path,
        notes=(*noted, *sources.notes, *secrets.notes),
        environment=sources.environment,
        secrets=frozenset(secrets.values),
        services=_services(values),
        crons=_crons(sources),
        run_crons=bool(chosen("run_crons")),
        local_protocol=LocalProtocol(chosen("local_protocol")),
        https_key_path=sources.path("https_key_path"),
        https_cert_path=sources.path("https_cert_path"),
        unix_socket=sources.path("unix_socket"),
        workers=_workers(chosen("workers")),
        reload=bool(chosen("reload")),
        show_errors=bool(chosen("show_errors")),
        keep_last_good=bool(chosen("keep_last_good")),
        log_level=LogLevel(chosen("log_level")),
        log_format=LogFormat(chosen("log_format")),
        sources=(*read_files, *sources.searched, *secrets.candidates),
    )


def secrets_of(sources: Sources, main: Path) -> Secrets:
    """Return the secrets of the worker `main`: beside the settings file, or beside itself."""
    document = sources.document
    found = read_secrets(
        main.parent if document is None else document.path.parent,
        sources.environment,
        directory=sources.directory,
        with_dot_env=bool(sources.chosen("load_dot_env")),
        env_files=sources.added("env_file"),
    )
    required = cast("list[str] | None", sources.values.plain.get("secrets_required"))
    return only_required(found, required, sources.shown)


def _name(sources: Sources, main: Path) -> str:
    if name := cast("str | None", sources.chosen("name")):
        return name
    suffix = "" if sources.environment is None else f"-{sources.environment}"
    return _name_after(main) + suffix


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


def _crons(sources: Sources) -> tuple[Cron, ...]:
    crons = []
    for number, text in enumerate(sources.added("crons")):
        try:
            crons.append(parse_cron(text))
        except ValueError as error:
            raise sources.refusal(
                errors.CONFIG_CRON, "crons", index=number, fault=printable(str(error))
            ) from None
    return tuple(crons)


def _check_formats(sources: Sources) -> None:
    name = sources.values.plain.get("name")
    if isinstance(name, str) and not _WORKER_NAME.fullmatch(name):
        raise sources.refusal(errors.CONFIG_NAME, "name", name=printable(name))
    date = sources.values.plain.get("compatibility_date")
    if isinstance(date, str) and not _DATE.fullmatch(date):
        raise sources.refusal(errors.CONFIG_DATE, "compatibility_date", date=printable(date))


def _main(sources: Sources) -> Path:
    """The worker's file: SCRIPT, else the file's `main`."""
    directory, document = sources.directory, sources.document
    script = cast("str | None", sources.given.get("main"))
    if script is not None:
        path = (directory / script).resolve()
        _check_worker_file(path, directory, lambda: f"SCRIPT {script}")
        return path
    if document is None:
        names = ", ".join(FILE_NAMES)
        raise errors.ConfigError(errors.CONFIG_NO_WORKER.format(names=names))
    main = sources.values.plain.get("main")
    if main is None:
        example = document.assignment("main", '"path/to/worker.py"')
        message = errors.CONFIG_NO_MAIN.format(file=document.shown, example=example)
        raise errors.ConfigError(message)
    path = (document.path.parent / cast("str", main)).resolve()
    _check_worker_file(path, directory, lambda: sources.origin("main"))
    return path


def _check_worker_file(path: Path, directory: Path, origin: Callable[[], str]) -> None:
    shown = shown_path(path, directory)
    if os.path.isdir(path):
        raise errors.ConfigError(errors.MAIN_IS_DIRECTORY.format(origin=origin(), path=shown))
    if path.suffix != ".py":
        raise errors.ConfigError(errors.MAIN_NOT_PYTHON.format(origin=origin(), path=shown))
    if not os.path.isfile(path):
        hint = ""
        siblings = [entry.name for entry in path.parent.glob("*.py")]
        if near := nearest(path.name, siblings):
            hint = f" Did you mean {shown_path(path.parent / near, directory)}?"
        raise errors.ConfigError(errors.MAIN_MISSING.format(origin=origin(), path=shown, hint=hint))


def _name_after(main: Path) -> str:
    """The name of a worker without one: its file's, in the letters that a name may have."""
    return re.sub(r"[^a-z0-9_-]+", "-", main.stem.lower()).strip("-") or "worker"


def _listeners(sources: Sources) -> tuple[ConnectListener, ...]:
    listeners: dict[tuple[str, int], tuple[int, ConnectListener]] = {}
    for number, entry in enumerate(sources.values.repeated.get("connect", []), start=1):
        listener = ConnectListener(
            protocol=cast("str", entry["connect_protocol"]),
            port=cast("int", entry["connect_port"]),
            address=cast("str", entry.get("connect_address", setting("connect_address").default)),
        )
        # Two entries of port 0 get two ports: they can't clash.
        key = (listener.protocol, listener.port or -number)
        if key in listeners:
            first_number, first = listeners[key]
            raise sources.refusal(
                errors.CONFIG_SAME_LISTENER,
                "connect",
                index=number - 1,
                protocol=listener.protocol,
                port=listener.port,
                first=f"number {first_number} (address {first.address})",
                second=f"number {number} (address {listener.address})",
            )
        listeners[key] = (number, listener)
    return tuple(listener for _, listener in listeners.values())


def _authorities(sources: Sources) -> tuple[Path, ...]:
    """The files of --tls-ca, after those of the settings file."""
    directory, document = sources.directory, sources.document
    named: list[tuple[bool, Path]] = []
    if document is not None:
        files = cast("list[str]", sources.values.plain.get("tls_ca", []))
        named += [(True, document.path.parent / file) for file in files]
    given = cast("tuple[str, ...]", sources.given.get("tls_ca", ()))
    named += [(False, directory / file) for file in given]
    for in_file, path in named:
        if not os.path.isfile(path):
            origin = sources.origin("tls_ca") if in_file else "--tls-ca"
            shown = shown_path(path.resolve(), directory)
            raise errors.ConfigError(errors.TLS_CA_MISSING.format(origin=origin, path=shown))
    return tuple(path.resolve() for _, path in named)


def _limits(sources: Sources, *, strict: bool) -> Limits:
    """The limits in force; what is not given is the table's, or strict mode's."""
    chosen = sources.chosen

    def count(name: str) -> int:
        value = cast("int", chosen(name))
        if value < 1:
            raise sources.refusal(errors.LIMIT_TOO_SMALL, name, value=value)
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


def _allowed(sources: Sources) -> frozenset[str]:
    """The addresses of `strict.allow`, in lower case."""
    texts = sources.added("strict_allow")
    for number, text in enumerate(texts):
        if not _HOST_AND_PORT.fullmatch(text):
            raise sources.refusal(
                errors.CONFIG_WRONG_VALUE,
                "strict_allow",
                index=number,
                expected='an address as "host:port"',
                found=f'"{printable(text)}"',
            )
    return frozenset(text.lower() for text in texts)


def _check_variables(variables: Mapping[str, object], shown: str) -> None:
    """Strict mode: as many variables, and as large ones, as production takes."""
    if len(variables) > STRICT_VARIABLES:
        raise errors.ConfigError(
            errors.TOO_MANY_VARIABLES.format(
                file=shown, count=len(variables), limit=STRICT_VARIABLES
            )
        )
    # Imported on use: only strict mode needs it.
    import json

    for name, value in variables.items():
        text = value if isinstance(value, str) else json.dumps(value)
        if (size := len(text.encode("utf-8", "surrogatepass"))) > STRICT_VARIABLE_BYTES:
            raise errors.ConfigError(
                errors.VARIABLE_TOO_LARGE.format(
                    file=shown, name=name, size=size, limit=STRICT_VARIABLE_BYTES
                )
            )


def _workers(value: object) -> int:
    number = cast("int", value)
    if not 1 <= number <= WORKERS_LIMIT:
        raise errors.ConfigError(errors.WORKERS_NUMBER.format(value=number, limit=WORKERS_LIMIT))
    return number


def _seconds(value: object) -> float:
    if not is_seconds(value):
        raise errors.ConfigError(errors.CONNECT_TIMEOUT.format(value=value))
    return float(cast("float", value))
