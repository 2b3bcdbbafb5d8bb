"""Settings and the command line.

Floor 0. Owns sentences; `emulator.errors` has them all.
"""

from __future__ import annotations

# Settings.
CONFIG_MISSING = "{file} does not exist. Check the path given to --config."
SECRETS_MISSING = "--env-file: there is no file {file}."
SECRETS_UNREAD = "--env-file has no effect: {file} is there, and comes first."
CONFIG_IS_DIRECTORY = "{file} is a directory. Give --config the settings file inside it."
CONFIG_UNREADABLE = "{file} can't be read: {reason}."
CONFIG_NOT_UTF8 = "{file} is not UTF-8 text (byte {byte}). Save it as UTF-8."
CONFIG_PLACE = "{file}, line {line}, column {column}"
CONFIG_NOT_OBJECT = '{file}: settings are an object. Write them as {{ "main": "worker.py" }}.'
CONFIG_TOO_DEEP = "{file}: too many tables or arrays lie inside each other."
CONFIG_SYNTAX = "{file}: {reason}."
CONFIG_UNKNOWN_KEY = "{file}: unknown key `{key}`.{hint}"
CONFIG_WRONG_VALUE = "{file}: `{key}` must be {expected}, found {found}."
CONFIG_REQUIRED = "{file}: `{key}` has no `{name}`. Add, for example: {example}"
CONFIG_NAME = (
    '{file}: `{key}` must be lowercase letters, digits, dashes and underscores, found "{name}".'
)
CONFIG_DATE = '{file}: `{key}` must be a date as "YYYY-MM-DD", found "{date}".'
CONFIG_CRON = "{file}: `{key}`: {fault}"
CONFIG_NOTED = "{file}: `{key}` has no effect here yet."
ENVIRONMENT_UNKNOWN = "{file}: there is no environment {name}; there are {known}.{hint}"
ENVIRONMENT_NONE = "{file}: there is no environment {name}: the file has no `env`. The top level's settings are used."
ENVIRONMENT_TOP_LEVEL = (
    "{file}: `{key}` has no place in an environment. Move `{name}` to the top level."
)
ENVIRONMENT_LACKS = (
    "{file}: the top level has {keys}, `env.{name}` has not, and an environment does not inherit "
    "these. Add to it what the worker needs."
)
CONFIG_SAME_LISTENER = (
    "{file}: two [[connect]] entries listen on {protocol} port {port}: {first} and {second}. "
    "Give each its own port."
)
CONFIG_NO_WORKER = (
    "There is no worker to serve: neither this folder nor one above it has a settings file "
    "({names}). Name the worker's file, pyworker dev path/to/worker.py, or write a "
    'wrangler_py.toml with main = "path/to/worker.py".'
)
CONFIG_NO_MAIN = (
    "{file} has no `main`. Add {example}, or name the worker's file: pyworker dev path/to/worker.py"
)
VARIABLE_FORM = "--var takes KEY:VALUE, found {found!r}."
SECRET_BAD_LINE = "{file}, line {line}: a line must be KEY=value, or begin with #."
SECRET_QUOTES = (
    "{file}, line {line}: the value of {name} begins with a quote, which must end it too."
)
SECRET_MISSING = "{file}: `secrets.required` names {name}, which {files} does not have."

# Where a setting is from, and what has changed.
HIDDEN = "(hidden)"
NOTHING = "(none)"
FROM_COMMAND_LINE = "command line"
FROM_VARIABLE = "variable {name}"
FROM_DEFAULT = "default"
CHANGED = "`{label}` was {old}, is {new}."
CHANGED_ADDED = "`{label}` is new: {new}."
CHANGED_REMOVED = "`{label}` is gone."
CHANGED_LONG = "`{label}` has another value."
CHANGED_SOURCE = "The settings are those of {new} now, not of {old}."
NO_FILE = "no file"

# The worker's file.
MAIN_MISSING = "{origin}: there is no file {path}.{hint}"
MAIN_IS_DIRECTORY = "{origin}: {path} is a directory. Name the worker's file in it."
MAIN_NOT_PYTHON = "{origin}: {path} is not a Python file. pyworker runs workers in .py files."
TLS_CA_MISSING = "{origin}: there is no file {path}."
CONNECT_TIMEOUT = "--connect-timeout takes a number of seconds above 0, not {value}."
WORKERS_NUMBER = "--workers takes a number of processes from 1 to {limit}, not {value}."
VARIABLE_WRONG_VALUE = "The variable {variable} must be one of {expected}, found {found}."
LOOP_MISSING = (
    "PYWORKER_LOOP asks for uvloop, which is not installed. Install it (pip install uvloop) or "
    "unset the variable."
)

# The command line.
COMMAND_UNKNOWN = "No such command {name!r}.{hint}"
COMMAND_IS_FILE = "{file!r} is a file, not a command. To serve it: pyworker dev {file}"
