"""What is forbidden, and what is used up.

Floor 0. Owns sentences; `emulator.errors` has them all.
"""

from __future__ import annotations

from emulator.errors.documentation import DOCS

# Global scope and ownership.
GLOBAL_SCOPE = (
    "Disallowed operation called within global scope. Asynchronous I/O (ex: fetch() or connect()), "
    "setting a timeout, and generating random values are not allowed within global scope. To fix "
    "this error, perform this operation within a handler. "
    f"{DOCS}/runtime-apis/handlers/"
)
NO_ENTROPY = "Cannot get entropy outside of request context"
NO_RANDOM = "Cannot use random.{function}() outside of request context"
CROSS_REQUEST = (
    "Cannot perform I/O on behalf of a different request. I/O objects (such as streams, "
    "request/response bodies, and others) created in the context of one request handler cannot be "
    "accessed from a different request's handler. This is a limitation of Cloudflare Workers which "
    "allows us to improve overall performance. (I/O type: {io_type})"
)

MADE_AT = " It was made at {place}."
USED_IN_THREAD = (
    " It was used in the thread {thread}; it works in the handler's own. Give a thread plain data."
)
CONNECT_IN_THREAD = (
    "connect() works in the handler's own thread, this is {thread}. Give a thread plain data."
)

# Budgets.
TOO_MANY_SUBREQUESTS = "Too many subrequests by single Worker invocation."
DEPTH_EXCEEDED = (
    "Subrequest depth limit exceeded. This request recursed through Workers too many times. "
    "This can happen e.g. if you have a Worker or Durable Object that calls other Workers or objects recursively."
)
EXCEEDED_RESOURCES = "Worker exceeded resource limits"
CPU_EXCEEDED = (
    "The handler used {milliseconds:.0f} ms of CPU time; its limit (limits.cpu_ms) is {limit} ms."
)
CPU_EXCEEDED_AT = " It was at {place}."
LIMIT_TOO_SMALL = "{file}: `{key}` must be 1 or more, not {value}."
TOO_MANY_VARIABLES = (
    "{file}: the worker has {count} variables and secrets; in strict mode {limit} are allowed, as in production. "
    "Put several into one, as JSON."
)
VARIABLE_TOO_LARGE = (
    "{file}: the variable {name} is {size} bytes; "
    "in strict mode {limit} are allowed, as in production."
)
STARTUP_EXCEEDED = (
    "Script startup exceeded CPU time limit. (10021) Importing the worker took {milliseconds:.0f} ms of CPU time, "
    "{limit} ms are allowed: move work from module level into a handler."
)
MEMORY_EXCEEDED = (
    "The worker has grown by {grown} MB since it was loaded; production gives it {limit} MB in all."
)
HUNG = (
    "The Workers runtime canceled this request because it detected that your Worker's code had hung and would never "
    f"generate a response. Refer to: {DOCS}/observability/errors/"
)
HUNG_WAITS = "It waits on {awaited} at {place}."
HUNG_HINT = (
    "Nothing that this request started can still happen: no socket, timer, thread, task or body is left. "
    "What another request does later, such as setting an event, does not count: production cancels this one too."
)
WOKEN_BY_ANOTHER = (
    "A request waited for a future, event, queue or lock until another request settled it at {place}. In production "
    "that does not work: requests share no I/O, and the one that waits hangs or fails. Have each request do what it "
    "waits for."
)
CONNECTION_LIMIT = "Response closed due to connection limit"
SMTP_PROHIBITED = "Connections to port 25 are prohibited"
TCP_LOOP = "TCP Loop detected"
STRICTLY_REFUSED = (
    'strict mode: {reason}. To allow it here all the same: [strict] allow = ["{address}"]'
)
