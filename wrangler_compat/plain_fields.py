"""The rows of the fields that put no name into `env`. Pure."""

from typing import Final

from edgeworker.schema.wrangler_checks import (
    Member,
    anything,
    boolean,
    compatibility_date,
    one_of,
    string,
    string_list,
    string_or_strings,
    strings,
    table,
    worker_name,
)
from edgeworker.schema.wrangler_field import Field, inherited, own, top_level
from wrangler_compat.field_checks import defines, route, routes, rules, triggers

_BUNDLER: Final = "there is nothing to upload"
_JAVASCRIPT: Final = "for JavaScript and TypeScript, with the project's own esbuild; nothing to a Python script"

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
    top_level("alias", table(other_keys=True), "USE", _JAVASCRIPT),
    top_level(
        "site",
        table(
            Member("bucket", required=True),
            Member("include", None, check=strings),
            Member("exclude", None, check=strings),
            Member("entry-point"),
        ),
        "WARN",
        "Workers Sites is deprecated; files are not served",
    ),
    top_level(
        "dev",
        table(
            Member("ip"),
            Member("port", "number"),
            Member("inspector_port", "number"),
            Member("inspector_ip"),
            Member("local_protocol", check=one_of("http", "https")),
            Member("upstream_protocol", check=one_of("http", "https")),
            Member("host"),
            Member("enable_containers", "boolean"),
            Member("container_engine"),
            Member("generate_types", "boolean"),
        ),
        "MAP",
        "`ip`, `port` and `local_protocol` say where to listen, for https too; the rest has no effect: Host is never "
        "rewritten",
    ),
    inherited("name", worker_name, "USE", "default: `worker`"),
    inherited(
        "main", string, "USE", "a Python, JavaScript or TypeScript file; without `main` the split-token script runs"
    ),
    inherited("account_id", string, "USE", "any text; made up where none is configured"),
    inherited("compatibility_date", compatibility_date, "USE", "decides whether `on_fetch` is looked for"),
    inherited("compatibility_flags", string_list, "USE", "those for Python; unknown ones are warned about"),
    inherited(
        "workers_dev", boolean, "USE", "the host `<worker>.<subdomain>.workers.dev`; default: true if there is no route"
    ),
    inherited("preview_urls", boolean, "NOTE", "there are no preview hosts"),
    inherited("route", route, "USE"),
    inherited("routes", routes, "USE", "`enabled` and `previews_enabled` of a custom domain have no effect"),
    inherited(
        "triggers", triggers, "USE", "`crons` fire with `dev --cron` or over the trigger URLs; `events` have no effect"
    ),
    inherited(
        "build",
        table(Member("command"), Member("cwd"), Member("watch_dir", None, check=string_or_strings)),
        "WARN",
        "no command is run: start it yourself",
    ),
    inherited("rules", rules, "USE", "for JavaScript; a Python script reads its files with `open()`"),
    inherited("find_additional_modules", boolean, "USE", _JAVASCRIPT),
    inherited("preserve_file_names", boolean, "USE", _JAVASCRIPT),
    inherited("base_dir", string, "USE", _JAVASCRIPT),
    inherited("no_bundle", boolean, "USE", _JAVASCRIPT),
    inherited("minify", boolean, "USE", _JAVASCRIPT),
    inherited("keep_names", boolean, "USE", _JAVASCRIPT),
    inherited("upload_source_maps", boolean, "NOTE", _BUNDLER),
    inherited("tsconfig", string, "USE", _JAVASCRIPT),
    inherited("jsx_factory", string, "USE", _JAVASCRIPT),
    inherited("jsx_fragment", string, "USE", _JAVASCRIPT),
    inherited(
        "python_modules", table(Member("exclude", None, check=string_list)), "NOTE", "packages are those of this Python"
    ),
    inherited("migrations", anything, "NOTE", "Durable Objects are not emulated"),
    inherited("exports", anything, "NOTE", "Durable Objects and workflows are not emulated"),
    inherited(
        "limits",
        table(Member("cpu_ms", "number"), Member("subrequests", "number")),
        "MAP",
        "`cpu_ms` is how long a script may keep the loop at a time (page 1102), 30000 without it; the number of "
        "subrequests is limited in edge.toml",
    ),
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
        "access",
        table(Member("dev", "object", check=table(Member("aud", required=True), Member("identity", "object")))),
        "USE",
        "`dev` is `ctx.access` of every request that no Access let in, under `edgeworker dev` and in tests only",
    ),
    inherited(
        "cache",
        table(Member("enabled", "boolean", required=True), Member("cross_version_cache", "boolean")),
        "NOTE",
        "there is no cache in front of a worker",
    ),
    inherited("compliance_region", one_of("public", "fedramp_high"), "NOTE"),
    inherited("first_party_worker", boolean, "NOTE", "for Cloudflare's own workers"),
    inherited("previews", table(other_keys=True), "NOTE", "there are no previews"),
    own("define", defines, "USE", _JAVASCRIPT, "vars"),
    own("connect", anything, "NOTE", "there are no TCP handlers"),
    own("tail_consumers", anything, "NOTE", "tail workers are not emulated"),
    own("streaming_tail_consumers", anything, "NOTE", "tail workers are not emulated"),
    own("containers", anything, "NOTE", "containers are not emulated"),
    own("cloudchamber", table(other_keys=True), "NOTE", "containers are not emulated"),
)
