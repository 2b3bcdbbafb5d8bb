"""Failures as they are told: the words around an exception, and those of the error page.

Floor 0. Owns sentences; `emulator.errors` has them all.
"""

from __future__ import annotations

from emulator.errors.documentation import DOCS

# Around an exception, in the terminal and in responses.
CAUSED_BY = "caused by"
RAISED_WHILE_HANDLING = "raised while handling"
GROUP_MEMBER = "{number} of {count}:"
GROUP_REST = "and {count} more"

# Values that are not told.
LOCALS_REST = "and {count} more variables"
VALUE_RECURSIVE = "(itself, from further out)"
VALUE_REPR_FAILED = "<{type} whose repr() raised {error}>"
VALUE_REPR_EXITED = "<{type} whose repr() tried to end the process: {error}>"
VALUE_REPR_SLOW = "<{type} whose repr() takes too long>"
VALUES_TOOK_TOO_LONG = "(not shown: writing down the values took too long)"

# What happened, and where the platform explains it.
WORKER_THREW = "Error 1101: Worker threw exception"
WORKER_EXCEEDED = "Error 1102: Worker exceeded resource limits"
WORKER_HUNG = "Error 1101: Worker hung"
WORKER_NOT_LOADED = "The worker can't be loaded"
TELL_EXCEPTION = (
    "The handler raised this and nothing caught it. Production answers with error 1101."
)
TELL_CPU = "The handler used more CPU time than it may. Production answers with error 1102."
TELL_SUBREQUESTS = (
    "The handler opened more connections than one request may. Production answers with error 1101."
)
TELL_HUNG = "The handler waited for something that can't happen any more. Production cancels the request as well."
TELL_NOT_LOADED = "Importing the worker failed, so no handler runs. Mend the file and save it."
DOCS_ERRORS = f"{DOCS}/observability/errors/"
DOCS_LIMITS = f"{DOCS}/platform/limits/"
DOCS_SOCKETS = f"{DOCS}/runtime-apis/tcp-sockets/"
DOCS_HANDLERS = f"{DOCS}/runtime-apis/handlers/"
DOCS_PYTHON = f"{DOCS}/languages/python/"

# The error page.
PAGE_TRACE = "Where it happened"
PAGE_TRACE_ORDER = "innermost call first"
PAGE_NO_SOURCE = "The source of this line can't be read."
PAGE_NO_FRAMES = "No code of the worker was running: the platform raised this itself."
PAGE_LOCALS = "Variables"
PAGE_NO_LOCALS = "There are no variables here."
PAGE_CALLED = "It called {frames} of {owners}"
PAGE_CALLED_BY = "Called by {frames} of {owners}"
PAGE_FRAMES_LEFT_OUT = "{frames} in between are not shown."
PAGE_TOO_LONG = "The page is long enough: the rest is in the terminal."
PAGE_SOCKETS = "Sockets of this request"
PAGE_NO_SOCKETS = "This request has no sockets."
PAGE_ACCEPTED = "came in at {address}"
PAGE_MADE_AT = "made at {place}"
PAGE_AGE = "{age} old"
PAGE_BYTES = "{sent} sent, {received} received"
PAGE_TLS = {"off": "plain TCP", "on": "TLS", "starttls": "plain TCP until start_tls()"}
PAGE_REQUEST = "Request"
PAGE_QUERY = "Query"
PAGE_HEADERS = "Headers"
PAGE_NO_BODY = "none"
PAGE_BODY_UNMEASURED = "of unknown length (chunked)"
PAGE_DOCUMENTATION = "Documentation"
PAGE_FOOTER = "pyworker {version} shows this page to whoever develops the worker. Values that look secret are hidden."
ERROR_NOT_SHOWN = (
    "The error could not be shown in the form that was asked for; it was sent as text."
)
