"""The table of settings: every key, option and variable that pyworker knows.

Floor 1. Owns the rows and nothing else: the TOML reader, the command line and docs/settings.md are
made from them. To add a setting, add a row here and a field to `Config`.

Keys of the platform are those of python-workers' wrangler file; the ones of Effect.NOTED are
accepted so that a project's file can be used unchanged, and each gives one note. Source:
https://developers.cloudflare.com/workers/wrangler/configuration/
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Kind(Enum):
    """What a setting holds; the value is how a message names it."""

    STRING = "a string"
    INTEGER = "a whole number"
    PORT = "a port number from 0 to 65535"
    BOOLEAN = "true or false"
    STRINGS = "a list of strings"
    STRING_OR_STRINGS = "a string or a list of strings"
    SECONDS = "a number of seconds above 0"
    TABLE = "a table"
    TABLES = "an array of tables"
    JSON_TABLE = "a table of values that JSON can hold"
    ANY = "a value"


class Owner(Enum):
    """Whose setting it is."""

    PLATFORM = "platform"
    OURS = "pyworker"


class Effect(Enum):
    """What the setting does here."""

    APPLIED = "applied"
    NOTED = "accepted, has no effect here yet"
    IGNORED = "accepted, means nothing to a runtime"


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting and the places where it may be given.

    `key` is its path in the settings file, dotted; `[]` marks an array of tables. `argument` is a
    bare word on the command line, `option` its option names, `variable` an environment variable.
    The option of a STRING_OR_STRINGS may be given several times, and adds to what the file says.
    """

    name: str
    kind: Kind
    help: str
    key: str | None = None
    default: str | int | float | None = None
    argument: str | None = None
    option: tuple[str, ...] = ()
    metavar: str | None = None
    variable: str | None = None
    choices: tuple[str, ...] = ()
    required: bool = False
    owner: Owner = Owner.PLATFORM
    effect: Effect = Effect.APPLIED


def _noted(key: str, kind: Kind, help: str) -> Setting:
    return Setting(name=key, key=key, kind=kind, help=help, effect=Effect.NOTED)


