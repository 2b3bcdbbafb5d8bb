"""What `pyworker dev` says to the person at its keyboard.

Floor 0. Owns sentences; `emulator.errors` has them all.
"""

from __future__ import annotations

# Keys.
KEY_BROWSER = "open a browser"
KEY_CLEAR = "clear the screen"
KEY_RELOAD = "reload the worker"
KEY_DEBUG = "how to debug"
KEY_SOCKETS = "list open sockets"
KEY_NOTES = "list notes and warnings"
KEY_QUIT = "quit"
KEY_HELP = "help"
KEYS_HINT = "h help   b browser   r reload   l sockets   n notes   x quit"
NO_BROWSER = "There is no browser to open here. The worker is at {url}"
NO_SOCKETS = "No sockets are open."
NO_NOTES = "No notes and no warnings."
DEBUG_HINT = (
    "Write breakpoint() in a handler: pdb opens here when a request gets there, and limits pause while it waits. "
    "With an editor: python -m debugpy --listen 5678 -m emulator dev. More: docs/debugging.md"
)

# Debugging.
LEFT_DEBUGGER = "ended in the debugger (q)"

BREAKPOINT_ELSEWHERE = (
    "breakpoint() was passed over: of several processes none has the terminal. Use --workers 1."
)

# Several processes.
WORKERS_UNSUPPORTED = "This system can't have several processes share a port: one serves."
MEMBER_ENDED = "Process {number} ({pid}) {how}; another one takes its place."
MEMBER_FAILED = (
    "Process {number} can't be started again before this is mended; the others serve: {reason}"
)
MEMBER_EXITED = "exited with code {code}"
MEMBER_KILLED = "was ended by {signal}"
MEMBER_NEVER_SERVED = "A process that was to serve {how} before it did."
PROCESS_OF_SOCKET = "process {number}"

RELOADED = "Reloaded after {files} changed ({duration})"
RELOAD_FAILED = "The worker could not be loaded"
NOT_ANSWERED = "not answered: {error}"
RESTART_NEEDED = (
    "These settings are taken when pyworker starts: {names}. Stop it and start it again."
)
NOT_WATCHING = (
    "Changes of files are not noticed ({reason}). Press r to reload, or start pyworker again."
)
SEVERAL_FILES = "{first} and {count} more"
SETTINGS_FAILED = "The settings can't be followed; those before stay in force"
