"""The fields of wrangler's configuration whose bindings are not emulated. Pure."""

from collections.abc import Iterator
from typing import Final

from edgeworker.bindings.unsupported.binding import UnsupportedBinding
from edgeworker.schema.worker_fields import WorkerFields
from edgeworker.schema.wrangler_checks import (
    FieldContext,
    Member,
    as_table,
    bindings,
    bucket_name,
    listed,
    require_table,
    table,
    to_json_text,
    type_of,
)
from edgeworker.schema.wrangler_field import (
    BINDING,
    MUST_STRING,
    NOT_EMULATED,
    REMOTE,
    Field,
    binding_list,
    binding_names,
    inherited,
    one_binding,
    top_level,
)

_MUST: Final = '"{at}" bindings must have a "{name}" field but got {got}.'


_CONSUMER: Final = (
    ("type", "string"),
    ("max_batch_size", "number"),
    ("max_batch_timeout", "number"),
    ("max_retries", "number"),
    ("dead_letter_queue", "string"),
    ("max_concurrency", "number"),
    ("visibility_timeout_ms", "number"),
    ("retry_delay", "number"),
)
_producers: Final = bindings(
    Member("binding", required=True),
    Member(
        "queue",
        empty=False,
        text='"{at}" bindings should optionally have a non-empty string "queue" field but got {got}.',
    ),
    Member(
        "delivery_delay",
        "number",
        text='"{at}" should, optionally, have a number "delivery_delay" field but got {got}.',
    ),
    Member("remote", "boolean"),
)


def queues(context: FieldContext, value: object) -> None:
    values = require_table(context, value, end=".")
    if values is None:
        return
    context.unexpected(values, ["consumers", "producers"])
    if "consumers" in values:
        consumers = context.key("consumers")
        if isinstance(values["consumers"], list):
            for index, item in enumerate(values["consumers"]):
                _consumer(consumers.item(index), item)
        else:
            consumers.error(
                f'The field "{consumers.label}" should be an array but got {to_json_text(values["consumers"])}.'
            )
    if "producers" in values:
        _producers(context.key("producers"), values["producers"])


def _consumer(context: FieldContext, value: object) -> None:
    values = as_table(value)
    if values is None:
        context.error(f'"{context.label}" should be a objects, but got {to_json_text(value)}')
        return
    context.unexpected(values, ["queue", *(name for name, _ in _CONSUMER)])
    if not isinstance(values.get("queue"), str):
        context.error(f'"{context.label}" should have a string "queue" field but got {to_json_text(value)}.')
    for name, kind in _CONSUMER:
        if name in values and type_of(values[name]) != kind:
            context.key(name).error(
                f'"{context.label}" should, optionally, have a {kind} "{name}" field but got {to_json_text(value)}.'
            )


def _queue_names(value: object) -> list[str]:
    return binding_names((as_table(value) or {}).get("producers"))


def unsafe(context: FieldContext, value: object) -> None:
    context.warning('"unsafe" fields are experimental and may change or break at any time.')
    table(
        Member("bindings", None, check=_unsafe_bindings),
        Member("metadata", "object"),
        Member("capnp", "object"),
    )(context, value)


_unsafe_bindings: Final = bindings(
    Member("name", required=True, text='binding should have a string "name" field.'),
    Member("type", required=True, text='binding should have a string "type" field.'),
    other_keys=True,
)