SETTINGS: tuple[Setting, ...] = (
    Setting(
        "config_file",
        Kind.STRING,
        "The settings file. Without it the nearest wrangler_py.toml or wrangler.toml is read.",
        option=("-c", "--config"),
        metavar="FILE",
        owner=Owner.OURS,
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
        "connect_protocol",
        Kind.STRING,
        "What the listener speaks.",
        key="connect[].protocol",
        choices=("tcp",),
        required=True,
    ),
    Setting(
        "connect_port",
        Kind.PORT,
        "A local port for the worker's connect() handler; 0 is any free one.",
        key="connect[].port",
        required=True,
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
    _noted("dev.inspector_port", Kind.PORT, "Port of the inspector."),
    _noted("dev.local_protocol", Kind.STRING, "http or https."),
    _noted("dev.upstream_protocol", Kind.STRING, "Protocol towards the host of the routes."),
    _noted("dev.host", Kind.STRING, "Host that requests seem to be for."),
    _noted("dev.enable_containers", Kind.BOOLEAN, "Whether to build containers."),
    _noted("dev.container_engine", Kind.ANY, "How to reach Docker."),
    _noted("dev.generate_types", Kind.BOOLEAN, "TypeScript types."),
    _noted("triggers.crons", Kind.STRINGS, "When scheduled() is called."),
    _noted("observability", Kind.TABLE, "Logs and traces kept by the platform."),
    _noted("services", Kind.TABLES, "Bindings to other workers."),
    _noted("assets", Kind.TABLE, "Static files."),
    _noted("kv_namespaces", Kind.TABLES, "Key-value bindings."),
    _noted("d1_databases", Kind.TABLES, "D1 bindings."),
    _noted("durable_objects", Kind.TABLE, "Durable Object bindings."),
    _noted("migrations", Kind.TABLES, "Migrations of Durable Object classes."),
    _noted("queues", Kind.TABLE, "Queue producers and consumers."),
    _noted("r2_buckets", Kind.TABLES, "R2 bindings."),
    _noted("hyperdrive", Kind.TABLES, "Hyperdrive bindings."),
    _noted("env", Kind.TABLE, "Named environments."),
    _noted("workflows", Kind.TABLES, "Workflow bindings."),
    _noted("ai", Kind.TABLE, "Workers AI binding."),
    _noted("analytics_engine_datasets", Kind.TABLES, "Analytics Engine bindings."),
    _noted("browser", Kind.TABLE, "Browser Rendering binding."),
    _noted("containers", Kind.TABLES, "Containers."),
    _noted("dispatch_namespaces", Kind.TABLES, "Dispatch namespace bindings."),
    _noted("images", Kind.TABLE, "Images binding."),
    _noted("media", Kind.TABLE, "Media binding."),
    _noted("mtls_certificates", Kind.TABLES, "mTLS certificate bindings."),
    _noted("pipelines", Kind.TABLES, "Pipeline bindings."),
    _noted("ratelimits", Kind.TABLES, "Rate limit bindings."),
    _noted("secrets_store_secrets", Kind.TABLES, "Secrets Store bindings."),
    _noted("send_email", Kind.TABLES, "Email bindings."),
    _noted("tail_consumers", Kind.TABLES, "Workers that receive this one's logs."),
    _noted("streaming_tail_consumers", Kind.TABLES, "The same, as a stream."),
    _noted("unsafe", Kind.TABLE, "Unsafe bindings."),
    _noted("unsafe_hello_world", Kind.TABLES, "Hello World bindings."),
    _noted("vectorize", Kind.TABLES, "Vectorize bindings."),
    _noted("version_metadata", Kind.TABLE, "Version metadata binding."),
    _noted("vpc_services", Kind.TABLES, "VPC service bindings."),
    _noted("worker_loaders", Kind.TABLES, "Worker loader bindings."),
    _noted("account_id", Kind.STRING, "The account that is deployed to."),
    _noted("alias", Kind.TABLE, "Names of bundled modules."),
    _noted("base_dir", Kind.STRING, "Where further modules are looked for."),
    _noted("build", Kind.TABLE, "A build step."),
    _noted("cloudchamber", Kind.TABLE, "Cloudchamber."),
    _noted("compliance_region", Kind.STRING, "Region of the platform's interface."),
    _noted("data_blobs", Kind.TABLE, "Data files as bindings."),
    _noted("define", Kind.TABLE, "Replacements made by the bundler."),
    _noted("find_additional_modules", Kind.BOOLEAN, "Whether further modules are looked for."),
    _noted("first_party_worker", Kind.BOOLEAN, "A worker of the platform's own."),
    _noted("jsx_factory", Kind.STRING, "JSX."),
    _noted("jsx_fragment", Kind.STRING, "JSX."),
    _noted("keep_names", Kind.BOOLEAN, "Names in minified code."),
    _noted("keep_vars", Kind.BOOLEAN, "Whether a deployment keeps the dashboard's vars."),
    _noted("legacy_env", Kind.BOOLEAN, "Older environments."),
    _noted("logfwdr", Kind.TABLE, "Log forwarding."),
    _noted("logpush", Kind.BOOLEAN, "Logpush."),
    _noted("minify", Kind.BOOLEAN, "Whether a deployment is minified."),
    _noted("no_bundle", Kind.BOOLEAN, "Whether a deployment is bundled."),
    _noted("pages_build_output_dir", Kind.STRING, "Pages."),
    _noted("placement", Kind.TABLE, "Where the worker runs."),
    _noted("preserve_file_names", Kind.BOOLEAN, "File names in a deployment."),
    _noted("preview_urls", Kind.BOOLEAN, "Preview URLs."),
    _noted("python_modules", Kind.TABLE, "Which Python packages a deployment carries."),
    _noted("route", Kind.ANY, "Where the worker is reached."),
    _noted("routes", Kind.ANY, "Where the worker is reached."),
    _noted("rules", Kind.TABLES, "Kinds of modules."),
    _noted("send_metrics", Kind.BOOLEAN, "Usage metrics of the platform's tool."),
    _noted("site", Kind.TABLE, "Workers Sites."),
    _noted("text_blobs", Kind.TABLE, "Text files as bindings."),
    _noted("tsconfig", Kind.STRING, "TypeScript."),
    _noted("upload_source_maps", Kind.BOOLEAN, "Source maps of a deployment."),
    _noted("wasm_modules", Kind.TABLE, "WebAssembly modules as bindings."),
    _noted("workers_dev", Kind.BOOLEAN, "Whether workers.dev serves the worker."),
)

FILE_NAMES = ("wrangler_py.toml", "wrangler.toml", "wrangler.json", "wrangler.jsonc")


def setting(name: str) -> Setting:
    """Return the row called `name`. Raises KeyError for a name that is not in the table."""
    for row in SETTINGS:
        if row.name == name:
            return row
    raise KeyError(name)
