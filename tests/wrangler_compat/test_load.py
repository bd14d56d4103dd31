"""wrangler's files as the edge's configuration."""

from pathlib import Path

from edgeworker.config import KVBinding, Route, TextBinding
from wrangler_compat import LoadOptions, load

SCRIPT = Path("/builtin/split_token/worker.py")


def test_without_any_configuration_the_default_script_runs_on_every_host(tmp_path: Path) -> None:
    loaded = load(LoadOptions(SCRIPT, cwd=tmp_path, origin="http://127.0.0.1:3000"))

    (worker,) = loaded.require().workers
    assert (worker.main, worker.is_default_script) == (SCRIPT, True)
    assert loaded.config.default_on_every_host
    assert loaded.config.default_worker == worker.name
    assert loaded.config.origin == "http://127.0.0.1:3000"


def test_a_small_wrangler_toml_becomes_a_worker_with_its_bindings_and_routes(tmp_path: Path) -> None:
    tmp_path.joinpath("worker.py").touch()
    tmp_path.joinpath("wrangler.toml").write_text(
        'name = "hello"\nmain = "worker.py"\nroutes = ["example.com/*"]\n'
        '[vars]\nREALM = "shop"\n[[kv_namespaces]]\nbinding = "KV"\nid = "abc"\n'
    )

    config = load(LoadOptions(SCRIPT, cwd=tmp_path)).require()

    (worker,) = config.workers
    assert worker.main == tmp_path / "worker.py"
    assert worker.bindings == (KVBinding("KV", "abc"), TextBinding("REALM", "shop"))
    assert [(route.pattern, route.worker) for route in config.routes] == [("example.com/*", "hello")]
    assert isinstance(config.routes[0], Route)
