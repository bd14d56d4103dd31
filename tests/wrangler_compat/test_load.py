"""wrangler's files and edge.toml as the edge's configuration."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeworker.bindings import KVBinding, SecretBinding, TextBinding
from edgeworker.config import Config, CustomDomain, Namespace, Route, Socket
from edgeworker.errors import ConfigError
from tests.wrangler_compat.project import DEFAULT_SCRIPT, HEAD, Project, bindings, only, places, texts
from wrangler_compat import load
from wrangler_compat.fields import FIELDS, LEGACY

TUTORIAL = """\
name = "split-tokens-worker"
type = "webpack"
account_id = "894..a6c"
workers_dev = false
zone_id = "13e...b2e"
route = "example.com/*"
kv-namespaces = [
{ binding = "TOKENS", id = "5ad...0a7" }
"""


def test_without_any_configuration_the_default_script_runs_on_every_host(project: Project) -> None:
    loaded = project.load(origin="http://127.0.0.1:3000", variables=("REALM:shop",))

    config = loaded.require()
    worker = only(config)
    assert (worker.main, worker.is_default_script) == (DEFAULT_SCRIPT, True)
    assert bindings(worker)["REALM"] == TextBinding("REALM", "shop")
    assert isinstance(bindings(worker)["TOKENS"], KVBinding)
    assert (config.default_worker, config.default_on_every_host) == (worker.name, True)
    assert config.origin == "http://127.0.0.1:3000"
    assert config.files == ()
    assert loaded.diagnostics.messages == []
    assert texts(loaded, "warning") == []


def test_the_made_up_ids_are_the_same_in_every_run(project: Project) -> None:
    assert project.load().config == project.load().config


def test_a_worker_with_routes_answers_localhost_and_not_every_host(project: Project) -> None:
    config = project.config('routes = ["example.com/*", { pattern = "a.example.com", custom_domain = true }]\n')

    assert config.routes == (Route("example.com/*", "w", "example.com", "wrangler.toml:5 (routes[0])"),)
    assert config.custom_domains == (CustomDomain("a.example.com", "w", "example.com", "wrangler.toml:5 (routes[1])"),)
    assert (config.default_worker, config.default_on_every_host) == ("w", False)


def test_the_broken_file_of_the_tutorial_is_explained(project: Project) -> None:
    project.write("wrangler.toml", TUTORIAL)

    loaded = project.load()

    assert loaded.diagnostics.render("error") == (
        "Processing wrangler.toml configuration:\n"
        '  - The array "kv-namespaces" that begins on line 7 is never closed. Add a "]" after its last item (line 8).\n'
        '    The name with a hyphen is from wrangler 1; wrangler reads "kv_namespaces" today.\n'
        "\n"
        "    wrangler.toml:7:17:\n"
        "      7 │ kv-namespaces = [\n"
        "        ╵                 ^\n"
        '      8 │ { binding = "TOKENS", id = "5ad...0a7" }'
    )
    assert loaded.config.files == (project.folder / "wrangler.toml",)


def test_the_mended_file_of_the_tutorial_works_with_warnings(project: Project) -> None:
    project.write("wrangler.toml", TUTORIAL + "]\n")

    loaded = project.load()

    config = loaded.require()
    assert only(config).is_default_script
    assert bindings(only(config)) == {"TOKENS": KVBinding("TOKENS", "5ad...0a7")}
    assert [(route.pattern, route.zone) for route in config.routes] == [("example.com/*", "example.com")]
    assert [(zone.name, zone.id) for zone in config.zones] == [("example.com", "13e...b2e")]
    assert config.account_id == "894..a6c"
    warned = loaded.diagnostics.render("warning")
    assert all(f'Deprecation: "{name}":' in warned for name in ("type", "kv-namespaces", "zone_id"))


def test_a_file_full_of_empty_legacy_keys_loads(project: Project) -> None:
    # The shape of Curity's oauth-proxy worker: reference of legacy files that must load.
    project.write(
        "wrangler.toml",
        'name = "oauth"\ntype = "javascript"\naccount_id = ""\nzone_id = ""\nroute = ""\nworkers_dev = true\n'
        '[build]\ncommand = "npm run build"\n[build.upload]\nformat = "service-worker"\n[vars]\nA = "1"\n',
    )

    config = project.load().require()

    assert only(config).workers_dev
    assert config.routes == ()
    assert len(config.account_id) == 32


EDGE = """\
origin = "http://127.0.0.1:1"
[[zones]]
name = "example.com"
origins = { "api.example.com" = "http://127.0.0.1:3" }
[[workers]]
config = "a/wrangler.toml"
[[workers]]
config = "b/wrangler.toml"
env = "staging"
[sockets]
edge = "127.0.0.1:0"
[[kv.namespaces]]
id = "1"
title = "tokens"
"""


def edge_project(project: Project) -> None:
    for name in ("a", "b"):
        project.write(f"{name}/wrangler.toml", HEAD.replace('"w"', f'"{name}"') + "[env.staging]\n[env.live]\n")
        project.write(f"{name}/worker.py")
    project.write("edge.toml", EDGE)


def test_edge_toml_right_here_names_the_workers_and_their_environments(project: Project) -> None:
    edge_project(project)

    config = project.load(env="live").require()

    assert [worker.name for worker in config.workers] == ["a-live", "b-staging"]
    assert config.default_worker == "a-live"
    assert config.origin == "http://127.0.0.1:1"
    assert config.edge_socket == Socket(port=0)
    assert config.namespaces == (Namespace("1", "tokens"),)
    assert [zone.origins for zone in config.zones] == [{"api.example.com": "http://127.0.0.1:3"}]
    assert [file.relative_to(project.folder).as_posix() for file in config.files] == [
        "edge.toml",
        "a/wrangler.toml",
        "b/wrangler.toml",
    ]


def test_edge_toml_elsewhere_is_named_and_its_paths_start_at_its_folder(project: Project) -> None:
    edge_project(project)
    project.write("other/x")

    config = project.load(edge="../edge.toml", cwd="other", env="").require()

    assert [worker.name for worker in config.workers] == ["a", "b-staging"]


def test_a_named_worker_leaves_edge_toml_right_here_alone(project: Project) -> None:
    edge_project(project)

    config = project.load("a/wrangler.toml").require()

    assert [worker.name for worker in config.workers] == ["a"]
    assert config.origin is None


def test_edge_toml_without_workers_takes_the_wrangler_file_beside_it(project: Project) -> None:
    project.worker()
    project.write("edge.toml", 'origin = "http://127.0.0.1:1"\n')

    config = project.load().require()

    assert only(config).name == "w"
    assert not config.default_on_every_host


def test_edge_toml_alone_runs_the_default_script(project: Project) -> None:
    project.write("edge.toml", '[[zones]]\nname = "example.com"\norigin = "http://127.0.0.1:1"\n')

    config = project.load().require()

    assert only(config).is_default_script
    assert config.default_on_every_host


def test_a_worker_that_edge_toml_names_and_that_is_not_there_is_an_error_at_its_line(project: Project) -> None:
    project.write("edge.toml", '[[workers]]\nconfig = "gone/wrangler.toml"\n')

    loaded = project.load()

    assert texts(loaded, "error") == ['There is no worker at "gone/wrangler.toml" (gone/wrangler.toml).']
    assert places(loaded, "error") == ["edge.toml:2 (workers[0].config)"]


def test_a_file_that_cannot_be_opened_is_an_error(project: Project) -> None:
    project.write("folder/x")
    project.folder.joinpath("latin.toml").write_bytes(b'name = "\xe9"\n')

    assert texts(project.load("gone.toml"), "error") == ["gone.toml cannot be read: No such file or directory."]
    latin = project.load("latin.toml")
    assert texts(latin, "error") == ["latin.toml:1:9: the byte 0xE9 is not UTF-8 text; save the file as UTF-8."]
    assert places(latin, "error") == ["latin.toml:1"]
    assert texts(project.load(edge="gone.toml"), "error") == ["gone.toml cannot be read: No such file or directory."]


def test_the_option_for_the_origin_wins_and_must_be_a_base_url(project: Project) -> None:
    project.write("edge.toml", 'origin = "http://127.0.0.1:1"\n')

    assert project.load(origin="http://127.0.0.1:2").require().origin == "http://127.0.0.1:2"
    assert project.load().require().origin == "http://127.0.0.1:1"
    assert texts(project.load(origin="127.0.0.1:2"), "error")[0].startswith("--origin must be the base URL of a server")


def test_json_is_read_as_well(project: Project) -> None:
    project.write("worker.py")
    project.write(
        "wrangler.jsonc",
        '{\n  // a comment\n  "name": "w", "main": "worker.py", "compatibility_date": "2026-01-01",\n'
        '  "compatibility_flags": ["python_workers"],\n  "vars": {"A": {"b": [1, null]}},\n'
        '  "routes": ["example.com/*"],\n}\n',
    )

    config = project.load().require()

    assert [(route.pattern, route.source) for route in config.routes] == [
        ("example.com/*", "wrangler.jsonc:6 (routes[0])")
    ]


def test_the_account_may_come_from_the_environment(project: Project) -> None:
    assert project.load(environ={"CLOUDFLARE_ACCOUNT_ID": "abc"}).config.account_id == "abc"


def test_a_namespace_is_listed_once_with_a_title_of_its_own(project: Project) -> None:
    config = project.config(
        'kv_namespaces = [{ binding = "A", id = "1" }, { binding = "B", id = "1" }, { binding = "a", id = "2" }]\n'
    )

    assert config.namespaces == (Namespace("1", "w-a"), Namespace("2", "w-a-2"))


def test_edge_toml_says_where_to_listen_else_the_first_worker_does(project: Project) -> None:
    project.worker("[dev]\nport = 3000\n")
    assert project.load().require().edge_socket == Socket("127.0.0.1", 3000)

    project.write("edge.toml", '[sockets]\ntrusted_proxies = ["10.0.0.1"]\n')
    assert project.load().require().edge_socket == Socket("127.0.0.1", 3000, ("10.0.0.1",))

    project.write("edge.toml", '[sockets]\nedge = "127.0.0.1:0"\n')
    assert project.load().require().edge_socket == Socket("127.0.0.1", 0)


def test_the_first_worker_says_whether_https_is_served(project: Project) -> None:
    project.worker('[dev]\nlocal_protocol = "https"\n')
    assert project.load().require().edge_socket == Socket("127.0.0.1", 8787, tls=True)

    project.write("edge.toml", '[sockets]\nedge = "127.0.0.1:0"\n')
    assert not project.load().require().edge_socket.tls

    project.write("edge.toml", '[sockets]\nproxy_protocol = true\ntrusted_proxies = ["127.0.0.1"]\n')
    (error,) = texts(project.load(), "error")
    assert error.startswith('"dev.local_protocol" is "https", which cannot speak the PROXY protocol')


def test_require_raises_with_all_errors(project: Project) -> None:
    project.worker("[dev]\nport = 'x'\nlocal_protocol = 1\n")

    with pytest.raises(ConfigError) as caught:
        project.load().require()

    assert 'Expected "dev.port"' in str(caught.value)
    assert 'Expected "dev.local_protocol"' in str(caught.value)


def test_secrets_are_in_no_repr_and_in_no_message(project: Project) -> None:
    project.worker('[secrets]\nrequired = ["A", "GONE"]\n')
    project.write(".dev.vars", "A=sesame\n")
    options = replace(project.options(), variables=("B:sesame",), environ={"C": "sesame"})

    loaded = load(options)

    assert bindings(only(loaded.require()))["A"] == SecretBinding("A", "sesame")
    assert "sesame" not in repr(options)
    assert "sesame" not in repr([binding for binding in only(loaded.config).bindings if binding.name == "A"])
    assert "sesame" not in repr(loaded.diagnostics)


def test_three_workers_run_in_one_edge(project: Project) -> None:
    files = []
    for name in ("a", "b", "c"):
        route = f'routes = ["{name}.example.com/*"]\n'
        project.write(f"{name}/wrangler.toml", HEAD.replace('"w"', f'"{name}"') + route)
        project.write(f"{name}/worker.py")
        files.append(f"{name}/wrangler.toml")

    config: Config = project.load(*files).require()

    assert {route.pattern: route.worker for route in config.routes} == {
        "a.example.com/*": "a",
        "b.example.com/*": "b",
        "c.example.com/*": "c",
    }
    assert [zone.name for zone in config.zones] == ["example.com"]


@pytest.mark.parametrize(
    "text", ["", "[", "= 1", "name", "[[env]]", "env = 5", "vars = []", "dev = 1", "kv_namespaces = {}", "zones = 1"]
)
def test_whatever_stands_in_the_file_nothing_is_raised(project: Project, text: str) -> None:
    project.write("wrangler.toml", text)
    project.write("edge.toml", text)

    assert isinstance(project.load(env="x").config, Config)


NAMES = st.sampled_from([*(field.name for field in FIELDS), *(legacy.name for legacy in LEGACY)])
KEYS = st.sampled_from(
    ["binding", "name", "id", "bindings", "pattern", "zone_name", "custom_domain", "required", "crons", "producers",
     "upload", "main", "port", "ip", "simple", "service", "props", "entry-point", "targets"]
)  # fmt: skip
TEXTS = st.sampled_from(["", "a", "A", "example.com/*", "*", "x.py", "2024-01-01"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(NAMES, VALUES, max_size=4), st.dictionaries(NAMES, VALUES, max_size=3))
def test_whatever_a_field_holds_nothing_is_raised(
    tmp_path_factory: pytest.TempPathFactory, top: dict[str, object], env: dict[str, object]
) -> None:
    project = Project(tmp_path_factory.mktemp("any"))
    project.write("wrangler.json", json.dumps({**top, "env": {"x": env}}))

    assert isinstance(project.load(env="x").config, Config)


def test_the_public_suffix_list_is_loaded_only_where_a_zone_must_be_guessed(project: Project) -> None:
    project.worker('routes = [{ pattern = "a.example.com/*", zone_name = "example.com" }]\n')
    program = (
        "import sys; from pathlib import Path; from wrangler_compat import LoadOptions, load; "
        "load(LoadOptions(Path('x'), cwd=Path(sys.argv[1]))).require(); sys.exit('publicsuffixlist' in sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", program, str(project.folder)], check=False).returncode == 0


def test_the_command_line_chooses_the_engine_of_javascript(project: Project) -> None:
    project.write("edge.toml", '[javascript]\nengine = "workerd"\nheap_megabytes = 64\n')

    assert project.load(edge="edge.toml").require().javascript.engine == "workerd"
    chosen = project.load(edge="edge.toml", js_engine="embedded").require().javascript
    assert (chosen.engine, chosen.heap_megabytes) == ("embedded", 64)


def test_the_command_line_names_the_workerd(project: Project) -> None:
    project.write("edge.toml", '[javascript]\nworkerd = "/opt/workerd"\nheap_megabytes = 64\n')

    assert project.load(edge="edge.toml").require().javascript.workerd == Path("/opt/workerd")
    chosen = project.load(edge="edge.toml", workerd="tools/workerd").require().javascript
    assert (chosen.engine, chosen.workerd, chosen.heap_megabytes) == ("auto", project.folder / "tools/workerd", 64)
