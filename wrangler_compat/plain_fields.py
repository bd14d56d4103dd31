"""The rows of the fields that have no effect on a worker here and put no name into `env`. Pure."""

from typing import Final

from edgeworker.schema.wrangler_checks import (
    Member,
    anything,
    boolean,
    one_of,
    string,
    string_list,
    strings,
    table,
)
from edgeworker.schema.wrangler_field import Field, inherited, own, top_level

PLAIN_FIELDS: Final[tuple[Field, ...]] = (
    top_level("$schema", string, "NOTE", "for editors"),
    top_level("env", anything, "USE", "environments; chosen by `--env` or `CLOUDFLARE_ENV`"),
    top_level("keep_vars", boolean, "NOTE", "about deploying"),
    top_level("send_metrics", boolean, "NOTE", "nothing is ever sent"),
    top_level(
        "dependencies_instrumentation",
        table(Member("enabled", "boolean"), Member("exclude_packages", None, check=strings)),
        "NOTE",
        "nothing is ever sent",
    ),
    top_level("addresses", strings, "NOTE", "e-mail is not emulated"),
    top_level("pages_build_output_dir", string, "FAIL", "a Pages project is not a worker"),
    inherited("preview_urls", boolean, "NOTE", "there are no preview hosts"),
    inherited("upload_source_maps", boolean, "NOTE", "there is nothing to upload"),
    inherited(
        "python_modules", table(Member("exclude", None, check=string_list)), "NOTE", "packages are those of this Python"
    ),
    inherited("migrations", anything, "NOTE", "say which Durable Objects have SQLite; nothing is migrated"),
    inherited("exports", anything, "NOTE", "Durable Objects and workflows are not emulated"),
    inherited(
        "placement",
        table(
            Member("mode", check=one_of("off", "smart", "targeted")),
            Member("hint"),
            Member("region"),
            Member("host"),
            Member("hostname"),
        ),
        "NOTE",
        "there is one place",
    ),
    inherited(
        "observability",
        table(
            Member("enabled", "boolean"),
            Member("head_sampling_rate", "number"),
            Member("redact_query_string", "boolean"),
            Member("issues", "object"),
            Member("logs", "object"),
            Member("traces", "object"),
        ),
        "NOTE",
        "every request has its log line",
    ),
    inherited("logpush", boolean, "NOTE", "logs stay here"),
    inherited(
        "cache",
        table(Member("enabled", "boolean", required=True), Member("cross_version_cache", "boolean")),
        "NOTE",
        "there is no cache in front of a worker",
    ),
    inherited("compliance_region", one_of("public", "fedramp_high"), "NOTE"),
    inherited("first_party_worker", boolean, "NOTE", "for Cloudflare's own workers"),
    inherited("previews", table(other_keys=True), "NOTE", "there are no previews"),
    own("connect", anything, "NOTE", "there are no TCP handlers"),
    own("tail_consumers", anything, "NOTE", "tail workers are not emulated"),
    own("streaming_tail_consumers", anything, "NOTE", "tail workers are not emulated"),
    own("containers", anything, "NOTE", "containers are not emulated"),
    own("cloudchamber", table(other_keys=True), "NOTE", "containers are not emulated"),
)
