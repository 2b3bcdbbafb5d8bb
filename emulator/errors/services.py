"""Workers that call each other.

Floor 0. Owns sentences; `emulator.errors` has them all.
"""

from __future__ import annotations

# Who is there.
SERVICE_MISSING = (
    'Couldn\'t find a local dev session for the "{entrypoint}" entrypoint of service "{service}" '
    "to proxy to.{hint}"
)
SERVICE_UNKNOWN = (
    '{worker}: the binding {binding} leads to the worker "{service}", which is not here; calls of it will fail. '
    "Here are: {known}.{hint} Give its settings too: pyworker dev -c {file} -c {service}/wrangler.toml"
)
SERVICE_MEANT = ' Did you mean "{name}"?'
ENTRYPOINT_UNKNOWN = (
    '{worker}: the binding {binding} leads to the entrypoint {entrypoint} of "{service}", '
    "which has {known}.{hint}"
)
ENTRYPOINT_MISSING = 'The worker "{service}" has no entrypoint {entrypoint}; it has {known}.{hint}'
NO_ENTRYPOINTS = "no class of entrypoints"
SAME_WORKER_NAME = 'Two workers are called "{name}": {first} and {second}. Give each settings file a `name` of its own.'
SERVED_THROUGH_FIRST = (
    "{worker}: {keys} does nothing here: only the first worker is reached from outside."
)

# Calls.
CALL_IN_THREAD = "A service binding works in the handler's own thread, this is {thread}. Give a thread plain data."
RPC_METHOD_MISSING = 'The RPC receiver does not implement the method "{method}".'
RPC_METHOD_RESERVED = "'{method}' is a reserved method and cannot be called over RPC."
RPC_HAS = "The worker {service} has {methods}."
RPC_HAS_NONE = "The worker {service} has no methods to be called."
RPC_MEANT = "Did you mean {method}()?"
RPC_OF_FUNCTIONS = (
    " The worker {service} has functions as its handlers; methods to be called belong to a class "
    "Default(WorkerEntrypoint)."
)
RPC_KEYWORDS = "Keyword arguments of a call between workers arrive as one dict, the last argument, as in production."
RPC_TYPE_REFUSED = "{type} cannot be sent over RPC."
RPC_TYPE_NOTED = "A {type} crosses here, but production refuses it between workers: send {instead}."
NOT_SERIALIZABLE = (
    'Could not serialize object of type "{type}". This type does not support serialization.'
)
NOT_SERIALIZABLE_HINT = (
    "Between workers pass None, bool, int, float, str, bytes, datetime, list, dict, set, functions, "
    "Request, Response, Headers and streams."
)
AWAITABLE_SENT = "Awaitable {type} cannot be sent over RPC. Did you forget `await`?"
SERVICE_TLS = (
    'secure_transport "{value}" can\'t be used with a service binding: the bytes never leave this process. '
    "Leave the option out."
)

# What the terminal shows.
BOUND_WORKER = "Worker {name} ({main}) is reached through service bindings"
RELOADED_WORKER = "Reloaded {worker} after {files} changed ({duration})"
