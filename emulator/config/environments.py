"""Named environments: what `env.NAME` of a settings file changes.

Floor 1. Owns which keys an environment inherits; must not know what the keys do. Source:
https://developers.cloudflare.com/workers/wrangler/configuration/#environments
"""

from __future__ import annotations

from emulator import errors
from emulator.config.document import Document, Part
from emulator.config.table import Kind
from emulator.config.validation import Values, first_part, validate, wrong_type
from emulator.nearest import nearest

# An environment has of these what it says itself.
NOT_INHERITED = frozenset(
    (
        *("ai", "ai_search", "ai_search_namespaces", "analytics_engine_datasets", "artifacts"),
        *("browser", "cloudchamber", "containers", "d1_databases", "define", "dispatch_namespaces"),
        *("durable_objects", "flagship", "hyperdrive", "images", "kv_namespaces", "media"),
        *("mtls_certificates", "pipelines", "queues", "r2_buckets", "ratelimits", "secrets"),
        *("secrets_store_secrets", "send_email", "services", "stream", "streaming_tail_consumers"),
        *("tail_consumers", "unsafe", "unsafe_hello_world", "vars", "vectorize"),
        *("version_metadata", "vpc_networks", "vpc_services", "worker_loaders", "workflows"),
    )
)
# And these it can't say.
TOP_LEVEL_ONLY = frozenset(
    (
        *("$schema", "alias", "data_blobs", "dev", "env", "keep_vars", "legacy_env"),
        *("pages_build_output_dir", "send_metrics", "site", "text_blobs", "wasm_modules"),
    )
)


def select(document: Document, environment: str) -> tuple[Values, tuple[str, ...]]:
    """Check `document`; return what it says for `environment`, and sentences for the user.

    An environment that is not there is an error, unless the file has none at all. Raises
    ConfigError.
    """
    top = validate(document)
    environments = top.plain.get("environments", {})
    assert isinstance(environments, dict)
    if environment not in environments:
        if environments:
            raise _unknown(document, environment, list(environments))
        note = errors.ENVIRONMENT_NONE.format(file=document.shown, name=environment)
        return _named(top, None, environment), (note,)
    prefix = f"env.{environment}."
    table = environments[environment]
    if not isinstance(table, dict):
        raise wrong_type(document, f"env.{environment}", Kind.TABLE, table)
    for key in TOP_LEVEL_ONLY.intersection(table):
        raise document.refusal(errors.ENVIRONMENT_TOP_LEVEL, prefix + key, Part.KEY, name=key)
    own = validate(document, table, prefix)
    given = frozenset(table)
    merged = _named(_merged(top, own, given), own.plain.get("name"), environment)
    lacking = _lacking(document, table)
    if not lacking:
        return merged, ()
    note = errors.ENVIRONMENT_LACKS.format(
        file=document.shown, keys=", ".join(f"`{key}`" for key in lacking), name=environment
    )
    return merged, (note,)


def _unknown(document: Document, name: str, known: list[str]) -> errors.ConfigError:
    near = nearest(name, known)
    hint = f" Did you mean {near}?" if near else ""
    return document.refusal(
        errors.ENVIRONMENT_UNKNOWN, "env", Part.KEY, name=name, known=", ".join(known), hint=hint
    )


def _merged(top: Values, own: Values, given: frozenset[str]) -> Values:
    """The environment's values, and of the top level what it inherits and does not say."""

    def inherits(path: str) -> bool:
        key = first_part(path)
        return key not in given and key not in NOT_INHERITED

    inherited = {name for name, path in top.places.items() if inherits(path)}
    return Values(
        {**{name: top.plain[name] for name in inherited & top.plain.keys()}, **own.plain},
        {**{name: top.repeated[name] for name in inherited & top.repeated.keys()}, **own.repeated},
        [path for path in top.noted if inherits(path)] + own.noted,
        {**{name: top.places[name] for name in inherited}, **own.places},
    )


def _named(values: Values, own_name: object, environment: str) -> Values:
    """The worker is called NAME-ENV, unless the environment names it."""
    name = values.plain.get("name")
    if own_name is None and isinstance(name, str):
        values.plain["name"] = f"{name}-{environment}"
    return values


def _lacking(document: Document, table: dict[str, object]) -> list[str]:
    """The keys that the top level has, the environment lacks and does not inherit."""
    lacking: list[str] = []
    for key in document.tables:
        if key in NOT_INHERITED and key not in table:
            lacking.append(key)
    variables, own = document.tables.get("vars"), table.get("vars")
    if isinstance(variables, dict) and isinstance(own, dict):
        lacking += [f"vars.{name}" for name in variables if name not in own]
    return lacking
