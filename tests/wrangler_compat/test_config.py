"""What one worker's configuration means."""

import pytest

from edgeworker.bindings import AtomicBinding, DurableObjectBinding, KVBinding, ServiceBinding, UnsupportedBinding
from edgeworker.schema.diagnostics import Diagnostics
from tests.wrangler_compat.project import HEAD, Project, bindings, document, only, places, texts
from wrangler_compat.config import NEWEST_DATE, ParsedWorker, parse_worker
from wrangler_compat.environments import choose
from wrangler_compat.fields import FIELDS


def parse(text: str, *, preview: bool = False) -> tuple[ParsedWorker, Diagnostics]:
    diagnostics = Diagnostics()
    environment = choose(document(HEAD + text), None, Diagnostics())
    return parse_worker(environment, diagnostics, preview=preview), diagnostics


def test_a_kv_namespace_is_its_id_or_with_preview_its_preview_id() -> None:
    text = 'kv_namespaces = [{ binding = "A", id = "1", preview_id = "p" }, { binding = "B", id = "any text" }]\n'

    assert parse(text)[0].bindings == (KVBinding("A", "1"), KVBinding("B", "any text"))
    assert parse(text, preview=True)[0].bindings == (KVBinding("A", "p"), KVBinding("B", "any text"))


def test_a_kv_namespace_without_an_id_gets_one_that_stays_the_same_and_is_its_own() -> None:
    text = 'kv_namespaces = [{ binding = "A" }, { binding = "B" }]\n'
    (first, second), (again, _) = parse(text)[0].bindings, parse(text)[0].bindings

    assert isinstance(first, KVBinding)
    assert isinstance(second, KVBinding)
    assert first == again
    assert first.namespace_id != second.namespace_id
    assert len(first.namespace_id) == 32


def test_an_id_with_a_slash_is_an_error_because_it_could_not_stand_in_a_path() -> None:
    _, diagnostics = parse('kv_namespaces = [{ binding = "A", id = "a/b" }]\n')

    assert "must not contain" in diagnostics.of("error")[0].text


def test_services_are_bound_with_their_entrypoint_and_props() -> None:
    found, _ = parse('[[services]]\nbinding = "S"\nservice = "other"\nentrypoint = "Admin"\nprops = { a = [1] }\n')

    assert found.bindings == (ServiceBinding("S", "other", "Admin", {"a": [1]}),)


def test_the_atomic_service_is_known_by_its_name() -> None:
    found, diagnostics = parse(
        '[[services]]\nbinding = "ATOMIC"\nservice = "edgeworker-atomic"\nprops = { space = "shop" }\n'
    )

    assert found.bindings == (AtomicBinding("ATOMIC", "shop"),)
    assert not diagnostics.render("warning")


UNSUPPORTED = """\
[[r2_buckets]]
binding = "R2"
bucket_name = "bucket"
[[queues.producers]]
binding = "Q"
queue = "q"
[[durable_objects.bindings]]
name = "DO"
class_name = "C"
[[send_email]]
name = "MAIL"
[ai]
binding = "AI"
[wasm_modules]
WASM = "x.wasm"
[unsafe]
metadata = { a = 1 }
[[unsafe.bindings]]
name = "U"
type = "ratelimit"
"""


def test_bindings_that_are_not_emulated_are_there_and_know_their_kind() -> None:
    found, diagnostics = parse(UNSUPPORTED)

    kinds = {binding.name: binding.kind for binding in found.bindings if isinstance(binding, UnsupportedBinding)}
    assert kinds == {
        "R2": "R2 Bucket", "Q": "Queue", "MAIL": "Send Email", "AI": "AI",
        "WASM": "Wasm Module", "U": "Unsafe Metadata",
    }  # fmt: skip
    assert [binding.name for binding in found.bindings if isinstance(binding, DurableObjectBinding)] == ["DO"]
    assert '"r2_buckets" is not emulated: using it raises an error that names the kind.' in [
        message.text for message in diagnostics.of("info")
    ]