FIELDS: Final[tuple[Field, ...]] = (
    top_level("data_blobs", table(other_keys=True), "NOTE", NOT_EMULATED, "Data Blob"),
    binding_list(
        "send_email",
        "Send Email",
        Member("name", required=True),
        Member("destination_address"),
        Member("allowed_destination_addresses", "object"),
        Member("allowed_sender_addresses", "object"),
        Member("binding"),
        REMOTE,
    ),
    Field("queues", queues, "own", "NOTE", NOT_EMULATED, "Queue", names=_queue_names),
    binding_list(
        "d1_databases",
        "D1 Database",
        BINDING,
        Member("database_id", text=_MUST),
        Member("preview_database_id"),
        Member("database_name"),
        Member("migrations_dir"),
        Member("migrations_table"),
        Member("migrations_pattern"),
        Member("jurisdiction"),
        Member("database_internal_env"),
        REMOTE,
    ),
    binding_list(
        "vectorize",
        "Vectorize Index",
        BINDING,
        Member("index_name", required=True, text='"{at}" bindings must have an "{name}" field but got {got}.'),
        REMOTE,
    ),
    binding_list(
        "ai_search_namespaces", "AI Search Namespace", BINDING, Member("namespace", required=True, text=_MUST), REMOTE
    ),
    binding_list(
        "ai_search",
        "AI Search Instance",
        BINDING,
        Member("instance_name", required=True, text='"{at}" bindings must have an "{name}" field but got {got}.'),
        REMOTE,
    ),
    binding_list("agent_memory", "Agent Memory", BINDING, Member("namespace", required=True, text=_MUST), REMOTE),
    binding_list(
        "hyperdrive",
        "Hyperdrive Config",
        BINDING,
        Member("id", required=True, text='"{at}" bindings must have a "{name}" field but got {got}.'),
        Member("localConnectionString"),
        REMOTE,
    ),
    binding_list(
        "r2_buckets",
        "R2 Bucket",
        BINDING,
        Member(
            "bucket_name",
            empty=False,
            text='"{at}" bindings should have a string "{name}" field but got {got}.',
            check=bucket_name,
        ),
        Member("preview_bucket_name", check=bucket_name),
        Member("jurisdiction"),
        REMOTE,
        Member("local_dev", "object"),
    ),
    inherited(
        "logfwdr",
        listed(
            Member("name", required=True, text='binding should have a string "name" field.'),
            Member("destination", required=True, text='binding should have a string "destination" field.'),
        ),
        "NOTE",
        NOT_EMULATED,
        "logfwdr",
    ),
    top_level("text_blobs", table(other_keys=True), "NOTE", NOT_EMULATED, "Text Blob"),
    one_binding("browser", "Browser Run"),
    one_binding("analytics", "Analytics SQL"),
    one_binding("ai", "AI", other_keys=True),
    one_binding("images", "Images"),
    one_binding("stream", "Stream"),
    one_binding("media", "Media"),
    Field("unsafe", unsafe, "own", "NOTE", NOT_EMULATED, "Unsafe Metadata", "bindings"),
    top_level("wasm_modules", table(other_keys=True), "NOTE", NOT_EMULATED, "Wasm Module"),
    binding_list(
        "dispatch_namespaces",
        "Dispatch Namespace",
        Member("binding", required=True, text='"{at}" should have a string "binding" field but got {got}.'),
        Member("namespace", text='"{at}" should optionally have a string "namespace" field but got {got}.'),
        Member("outbound", "object"),
        REMOTE,
    ),
    binding_list(
        "mtls_certificates", "mTLS Certificate", BINDING, Member("certificate_id", required=True, empty=False), REMOTE
    ),
    binding_list(
        "workflows",
        "Workflow",
        BINDING,
        Member("name", required=True),
        Member("class_name", required=True),
        Member("script_name"),
        Member("limits", "object"),
        Member("concurrency", None),
        Member("schedules", None),
        Member("default_retention", None),
        Member("jurisdiction"),
    ),
    binding_list(
        "pipelines",
        "Pipeline",
        Member("binding", required=True, text=MUST_STRING),
        Member("stream"),
        Member("pipeline"),
        REMOTE,
    ),
    binding_list(
        "k2",
        "K2 Stream",
        Member("binding", required=True, text='"{at}" must have a string "binding" field.'),
        Member("stream", required=True, text='"{at}" must have a string "stream" field.'),
        REMOTE,
    ),
    binding_list(
        "artifacts",
        "Artifacts",
        Member("binding", required=True, text=MUST_STRING),
        Member("namespace", required=True, text=MUST_STRING),
        REMOTE,
    ),
    binding_list(
        "unsafe_hello_world",
        "Hello World",
        Member("binding", required=True, text=MUST_STRING),
        Member("enable_timer", "boolean"),
    ),
    binding_list("flagship", "Flagship", Member("binding", required=True, text=MUST_STRING), Member("app_id"), REMOTE),
    binding_list("worker_loaders", "Worker Loader", Member("binding", required=True, text=MUST_STRING)),
    binding_list("vpc_services", "VPC Service", BINDING, Member("service_id", required=True, text=_MUST), REMOTE),
    binding_list("vpc_networks", "VPC Network", BINDING, Member("tunnel_id"), Member("network_id"), REMOTE),
)


def read_bindings(fields: WorkerFields) -> Iterator[UnsupportedBinding]:
    for field in FIELDS:
        if field.binds is not None and field.name in fields.values:
            for name in _names(field, fields):
                yield UnsupportedBinding(name, field.binds)


def _names(field: Field, fields: WorkerFields) -> list[str]:
    value = fields.value(field.name)
    match field.name:
        case "send_email":
            tables = [as_table(item) or {} for item in (value if isinstance(value, list) else [])]
            return [name for table in tables if isinstance(name := table.get("name"), str)]
        case "unsafe" | "logfwdr":
            return field.names(value) if "bindings" in fields.table(field.name) else []
        case _:
            return field.names(value)
