"""Every exception pyworker raises.

Floor 0. The class says whose fault it is:

    PyworkerError            the person at the keyboard can mend it: the CLI prints the message and exits
      ConfigError            a settings file, an option or a variable
      WorkerLoadError        the worker's file: missing, broken, or without handlers
      ListenError            an address that can't be listened on
      ProjectError           a new project that can't be written where it should be
    PlatformError            what the platform throws into worker code
      GlobalScopeError       I/O while the worker's modules are being executed
      EntropyError           randomness there (an OSError, as on the platform)
      OwnershipError         another request's I/O object
      SubrequestError        more connections and fetches than one request may make
      DepthError             workers that call each other in too long a chain
      ServiceError           fetch() of another worker failed (an OSError, as on the platform)
      SocketError            a connection failed or was lost (also a ConnectionError, for Python's libraries)
      RangeError             a number out of range (a ValueError)
      DOMException           a failure that the web platform knows by name: AbortError, AbortTimeoutError
      HandlerError           a handler that is missing or returned what can't be sent (a TypeError)
      HandlerExit            worker code that tried to end the process

Plain TypeErrors carry the sentences of the other files.
"""

from __future__ import annotations

from emulator.errors.rules import (
    CROSS_REQUEST,
    DEPTH_EXCEEDED,
    GLOBAL_SCOPE,
    MADE_AT,
    NO_ENTROPY,
    TOO_MANY_SUBREQUESTS,
    USED_IN_THREAD,
)


class PyworkerError(Exception):
    """A mistake that whoever runs pyworker can mend; the message says how."""


class ConfigError(PyworkerError):
    """A setting that can't be used: names the file, key and value."""


class WorkerLoadError(PyworkerError):
    """A worker that can't be loaded; `__cause__` is the worker's own exception where there is one."""


class ListenError(PyworkerError):
    """An address that can't be listened on."""


class ProjectError(PyworkerError):
    """A new project that can't be written where it should be."""


class PlatformError(Exception):
    """An Error that the platform throws into worker code."""


class GlobalScopeError(PlatformError, RuntimeError):
    """I/O at global scope: while the worker's modules are being executed."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or GLOBAL_SCOPE)


class EntropyError(PlatformError, OSError):
    """Randomness at global scope."""

    def __init__(self) -> None:
        OSError.__init__(self, 29, NO_ENTROPY)


class OwnershipError(PlatformError, RuntimeError):
    """An I/O object used by a request that did not make it."""

    def __init__(self, io_type: str, made_at: str, thread: str | None = None) -> None:
        where = USED_IN_THREAD.format(thread=thread) if thread else ""
        super().__init__(
            CROSS_REQUEST.format(io_type=io_type) + MADE_AT.format(place=made_at) + where
        )
        self.io_type = io_type
        self.made_at = made_at


class SubrequestError(PlatformError):
    """More connections and fetches than one request may make."""

    def __init__(self) -> None:
        super().__init__(TOO_MANY_SUBREQUESTS)


class DepthError(PlatformError):
    """Workers that call each other in too long a chain."""

    def __init__(self) -> None:
        super().__init__(DEPTH_EXCEEDED)


class ServiceError(PlatformError, OSError):
    """fetch() of another worker failed; the message is its own, `__cause__` its exception."""


class SocketError(PlatformError, ConnectionError):
    """A connection that failed or was lost; `__cause__` is the operating system's reason."""


class RangeError(PlatformError, ValueError):
    """A number out of range: JavaScript's RangeError."""


class DOMException(PlatformError):
    """A failure that the web platform knows by `name`."""

    def __init__(self, message: str = "", name: str = "Error") -> None:
        super().__init__(message)
        self.message = message
        self.name = name


class AbortError(DOMException):
    """What was under way was aborted."""

    def __init__(self, message: str = "The operation was aborted") -> None:
        super().__init__(message, "AbortError")


class AbortTimeoutError(DOMException, TimeoutError):
    """The reason of AbortSignal.timeout()."""

    def __init__(self) -> None:
        super().__init__("The operation was aborted due to timeout", "TimeoutError")


class HandlerError(PlatformError, TypeError):
    """A handler that is missing, or that returned something the platform can't send."""


class HandlerExit(PlatformError):
    """A handler raised what would stop the event loop or pass for a cancellation; `__cause__` is that."""
