"""The rows of the fields that put names into `env`. Pure."""

from typing import Final

from edgeworker.schema.wrangler_checks import (
    Member,
    bindings,
    bucket_name,
    listed,
    one_of,
    single_binding,
    table,
)
from edgeworker.schema.wrangler_field import Field, Support, inherited, top_level
from wrangler_compat.field_checks import queues, rate_limit_period, remote, run_worker_first, secrets, unsafe, variables

_NOT_EMULATED: Final = "using it raises an error that names the kind"
_B: Final = Member("binding", required=True)
_MUST: Final = '"{at}" bindings must have a "{name}" field but got {got}.'
_MUST_STRING: Final = '"{at}" bindings must have a string "{name}" field but got {got}.'


def _list(name: str, binds: str, *members: Member, support: Support = "NOTE", note: str = _NOT_EMULATED) -> Field:
    return Field(name, bindings(*members), "own", support, note, binds, "items")


def _one(
    name: str, binds: str, *, support: Support = "NOTE", note: str = _NOT_EMULATED, other_keys: bool = False
) -> Field:
    return Field(name, single_binding(remote, other_keys=other_keys), "own", support, note, binds)


# In wrangler's order, in which it lists the kinds of a name that is used twice.
BINDING_FIELDS: Final[tuple[Field, ...]] = (
    top_level("data_blobs", table(other_keys=True), "NOTE", _NOT_EMULATED, "Data Blob"),
    Field(
        "durable_objects",
        listed(
            Member("name", required=True, text='binding should have a string "name" field.'),
            Member("class_name", required=True, text='binding should have a string "class_name" field.'),
            Member("script_name", text='the field "script_name", when present, should be a string.'),
            Member("environment", text='the field "environment", when present, should be a string.'),
        ),
        "own",
        "NOTE",
        _NOT_EMULATED,
        "Durable Object",
        "bindings",
    ),
    _list(
        "kv_namespaces",
        "KV Namespace",
        _B,
        Member("id", empty=False, text='"{at}" bindings should have a string "{name}" field but got {got}.'),
        Member("preview_id"),
        remote,
        support="USE",
        note="`id` is used, with `--preview` `preview_id`; without an id one is made from the worker and the binding",
    ),
    _list(
        "send_email",
        "Send Email",
        Member("name", required=True),
        Member("destination_address"),
        Member("allowed_destination_addresses", "object"),
        Member("allowed_sender_addresses", "object"),
        Member("binding"),
        remote,
    ),
    Field("queues", queues, "own", "NOTE", _NOT_EMULATED, "Queue"),
    _list(
        "d1_databases",
        "D1 Database",
        _B,
        Member("database_id", text=_MUST),
        Member("preview_database_id"),
        Member("database_name"),
        Member("migrations_dir"),
        Member("migrations_table"),
        Member("migrations_pattern"),
        Member("jurisdiction"),
        Member("database_internal_env"),
        remote,
    ),
    _list(
        "vectorize",
        "Vectorize Index",
        _B,
        Member("index_name", required=True, text='"{at}" bindings must have an "{name}" field but got {got}.'),
        remote,
    ),
    _list("ai_search_namespaces", "AI Search Namespace", _B, Member("namespace", required=True, text=_MUST), remote),
    _list(
        "ai_search",
        "AI Search Instance",
        _B,
        Member("instance_name", required=True, text='"{at}" bindings must have an "{name}" field but got {got}.'),
        remote,
    ),
    _list("agent_memory", "Agent Memory", _B, Member("namespace", required=True, text=_MUST), remote),
    _list(
        "hyperdrive",
        "Hyperdrive Config",
        _B,
        Member("id", required=True, text='"{at}" bindings must have a "{name}" field but got {got}.'),
        Member("localConnectionString"),
        remote,
    ),
    _list(
        "r2_buckets",
        "R2 Bucket",
        _B,
        Member(
            "bucket_name",
            empty=False,
            text='"{at}" bindings should have a string "{name}" field but got {got}.',
            check=bucket_name,
        ),
        Member("preview_bucket_name", check=bucket_name),
        Member("jurisdiction"),
        remote,
        Member("local_dev", "object"),
    ),
    inherited(
        "logfwdr",
        listed(
            Member("name", required=True, text='binding should have a string "name" field.'),
            Member("destination", required=True, text='binding should have a string "destination" field.'),
        ),
        "NOTE",
        _NOT_EMULATED,
        "logfwdr",
    ),
    Field(
        "services",
        bindings(
            _B,
            Member("service", required=True),
            Member("environment", text='"{at}" bindings should have a string "{name}" field but got {got}.'),
            Member("entrypoint", text='"{at}" bindings should have a string "{name}" field but got {got}.'),
            remote,
            other_keys=True,
        ),
        "own",
        "USE",
        "other workers of the same edge, and the service `edgeworker-atomic` (see scripts/atomic); `environment` and "
        "`dev` have no effect",
        "Worker",
        "items",
    ),
    _list(
        "analytics_engine_datasets",
        "Analytics Engine Dataset",
        _B,
        Member("dataset", empty=False),
        remote,
        support="MAP",
        note="`writeDataPoint` is logged (with `--verbose`) and goes nowhere",
    ),
    top_level("text_blobs", table(other_keys=True), "NOTE", _NOT_EMULATED, "Text Blob"),
    _one("browser", "Browser Run"),
    _one("analytics", "Analytics SQL"),
    _one("ai", "AI", other_keys=True),
    _one("images", "Images"),
    _one("stream", "Stream"),
    _one("media", "Media"),
    _one(
        "version_metadata",
        "Worker Version Metadata",
        support="MAP",
        other_keys=True,
        note="`id` is made from the script and its configuration, `timestamp` is the newest file's",
    ),
    Field("unsafe", unsafe, "own", "NOTE", _NOT_EMULATED, "Unsafe Metadata", "bindings"),
    Field("vars", variables, "own", "USE", "texts, and any other JSON value", "Environment Variable", "vars"),
    top_level("wasm_modules", table(other_keys=True), "NOTE", _NOT_EMULATED, "Wasm Module"),
    _list(
        "dispatch_namespaces",
        "Dispatch Namespace",
        Member("binding", required=True, text='"{at}" should have a string "binding" field but got {got}.'),
        Member("namespace", text='"{at}" should optionally have a string "namespace" field but got {got}.'),
        Member("outbound", "object"),
        remote,
    ),
    _list("mtls_certificates", "mTLS Certificate", _B, Member("certificate_id", required=True, empty=False), remote),
    _list(
        "workflows",
        "Workflow",
        _B,
        Member("name", required=True),
        Member("class_name", required=True),
        Member("script_name"),
        Member("limits", "object"),
        Member("concurrency", None),
        Member("schedules", None),
        Member("default_retention", None),
        Member("jurisdiction"),
    ),
    _list(
        "pipelines",
        "Pipeline",
        Member("binding", required=True, text=_MUST_STRING),
        Member("stream"),
        Member("pipeline"),
        remote,
    ),
    _list(
        "k2",
        "K2 Stream",
        Member("binding", required=True, text='"{at}" must have a string "binding" field.'),
        Member("stream", required=True, text='"{at}" must have a string "stream" field.'),
        remote,
    ),
    _list(
        "secrets_store_secrets",
        "Secrets Store Secret",
        Member("binding", required=True, text=_MUST_STRING),
        Member("store_id", required=True, text=_MUST_STRING),
        Member("secret_name", required=True, text=_MUST_STRING),
        support="MAP",
        note="`get()` gives what `.dev.vars`, `.env` or `--var` has under the binding's name",
    ),
    _list(
        "artifacts",
        "Artifacts",
        Member("binding", required=True, text=_MUST_STRING),
        Member("namespace", required=True, text=_MUST_STRING),
        remote,
    ),
    _list(
        "ratelimits",
        "Rate Limit",
        Member("name", required=True, text=_MUST_STRING),
        Member("namespace_id", required=True, text=_MUST_STRING),
        Member(
            "simple",
            "object",
            required=True,
            text='"{at}" bindings must have a "simple" configuration object but got {got}.',
            check=rate_limit_period,
        ),
        support="MAP",
        note="counted in fixed periods, by each process for itself",
    ),
    inherited(
        "assets",
        table(
            Member("directory"),
            Member("binding"),
            Member(
                "html_handling",
                check=one_of("auto-trailing-slash", "force-trailing-slash", "drop-trailing-slash", "none"),
            ),
            Member("not_found_handling", check=one_of("single-page-application", "404-page", "none")),
            Member("base_path"),
            Member("run_worker_first", None, check=run_worker_first),
        ),
        "USE",
        "served before or behind the script, or alone; with `_headers`, `_redirects` and `.assetsignore`; "
        "without files of secrets (`.dev.vars`, `.env`, `.git`); the ETag is "
        "another one than Cloudflare's, and links that lead out of the directory are not followed",
        "Assets",
    ),
    _list(
        "unsafe_hello_world",
        "Hello World",
        Member("binding", required=True, text=_MUST_STRING),
        Member("enable_timer", "boolean"),
    ),
    _list("flagship", "Flagship", Member("binding", required=True, text=_MUST_STRING), Member("app_id"), remote),
    _list("worker_loaders", "Worker Loader", Member("binding", required=True, text=_MUST_STRING)),
    _list("vpc_services", "VPC Service", _B, Member("service_id", required=True, text=_MUST), remote),
    _list("vpc_networks", "VPC Network", _B, Member("tunnel_id"), Member("network_id"), remote),
    Field(
        "secrets",
        secrets,
        "own",
        "USE",
        "`required` names are looked for in `.dev.vars`, `.env` and the process environment",
        "Secret",
    ),
)