def test_queues_without_producers_and_unsafe_without_bindings_bind_nothing() -> None:
    found, _ = parse('[[queues.consumers]]\nqueue = "q"\n[unsafe]\nmetadata = { a = 1 }\n[assets]\ndirectory = "x"\n')

    assert found.bindings == ()


@pytest.mark.parametrize("field", [field.name for field in FIELDS if field.support == "NOTE" and not field.binds])
def test_a_field_without_effect_is_told_once_at_info(field: str) -> None:
    _, diagnostics = parse(f'"{field}" = 1\n')

    told = [message for message in diagnostics.of("info") if message.text.startswith(f'"{field}" has no effect here')]
    assert len(told) == (0 if field in ("$schema", "triggers") else 1)


def test_a_command_to_build_is_a_warning() -> None:
    def warnings(text: str) -> list[str]:
        return [message.text for message in parse(text)[1].of("warning")]

    assert warnings('[build]\ncommand = "make"\n') == [
        '"build" has no effect here: no command is run: start it yourself.'
    ]
    assert warnings('[build]\ncwd = "x"\n') == []


def test_a_pages_project_is_refused_with_advice() -> None:
    _, diagnostics = parse('pages_build_output_dir = "dist"\n')

    assert "Pages project" in diagnostics.of("error")[0].text


@pytest.mark.parametrize(
    ("text", "workers_dev"),
    [
        ("", True),
        ('route = "example.com/*"\n', False),
        ('route = "example.com/*"\nworkers_dev = true\n', True),
        ("workers_dev = false\n", False),
        ("routes = []\n", True),
    ],
)
def test_workers_dev_is_on_if_there_is_no_route(text: str, workers_dev: bool) -> None:
    assert parse(text)[0].workers_dev is workers_dev


def test_routes_are_read_in_every_form() -> None:
    found, _ = parse(
        'routes = ["a.com/*", { pattern = "b.com/*", zone_name = "b.com" }, { pattern = "c.com/*", zone_id = "1" }, '
        '{ pattern = "d.com", custom_domain = true }]\n'
    )

    assert [(route.pattern, route.custom_domain, route.zone_name, route.zone_id) for route in found.routes] == [
        ("a.com/*", False, None, None),
        ("b.com/*", False, "b.com", None),
        ("c.com/*", False, None, "1"),
        ("d.com", True, None, None),
    ]


def test_a_bad_pattern_is_an_error_at_its_line_and_the_other_routes_stay() -> None:
    found, diagnostics = parse('routes = [\n  "a.com/*",\n  "a.com/*.jpg",\n  "ftp://a.com/*",\n]\n')

    assert [route.pattern for route in found.routes] == ["a.com/*"]
    assert [str(message.locations[0]) for message in diagnostics.of("error")] == [
        "wrangler.toml:7 (routes[1])",
        "wrangler.toml:8 (routes[2])",
    ]
    assert 'Invalid route pattern "a.com/*.jpg"' in diagnostics.of("error")[0].text


def test_a_custom_domain_has_neither_a_wildcard_nor_a_path() -> None:
    _, diagnostics = parse('routes = [{ pattern = "*.a.com/x", custom_domain = true }]\n')

    # Source: validateRoutes in wrangler 4.164.0
    assert [message.text for message in diagnostics.of("error")] == [
        "Invalid Routes:\n*.a.com/x:\nWildcard operators (*) are not allowed in Custom Domains\n"
        "Paths are not allowed in Custom Domains"
    ]


def test_without_a_date_the_newest_one_is_used_and_told(project: Project) -> None:
    project.write("wrangler.toml", 'name = "w"\nmain = "worker.py"\ncompatibility_flags = ["python_workers"]\n')
    project.write("worker.py")

    loaded = project.load()

    assert only(loaded.require()).compatibility_date == NEWEST_DATE
    assert texts(loaded, "warning") == [
        f"No compatibility_date was specified. Using the default compatibility date: {NEWEST_DATE}.\n"
        f'Add one to your wrangler.toml file: compatibility_date = "{NEWEST_DATE}".'
    ]


