"""One `pyworker check`: load the worker, say what it has and what production would say of it.

Floor 7. Owns the report, as text and as JSON; must not know options. docs/tools.md describes the JSON.
"""

from __future__ import annotations

import _thread
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import asdict, dataclass, field
from pathlib import Path

from emulator import errors
from emulator.config import Config
from emulator.context import Observer
from emulator.dev.production import notes_on
from emulator.dev.setup import load_worker, network_of
from emulator.printable import printable
from emulator.quantities import size
from emulator.runtime import Isolate

VALUE_SHOWN = 60
# How long importing the worker may take by the clock; production gives it a second of CPU time.
IMPORT_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Binding:
    """What env holds under `name`. `value` is None for what must not be shown, or is no value."""

    name: str
    kind: str
    value: object = None


@dataclass(frozen=True, slots=True)
class Module:
    """One of the worker's own files, relative to the worker's folder where it lies in it."""

    path: str
    bytes: int


@dataclass(frozen=True, slots=True)
class Startup:
    """The CPU time that importing the worker took, and production's limit; milliseconds."""

    cpu_ms: float
    limit_ms: int


@dataclass(frozen=True, slots=True)
class Handlers:
    """The events handled, by the default entrypoint and by each named one."""

    default: list[str]
    named: dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class Report:
    """What there is to say of a worker that could be loaded."""

    name: str
    main: str
    settings: str | None
    environment: str | None
    handlers: Handlers
    bindings: list[Binding]
    modules: list[Module]
    startup: Startup
    notes: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, object]:
        """The report in what JSON can hold."""
        return asdict(self)


class _Notes(Observer):
    """Keeps what would be told, each once."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def note(self, text: str) -> None:
        if text not in self.texts:
            self.texts.append(text)


def check(config: Config) -> Report:
    """Load the worker of `config` and report. Raises WorkerLoadError and ConfigError. Main thread only.

    What it prints while it is imported goes to standard error. An import that does not end is interrupted.
    """
    notes = _Notes()
    network = network_of(config)
    network.trust.load()
    for note in (*config.notes, *network.trust.notes()):
        notes.note(note)
    with redirect_stdout(sys.stderr), _interrupting(IMPORT_SECONDS) as late:
        try:
            isolate = load_worker(config, notes)
        except errors.WorkerLoadError as error:
            if not late.is_set():
                raise
            sentence = errors.CHECK_NEVER_LOADED.format(seconds=IMPORT_SECONDS, where=error)
            raise errors.WorkerLoadError(sentence) from None
    try:
        return _report(config, isolate, notes)
    finally:
        isolate.unload()


@contextmanager
def _interrupting(seconds: float) -> Iterator[threading.Event]:
    """Interrupt the block as Ctrl-C would when it takes longer than `seconds`; the event is set then."""
    late, main = threading.Event(), threading.get_ident()

    def interrupt() -> None:
        late.set()
        if hasattr(signal, "pthread_kill"):
            signal.pthread_kill(main, signal.SIGINT)  # Ends a sleep as well.
        else:
            _thread.interrupt_main()

    timer = threading.Timer(seconds, interrupt)
    timer.daemon = True
    timer.start()
    try:
        yield late
    finally:
        timer.cancel()


def _report(config: Config, isolate: Isolate, notes: _Notes) -> Report:
    if "fetch" not in isolate.handlers:
        notes.note(errors.CHECK_NO_HANDLER)
    allowed = frozenset() if config.strict is None else config.strict.allowed
    for note in notes_on(isolate.files, allowed):
        notes.note(note)
    return Report(
        name=config.name,
        main=str(config.main),
        settings=None if config.source is None else str(config.source),
        environment=config.environment,
        handlers=Handlers(
            sorted(isolate.handlers),
            {name: sorted(events) for name, events in isolate.named_handlers.items()},
        ),
        bindings=_bindings(config),
        modules=[_module(file, config.main.parent) for file in isolate.files],
        startup=Startup(round(isolate.startup_cpu_ms, 1), config.limits.startup_cpu_ms),
        notes=notes.texts,
    )


def _bindings(config: Config) -> list[Binding]:
    variables = [
        Binding(name, "secret") if name in config.secrets else Binding(name, "variable", value)
        for name, value in config.vars.items()
    ]
    return variables + [
        Binding(each.binding, f"service {each.service}") for each in config.services
    ]


def _module(file: Path, folder: Path) -> Module:
    shown = file.relative_to(folder) if file.is_relative_to(folder) else file
    return Module(shown.as_posix(), file.stat().st_size)


def text_of(report: Report) -> str:
    """The report as lines for a person."""
    lines = [f"Worker {report.name} ({_here(report.main)})"]
    if report.settings is not None:
        environment = f", environment {report.environment}" if report.environment else ""
        lines.append(f"  settings  {_here(report.settings)}{environment}")
    lines.append(f"  handlers  {', '.join(report.handlers.default) or 'none'}")
    lines += [
        f"            {', '.join(events) or 'none'} (class {name})"
        for name, events in report.handlers.named.items()
    ]
    for number, binding in enumerate(report.bindings):
        lines.append(f"  {'env' if not number else '':<8}  {_binding_text(binding)}")
    total = size(sum(module.bytes for module in report.modules))
    files = ", ".join(module.path for module in report.modules)
    lines.append(f"  modules   {files} ({total})")
    startup = report.startup
    lines.append(f"  start-up  {startup.cpu_ms:.0f} ms of CPU time, {startup.limit_ms} ms allowed")
    lines += [f"note: {printable(note)}" for note in report.notes]
    return "\n".join(lines)


def _binding_text(binding: Binding) -> str:
    if binding.value is None:
        return f"{binding.name} ({binding.kind})"
    value = repr(binding.value)
    shown = value if len(value) <= VALUE_SHOWN else f"{value[: VALUE_SHOWN - 1]}…"
    return f"{binding.name} = {shown}"


def _here(path: str) -> str:
    """`path` as a person in this folder would write it."""
    here = Path.cwd()
    return str(Path(path).relative_to(here)) if Path(path).is_relative_to(here) else path
