"""Every field of wrangler's configuration, one row each; whatever else is said about fields is derived from it. Pure.

Source: wrangler 4.164.0 (its schema and its validation), https://developers.cloudflare.com/workers/wrangler/configuration/
"""

from typing import Final

from edgeworker.bindings import KINDS
from edgeworker.javascript.build import Build
from edgeworker.schema.wrangler_field import Field, Legacy
from edgeworker.schema.wrangler_shape import rows_of
from wrangler_compat.plain_fields import PLAIN_FIELDS
from wrangler_compat.worker_table import WorkerTable

# In wrangler's order, in which it lists the kinds of a name that is used twice. Others come behind them.
_ORDER: Final = (
    "data_blobs",
    "durable_objects",
    "kv_namespaces",
    "send_email",
    "queues",
    "d1_databases",
    "vectorize",
    "ai_search_namespaces",
    "ai_search",
    "agent_memory",
    "hyperdrive",
    "r2_buckets",
    "logfwdr",
    "services",
    "analytics_engine_datasets",
    "text_blobs",
    "browser",
    "analytics",
    "ai",
    "images",
    "stream",
    "media",
    "version_metadata",
    "unsafe",
    "vars",
    "wasm_modules",
    "dispatch_namespaces",
    "mtls_certificates",
    "workflows",
    "pipelines",
    "k2",
    "secrets_store_secrets",
    "artifacts",
    "ratelimits",
    "assets",
    "unsafe_hello_world",
    "flagship",
    "worker_loaders",
    "vpc_services",
    "vpc_networks",
    "secrets",
)


def _place(field: Field) -> int:
    return _ORDER.index(field.name) if field.name in _ORDER else len(_ORDER)


BINDING_FIELDS: Final = tuple(sorted((field for kind in KINDS for field in kind.fields), key=_place))
FIELDS: Final[tuple[Field, ...]] = (*rows_of(WorkerTable), *rows_of(Build), *PLAIN_FIELDS, *BINDING_FIELDS)
BY_NAME: Final[dict[str, Field]] = {field.name: field for field in FIELDS}

# What old tutorials write and wrangler 4 does not know any more.
LEGACY: Final[tuple[Legacy, ...]] = (
    Legacy("type", "WARN", 'From wrangler 1. It has no effect: the ending of "main" says what a worker is written in.'),
    Legacy("webpack_config", "WARN", "From wrangler 1. It has no effect: there is nothing to bundle."),
    Legacy(
        "kv-namespaces",
        "USE",
        'The spelling of wrangler 1, read here as "kv_namespaces". Today\'s wrangler ignores it and the bindings are '
        'missing from "env": write "kv_namespaces".',
    ),
    Legacy(
        "zone_id",
        "USE",
        "From wrangler 1. It is the id of the zone of routes that name none. Today's wrangler ignores it: "
        'write routes as { pattern = "example.com/*", zone_id = "..." }.',
    ),
    Legacy("usage_model", "WARN", "It has no effect since 2024."),
    Legacy("miniflare", "WARN", "From miniflare 2. It has no effect; see edge.toml for local settings."),
    Legacy("experimental_services", "WARN", 'It has no effect: write "services".'),
    Legacy(
        "legacy_env", "WARN", "It has no effect: each environment is a worker of its own, named <name>-<environment>."
    ),
    Legacy("node_compat", "WARN", "It has no effect: there is no Node.js here. wrangler refuses it since version 4."),
)
