from pathlib import Path

import pytest

from edgeworker.bindings import KVBinding
from edgeworker.cli.kv.choose import bound_namespace
from edgeworker.config import Config, Worker
from edgeworker.errors import ConfigError
from tests.cli.kv.commands import Kv

HERE = ("--namespace-id", "ns")


def test_a_binding_that_means_two_namespaces_is_refused() -> None:
    config = Config(
        workers=(
            Worker("a", Path("a.py"), (KVBinding("T", "1"), KVBinding("U", "3"))),
            Worker("b", Path("b.py"), (KVBinding("T", "2"), KVBinding("U", "3"))),
        )
    )

    assert bound_namespace(config, "U") == "3"
    with pytest.raises(ConfigError, match='the binding "T" means 1, 2 in different workers'):
        bound_namespace(config, "T")
    with pytest.raises(ConfigError, match='no KV namespace or binding "V"; there are: binding T, binding U'):
        bound_namespace(config, "V")


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (("--remote",), "--remote needs --api-url"),
        (("--local", "--api-url", "http://127.0.0.1:1"), "give one of them"),
        (("--api-url", "nonsense", "--api-token", "t"), '--api-url "nonsense" is not a URL'),
        (("--api-url", "http://127.0.0.1:1"), "--api-url needs a token"),
        (("--api-url", "http://127.0.0.1:1", "--api-token", "t"), "127.0.0.1"),
    ],
)
async def test_a_place_that_cannot_be_reached_is_told(kv_here: Kv, options: tuple[str, ...], text: str) -> None:
    ran = await kv_here("key", "get", "k", *HERE, *options, status=1)

    assert text in ran.err
    assert "Traceback" not in ran.err


async def test_wranglers_options_for_folder_and_secrets_are_taken(kv_here: Kv, tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (project / "wrangler.toml").write_text(
        'name = "w"\nmain = "w.py"\ncompatibility_date = "2025-01-01"\n'
        '[[kv_namespaces]]\nbinding = "T"\nid = "real"\npreview_id = "trial"\n'
    )
    (project / "w.py").touch()
    (project / "secrets").write_text("A=b\n")
    options = ("--binding", "T", "--cwd", str(project), "--env-file", "secrets")

    await kv_here("key", "put", "k", "1", *options, "--preview", "false")
    await kv_here("key", "put", "k", "2", *options, "--preview")

    assert (await kv_here("key", "get", "k", "--namespace-id", "real")).out == "1"
    assert (await kv_here("key", "get", "k", "--namespace-id", "trial")).out == "2"
    assert "there is no such folder" in (await kv_here("stats", "--cwd", "nowhere", status=1)).err


async def test_a_configured_id_is_taken_where_nothing_was_written_yet(kv_here: Kv, tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (project / "wrangler.toml").write_text(
        'name = "w"\nmain = "w.py"\ncompatibility_date = "2025-01-01"\n[[kv_namespaces]]\nbinding = "T"\nid = "real"\n'
    )
    (project / "w.py").touch()
    await kv_here("key", "put", "k", "v", "--namespace-id", "another")

    assert "0 keys exported" in (await kv_here("export", "real", "--cwd", str(project))).err
    unknown = await kv_here("export", "other", "--cwd", str(project), status=1)
    assert 'no KV namespace or binding "other"' in unknown.err


async def test_a_jurisdiction_makes_no_difference(kv_here: Kv) -> None:
    assert "ok: " in (await kv_here("namespace", "create", "x", "--jurisdiction", "eu")).out
