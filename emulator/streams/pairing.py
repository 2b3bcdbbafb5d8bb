"""Which machinery joins two streams: the native pump where both are native, the standard's algorithms elsewhere.

Floor 2. Owns that choice for pipes and tees, and the options of pipes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from emulator import errors
from emulator.streams.abort import AbortSignal
from emulator.streams.core import ReadableCore, WritableCore
from emulator.streams.native_readable import NativeReadable
from emulator.streams.native_writable import NativeWritable
from emulator.streams.promise import Promise
from emulator.streams.underlying import options_of

_NAMES = ("prevent_abort", "prevent_cancel", "prevent_close", "signal")


class PipeOptions(NamedTuple):
    """What a pipe does not pass on, and the signal that stops it."""

    prevent_close: bool = False
    prevent_abort: bool = False
    prevent_cancel: bool = False
    signal: AbortSignal | None = None


def pipe_options(options: Mapping[str, object] | None, named: Mapping[str, object]) -> PipeOptions:
    """Return the options of a pipe. Raises TypeError for a signal that is none."""
    given = options_of(options, named, _NAMES)
    signal = given.pop("signal", None)
    if signal is not None and not isinstance(signal, AbortSignal):
        raise TypeError(errors.SIGNAL_INVALID.format(type=type(signal).__name__))
    return PipeOptions(**{name: bool(value) for name, value in given.items()}, signal=signal)


def pipe(source: ReadableCore, destination: WritableCore, options: PipeOptions) -> Promise[None]:
    """Move everything from `source` to `destination`, which are held for that."""
    if isinstance(source, NativeReadable) and isinstance(destination, NativeWritable):
        if options.signal is None:
            return _pump(source, destination, options)
        if not options.signal.aborted:
            return _pump_until(options.signal, source, destination, options)
    # Imported on use: most streams are native.
    from emulator.streams.pipe import Pipe

    return Pipe(
        source,
        destination,
        prevent_close=options.prevent_close,
        prevent_abort=options.prevent_abort,
        prevent_cancel=options.prevent_cancel,
        signal=options.signal,
    ).start()


def _pump(
    source: NativeReadable, destination: NativeWritable, options: PipeOptions
) -> Promise[None]:
    return source.pump_to(
        destination,
        finish_sink=not options.prevent_close,
        abort_sink=not options.prevent_abort,
        cancel_source=not options.prevent_cancel,
    )


def _pump_until(
    signal: AbortSignal,
    source: NativeReadable,
    destination: NativeWritable,
    options: PipeOptions,
) -> Promise[None]:
    done = _pump(source, destination, options)

    def aborted() -> None:
        assert signal.reason is not None
        source.interrupt(
            signal.reason,
            abort_sink=not options.prevent_abort,
            cancel_source=not options.prevent_cancel,
        )

    signal.add_event_listener("abort", aborted)
    done.when_settled(lambda: signal.remove_event_listener("abort", aborted))
    return done


def tee(source: ReadableCore) -> tuple[ReadableCore, ReadableCore]:
    """Return two streams that each give everything `source` has and gets. It is held from now on."""
    if isinstance(source, NativeReadable):
        return source.tee()
    # Imported on use: most streams are native.
    from emulator.streams.standard_readable import StandardReadable
    from emulator.streams.standard_tee import tee as standard_tee

    assert isinstance(source, StandardReadable)
    return standard_tee(source)
