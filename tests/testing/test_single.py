"""One worker from Python values."""

from pathlib import Path

from edgeworker.bindings import JSONBinding, KVBinding, SecretBinding, TextBinding
from edgeworker.config import Route
from edgeworker.testing.single import single_worker, variable_bindings


def test_names_become_bindings_and_patterns_become_routes(tmp_path: Path) -> None:
    config = single_worker(
        tmp_path / "worker.py",
        name="shop",
        routes=["a.test/*"],
        kv=["KV"],
        secrets={"KEY": "s"},
        crons=["* * * * *"],
        origin="http://o.test",
    )

    (worker,) = config.workers
    assert worker.bindings == (KVBinding("KV", "KV"), SecretBinding("KEY", "s"))
    assert (worker.name, worker.crons, config.default_worker) == ("shop", ("* * * * *",), "shop")
    assert (config.routes, config.origin) == ((Route("a.test/*", "shop"),), "http://o.test")


def test_text_stays_text_and_the_rest_is_json() -> None:
    assert variable_bindings({"A": "1", "B": 1, "C": {"d": None}}) == [
        TextBinding("A", "1"),
        JSONBinding("B", 1),
        JSONBinding("C", {"d": None}),
    ]
