"""The table of settings: every key, option and variable that pyworker knows.

Floor 1. Owns the rows and nothing else: the file's reader, the command line and docs/settings.md
are made from them. To add a setting, add a row here and a field to `Config`.

Keys of the platform are those of python-workers' wrangler file. Source:
https://developers.cloudflare.com/workers/wrangler/configuration/
"""

from __future__ import annotations

from emulator.config.table import Effect, Kind, Owner, Setting
from emulator.config.unapplied import UNAPPLIED

SETTINGS: tuple[Setting, ...] = (
    Setting(
        "config_file",
        Kind.STRING_OR_STRINGS,
        "The settings file. The first one's worker is served; the others' can be bound to it.",
        option=("-c", "--config"),
        metavar="FILE",
    ),
    Setting(
        "environment",
        Kind.STRING,
        "The environment, of those under `env` in the settings file.",
        option=("-e", "--env"),
        metavar="NAME",
        variable="CLOUDFLARE_ENV",
    ),
    Setting("name", Kind.STRING, "The worker's name. Default: after its file.", key="name"),
    Setting(
        "main",
        Kind.STRING,
        "The worker's file, relative to the settings file; SCRIPT is relative to where you are.",
        key="main",
        argument="SCRIPT",
    ),
    Setting(
        "compatibility_date",
        Kind.STRING,
        "The date of the platform's behaviour, as YYYY-MM-DD.",
        key="compatibility_date",
    ),
    Setting(
        "compatibility_flags",
        Kind.STRINGS,
        "Names of behaviours switched on or off.",
        key="compatibility_flags",
    ),
    Setting("vars", Kind.JSON_TABLE, "Values that the worker finds in env.", key="vars"),
    Setting(
        "var",
        Kind.STRING_OR_STRINGS,
        "A text that the worker finds in env, before those of the settings file and the secrets.",
        option=("--var",),
        metavar="KEY:VALUE",
    ),
    Setting(
        "service_binding",
        Kind.STRING,
        "The name in env of a binding to another worker.",
        key="services[].binding",
        required=True,
        example='"AUTH"',
    ),
    Setting(
        "service_name",
        Kind.STRING,
        "The name of the worker that it leads to.",
        key="services[].service",
        required=True,
        example='"auth"',
    ),
    Setting(
        "service_entrypoint",
        Kind.STRING,
        "The class in that worker. Default: its default export.",
        key="services[].entrypoint",
    ),
    Setting(
        "service_environment",
        Kind.STRING,
        "The environment of that worker.",
        key="services[].environment",
    ),
    Setting(
        "crons",
        Kind.STRINGS,
        "When scheduled() is called, as cron expressions.",
        key="triggers.crons",
    ),
    Setting(
        "connect_protocol",
        Kind.STRING,
        "What the listener speaks.",
        key="connect[].protocol",
        choices=("tcp",),
        required=True,
        example='"tcp"',
    ),
    Setting(
        "connect_port",
        Kind.PORT,
        "A local port for the worker's connect() handler; 0 is any free one.",
        key="connect[].port",
        required=True,
        example="7070",
    ),
    Setting(
        "connect_address",
        Kind.STRING,
        "The address that port listens on.",
        key="connect[].address",
        default="localhost",
    ),
    Setting(
        "ip",
        Kind.STRING,
        "The address to listen on.",
        key="dev.ip",
        default="localhost",
        option=("--ip",),
        metavar="ADDRESS",
    ),
    Setting(
        "port",
        Kind.PORT,
        "The port to listen on, or the next free one of ten; 0 is any free one.",
        key="dev.port",
        default=8787,
        option=("--port",),
        metavar="NUMBER",
    ),
    Setting(
        "local_protocol",
        Kind.STRING,
        "What the port speaks.",
        key="dev.local_protocol",
        default="http",
        option=("--local-protocol",),
        choices=("http", "https"),
    ),
    Setting(
        "https_key_path",
        Kind.STRING,
        "A PEM file with the private key for https. Default: one made for this machine.",
        option=("--https-key-path",),
        metavar="FILE",
    ),
    Setting(
        "https_cert_path",
        Kind.STRING,
        "A PEM file with the certificate for https.",
        option=("--https-cert-path",),
        metavar="FILE",
    ),
    Setting(
        "unix_socket",
        Kind.STRING,
        "A Unix socket to listen on in place of a port, relative to the settings file or to where you are.",
        key="dev.unix_socket",
        option=("--unix-socket",),
        metavar="PATH",
        owner=Owner.OURS,
    ),
    Setting(
        "run_crons",
        Kind.BOOLEAN,
        "Call scheduled() when triggers.crons says so.",
        option=("--run-crons",),
        owner=Owner.OURS,
    ),
    Setting(
        "reload",
        Kind.BOOLEAN,
        "Load the worker anew when one of its files changes.",
        key="dev.reload",
        default=True,
        option=("--reload/--no-reload",),
        owner=Owner.OURS,
    ),
    Setting(
        "keep_last_good",
        Kind.BOOLEAN,
        "Go on serving the last version that could be loaded while the newest can't.",
        key="dev.keep_last_good",
        option=("--keep-last-good",),
        owner=Owner.OURS,
    ),
    Setting(
        "log_level",
        Kind.STRING,
        "The least important lines that are shown.",
        default="log",
        option=("--log-level",),
        choices=("debug", "info", "log", "warn", "error", "none"),
    ),
    Setting(
        "log_format",
        Kind.STRING,
        "Lines to read, or one JSON object a line.",
        key="dev.log_format",
        default="text",
        option=("--log-format",),
        choices=("text", "json"),
        owner=Owner.OURS,
    ),
    Setting(
        "tls_ca",
        Kind.STRING_OR_STRINGS,
        "A PEM file of certificates that connect() trusts beside the system's, relative to the "
        "settings file or to where you are.",
        key="dev.tls_ca",
        option=("--tls-ca",),
        metavar="FILE",
        owner=Owner.OURS,
    ),
    Setting(
        "tls_insecure",
        Kind.STRING_OR_STRINGS,
        "A host whose certificate connect() does not check; each use gives a warning.",
        key="dev.tls_insecure",
        option=("--tls-insecure",),
        metavar="HOST",
        owner=Owner.OURS,
    ),
    Setting(
        "connect_timeout_seconds",
        Kind.SECONDS,
        "How long connect() may take to look up a name, open a connection and shake hands over TLS.",
        key="dev.connect_timeout_seconds",
        default=30,
        option=("--connect-timeout",),
        metavar="SECONDS",
        owner=Owner.OURS,
    ),
    Setting(
        "cpu_ms",
        Kind.INTEGER,
        "CPU time that one request may use, in milliseconds. Default: no limit; 30000 in strict mode.",
        key="limits.cpu_ms",
    ),
    Setting(
        "subrequests",
        Kind.INTEGER,
        "Connections and fetches that one request may make.",
        key="limits.subrequests",
        default=10_000,
    ),
    Setting(
        "connections",
        Kind.INTEGER,
        "Connections that one request may have at once, counted by limits.connection_mode.",
        key="limits.connections",
        default=6,
        owner=Owner.OURS,
    ),
    Setting(
        "connection_mode",
        Kind.STRING,
        "Which connections count: those being opened, or every open one (the platform's older rule).",
        key="limits.connection_mode",
        default="connecting",
        choices=("connecting", "open"),
        owner=Owner.OURS,
    ),
    Setting(
        "wait_until_seconds",
        Kind.SECONDS,
        "How long wait_until work may go on after the response.",
        key="limits.wait_until_seconds",
        default=30,
        owner=Owner.OURS,
    ),
    Setting(
        "body_mb",
        Kind.INTEGER,
        "How large a request's body may be, in MB.",
        key="limits.body_mb",
        default=100,
        owner=Owner.OURS,
    ),
    Setting(
        "strict",
        Kind.BOOLEAN,
        "Refuse what production refuses: local and private addresses, port 25, too much CPU time.",
        key="strict.enabled",
        option=("--strict",),
        owner=Owner.OURS,
    ),
    Setting(
        "strict_allow",
        Kind.STRINGS,
        'Addresses ("127.0.0.1:5432") that strict mode allows all the same.',
        key="strict.allow",
        owner=Owner.OURS,
    ),
    Setting(
        "event_loop",
        Kind.STRING,
        "The event loop that serves; auto is uvloop where it is installed.",
        default="auto",
        variable="PYWORKER_LOOP",
        choices=("auto", "uvloop", "asyncio"),
        owner=Owner.OURS,
    ),
    Setting("schema", Kind.STRING, "For editors.", key="$schema", effect=Effect.IGNORED),
    *UNAPPLIED,
)

FILE_NAMES = ("wrangler_py.toml", "wrangler.toml", "wrangler.json", "wrangler.jsonc")


def setting(name: str) -> Setting:
    """Return the row called `name`. Raises KeyError for a name that is not in the table."""
    for row in SETTINGS:
        if row.name == name:
            return row
    raise KeyError(name)
