"""Loading without serving."""

from pathlib import Path

import pytest

from edgeworker.config import Config, Worker
from edgeworker.host.dry_run import (
    MisspeltFetch,
    dry_run,
    explain_missing_fetch,
    find_misspelt_fetch,
    find_wrong_parameters,
)
from tests.kv.clocks import FakeClock


async def test_each_worker_is_loaded_by_itself(tmp_path: Path) -> None:
    texts = {
        "good": "async def on_fetch(request): ...\nasync def on_scheduled(controller): ...\n",
        "broken": "1 / 0\n",
        "last": "async def on_fetch(request): ...\n",
    }
    for name, text in texts.items():
        tmp_path.joinpath(f"{name}.py").write_text(text)
    config = Config(workers=tuple(Worker(name, tmp_path / f"{name}.py") for name in texts))

    good, broken, last = await dry_run(config, FakeClock())

    assert (good.error, set(good.handles)) == (None, {"fetch", "scheduled"})
    assert broken.error is not None
    assert "ZeroDivisionError" in broken.error
    assert (last.error, set(last.handles)) == (None, {"fetch"})


def test_a_script_without_fetch_is_told_what_it_probably_meant(tmp_path: Path) -> None:
    main = tmp_path / "worker.py"
    for text, says in (
        ("class Default:\n    async def fetsh(self): ...\n", 'Is "fetsh" meant to be "fetch"?'),
        ("class Main:\n    async def fetch(self): ...\n", 'not by "Main"'),
        ("class Default:\n    async def rpc(self): ...\n", "Write class Default(WorkerEntrypoint)"),
    ):
        main.write_text(text)
        assert says in explain_missing_fetch(main)
    script = tmp_path / "worker.ts"
    script.write_text("export default { async ftech(request: Request): Promise<Response> { return x } }")
    assert explain_missing_fetch(script) == 'Is "ftech" meant to be "fetch"?'
    script.write_text("export default { async patch(request) { return fetch(request) } }")
    assert "default object" in explain_missing_fetch(script)


@pytest.mark.parametrize("method", ["ftech", "fetc", "fetchh", "fatch", "etch"])
def test_a_misspelt_fetch_of_a_named_entrypoint_is_found(tmp_path: Path, method: str) -> None:
    main = tmp_path / "worker.py"
    main.write_text(f"class Admin(workers.WorkerEntrypoint):\n    x = 1\n    async def {method}(self, request): ...\n")

    assert find_misspelt_fetch(main) == [MisspeltFetch("Admin", method, 3)]


@pytest.mark.parametrize(
    "text",
    [
        "class Admin(WorkerEntrypoint):\n    def fetch(self, request): ...\n    def fetc(self): ...\n",
        "class Admin(WorkerEntrypoint):\n    def fetched(self): ...\n    def fetch_x(): ...\n    def patch(): ...\n",
        "class Helper:\n    def ftech(self): ...\n",
    ],
    ids=["fetch is there", "RPC methods", "not an entrypoint"],
)
def test_other_methods_are_not_taken_for_fetch(tmp_path: Path, text: str) -> None:
    main = tmp_path / "worker.py"
    main.write_text(text)

    assert find_misspelt_fetch(main) == []


@pytest.mark.parametrize(
    ("parameters", "fails"),
    [
        ("request", False),
        ("self", None),
        ("", True),
        ("self, request, env, ctx, more", True),
        ("self, request, env", False),
        ("self, request, env=None", False),
        ("self, request", None),
        ("self, /, request", None),
        ("self, *all", None),
    ],
)
def test_parameters_of_fetch_are_self_and_the_request(tmp_path: Path, parameters: str, fails: bool | None) -> None:
    """None: they are right."""
    main = tmp_path / "worker.py"
    main.write_text(f"class Default(WorkerEntrypoint):\n    async def fetch({parameters}): ...\n")

    assert [(wrong.fails, wrong.line) for wrong in find_wrong_parameters(main)] == [(fails, 2)][: fails is not None]
