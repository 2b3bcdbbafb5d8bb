"""The platform's keys that have no effect here yet: the second part of the table of settings.

Floor 1. Owns these rows and nothing else. They are accepted so that a project's file can be used
unchanged, and each gives one note. Source:
https://developers.cloudflare.com/workers/wrangler/configuration/
"""

from __future__ import annotations

from emulator.config.table import Effect, Kind, Setting


def _noted(key: str, kind: Kind, help: str) -> Setting:
    return Setting(name=key, key=key, kind=kind, help=help, effect=Effect.NOTED)


UNAPPLIED: tuple[Setting, ...] = (
    _noted("dev.inspector_port", Kind.PORT, "Port of the inspector."),
    _noted("dev.upstream_protocol", Kind.STRING, "Protocol towards the host of the routes."),
    _noted("dev.host", Kind.STRING, "Host that requests seem to be for."),
    _noted("dev.enable_containers", Kind.BOOLEAN, "Whether to build containers."),
    _noted("dev.container_engine", Kind.ANY, "How to reach Docker."),
    _noted("dev.generate_types", Kind.BOOLEAN, "TypeScript types."),
    _noted("observability", Kind.TABLE, "Logs and traces kept by the platform."),
    _noted("services[].props", Kind.TABLE, "What the worker bound to finds in ctx.props."),
    _noted("services[].remote", Kind.BOOLEAN, "Whether the deployed worker is used."),
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
