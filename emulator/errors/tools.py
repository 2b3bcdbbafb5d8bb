"""The commands beside `pyworker dev`: init, check, call, completion.

Floor 0. Owns sentences; `emulator.errors` has them all.
"""

from __future__ import annotations

# pyworker call.
CALL_PATH = "PATH is a path such as /hello?x=1, or a whole http:// or https:// URL, not {path!r}."
CALL_METHOD = "{method!r} is no HTTP method."
CALL_HEADER = "{header!r} is no header. Write it as 'Name: value'."
CALL_HEADER_NAME = "{name!r} is no name for a header."
CALL_HEADER_VALUE = "A header's value is text without line breaks, in Latin-1: {header!r}."
CALL_TWO_BODIES = "-d and --json exclude each other: a request has one body."
CALL_BODY_ALONE = "{part!r} is a whole body: give -d or --json once with it."
CALL_BODY_METHOD = (
    "{method} takes no body. Leave -d or --json out, or choose another method: -X POST."
)
CALL_NO_FILE = "{path} can't be read: {reason}."
CALL_NO_STDIN = "There is no standard input to read the body from."
CALL_NO_STDOUT = "this process was started without it"
CALL_OUTPUT = "The response can't be written to {target}: {reason}."
CALL_STATUS = "The worker answered {status}."

# pyworker init.
INIT_NOT_EMPTY = "{folder} is not empty: it has {names}. Nothing was written. Choose a new name: pyworker init NAME"
INIT_IS_FILE = "{folder} is a file. Choose another name: pyworker init NAME"
INIT_NO_NAME = (
    "No worker can be called {name!r}: a name has lowercase letters, digits and dashes. "
    "Choose another: pyworker init NAME"
)
INIT_FAILED = "{path} can't be written: {reason}."

# pyworker check.
CHECK_NO_HANDLER = "There is no fetch() handler: HTTP requests fail with status 500."
CHECK_NOT_IN_PYODIDE = (
    "{place}: {module} can't be imported in production: Pyodide has no such module."
)
NO_PROCESSES = "it can't start processes there"
NO_THREADS = "it can't start threads there"
CHECK_NOT_WORKING = "{place}: {module} can be imported in production, but {why}."
CHECK_COMPILED = (
    "{place}: {module} ({distribution}) has compiled parts and is not among the packages that Pyodide builds: "
    "production can't import it."
)
CHECK_NEVER_LOADED = (
    "Importing the worker took more than {seconds:g} s and was interrupted. {where}"
)
CHECK_CONNECT = "{place}: {note}"

# pyworker completion.
COMPLETION_SHELL = "Which shell? Name one: {shells}."
