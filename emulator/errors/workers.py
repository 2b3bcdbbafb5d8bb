"""Loading workers and calling their handlers.

Floor 0. Owns sentences; `emulator.errors` has them all.
"""

from __future__ import annotations

# Handlers.
NO_FETCH_HANDLER = "Handler does not export a fetch() function."
NOT_A_RESPONSE = "{handler} returned {what}, not a Response.{hint}"
FORGOT_RETURN = " Did you forget `return`?"
FORGOT_AWAIT = " Did you forget `await`?"
FORGOT_CALL = " Did you forget to call it: Response(...)?"
USE_JSON = " To send it as JSON: Response.json(...)."
USE_RESPONSE = " To send it as the body: Response(...)."
YIELDS_NOTHING = " A handler returns one Response; to send what it yields: Response(generator())."
HANDLER_EXITED = "{handler} raised {error}. Only this event failed: a worker can't stop the server."
HANDLER_CANCELLED = (
    "{handler} raised CancelledError although nobody cancelled the event: something that it awaited "
    "was cancelled."
)

# Loading a worker.
WORKER_MODULE_FAILED = (
    "The worker {name!r} can't be imported: {error}. A file is named by its path: worker.py"
)
WORKER_FILE_MISSING = "There is no worker file {path}.{hint}"
LOAD_FAILED = "The worker can't be loaded: {error} ({place})"
NO_HANDLERS = (
    "{worker} has no handlers. Define `async def on_fetch(request, env, ctx)`, or a class "
    "`Default(WorkerEntrypoint)` with `async def fetch(self, request)`.{hints}"
)
BOTH_FORMS = "{worker} has both a class and functions as its handlers: {classes} and {functions}. Keep one form."
TWO_HANDLERS = "{worker} has two handlers for one event: {first} and {second}. Keep one."
NOT_AN_ENTRYPOINT = (
    "{name} is not a subclass of WorkerEntrypoint: class {name}(WorkerEntrypoint), "
    "with `from workers import WorkerEntrypoint`."
)
HINT_NAME = " Did you mean `{expected}` where it says `{found}`?"
HINT_METHOD = " Did you mean `{expected}` where class {name} says `{found}`?"
HINT_SUBCLASS = " Class {name} has {methods} but is not a subclass of WorkerEntrypoint."
HINT_IMPORTED = (
    " `{name}` is imported from {module}: a handler is defined in the worker's own modules."
)
HINT_DEFAULT = " {worker} has no default entrypoint, only named ones: {classes}. The default one is called Default."
NOT_SERVED = "Class {name} is a {kind}: pyworker does not serve these yet, and it is left out."
EXACT_ARGUMENTS = (
    "{handler} is called with exactly ({arguments}) and can't take them: it has {signature}."
)
UNLOADED = "This worker has been unloaded; {name!r} can't be imported any more."

# What handlers find in env and ctx.
ENV_MISSING = "env has no variable or binding {name}.{hint}"
ENV_OUTSIDE = "`env` of the workers module is only there inside a worker."
NO_PASS_THROUGH = "pass_through_on_exception() does nothing here: there is no origin server to pass the request to."
NOT_FROM_JAVASCRIPT = "import_from_javascript({name!r}): only {names} exist here."