def test_an_unknown_flag_and_the_missing_flag_for_python_are_warnings(project: Project) -> None:
    project.write(
        "wrangler.toml",
        'name = "w"\nmain = "worker.py"\ncompatibility_date = "2026-01-01"\ncompatibility_flags = ["pyton_workers"]\n',
    )
    project.write("worker.py")

    loaded = project.load()

    assert only(loaded.require()).name == "w"
    unknown, missing = texts(loaded, "warning")
    assert unknown.startswith("No such compatibility flag: pyton_workers.")
    assert unknown.endswith('Did you mean "python_workers"?')
    assert missing.startswith("The `python_workers` compatibility flag is required to use Python.")
    assert places(loaded, "warning")[0] == "wrangler.toml:4 (compatibility_flags[0])"


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("", None, None),
        ('[dev]\nip = "0.0.0.0"\nport = 3000\n', "0.0.0.0", 3000),
        ('[dev]\nip = "*"\nport = 0\n', "0.0.0.0", 0),
        ("[dev]\nport = 70000\n", None, None),
        ("[dev]\nport = true\n", None, None),
    ],
)
def test_dev_says_where_to_listen(text: str, host: str | None, port: int | None) -> None:
    found, diagnostics = parse(text)

    assert (found.host, found.port) == (host, port)
    assert len(diagnostics.of("error")) == (1 if "70000" in text else 0)


@pytest.mark.parametrize(
    ("text", "cpu_ms"),
    [
        ("", 30_000),
        ("[limits]\ncpu_ms = 50\n", 50),
        ("[limits]\ncpu_ms = inf\n", 30_000),
        ("[limits]\ncpu_ms = nan\n", 30_000),
    ],
)
def test_the_cpu_limit_is_wranglers_or_cloudflares(text: str, cpu_ms: int) -> None:
    assert parse(text)[0].settings.cpu_ms == cpu_ms


def test_crons_are_kept() -> None:
    assert parse('[triggers]\ncrons = ["*/5 * * * *"]\n')[0].settings.crons == ("*/5 * * * *",)


def test_older_keys_for_the_script_are_read_where_there_is_no_main() -> None:
    def main(text: str) -> str | None:
        environment = choose(document(text), None, Diagnostics())
        return parse_worker(environment, Diagnostics()).main

    assert main('[build.upload]\nmain = "x.mjs"\n') == "dist/x.mjs"
    assert main('[build.upload]\nmain = "x.mjs"\ndir = "out"\n') == "out/x.mjs"
    assert main('[site]\nbucket = "b"\nentry-point = "site/index.js"\n') == "site/index.js"
    assert main('[site]\nbucket = "b"\n') == "workers-site/index.js"
    assert main('main = "w.py"\n[build.upload]\nmain = "x.mjs"\n') == "w.py"
    assert main("") is None


def test_main_and_the_entry_point_of_a_site_are_one_too_many() -> None:
    _, diagnostics = parse('[site]\nbucket = "b"\nentry-point = "site"\n')

    # Source: normalizeAndValidateSite in wrangler 4.164.0
    assert diagnostics.of("error")[0].text.startswith("Don't define both the `main` and `site.entry-point` fields")


def test_version_metadata_changes_with_the_script_and_not_with_the_start(project: Project) -> None:
    project.worker('[version_metadata]\nbinding = "V"\n')
    first = bindings(only(project.load().require()))["V"]
    again = bindings(only(project.load().require()))["V"]
    project.write("worker.py", "# changed\n")
    changed = bindings(only(project.load().require()))["V"]

    assert first == again
    assert first != changed
    assert set(getattr(first, "value", {})) == {"id", "tag", "timestamp"}
