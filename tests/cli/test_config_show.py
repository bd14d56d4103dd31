"""`edgeworker config show`, as a person and a program read it."""

import json
from pathlib import Path

import pytest

from edgeworker.bindings import SecretBinding
from edgeworker.cli import main
from edgeworker.cli.config_show import as_plain
from edgeworker.config import Config, Worker
from edgeworker.schema.fields import HIDDEN

CONFIG = """\
name = "w"
main = "worker.py"
compatibility_date = "2026-01-01"
compatibility_flags = ["python_workers"]
routes = ["example.com/*"]
[vars]
REALM = "shop"
[[kv_namespaces]]
binding = "KV"
id = "abc"
"""


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.delenv("CLOUDFLARE_ENV", raising=False)
    tmp_path.joinpath("wrangler.toml").write_text(CONFIG)
    tmp_path.joinpath("worker.py").touch()
    tmp_path.joinpath(".dev.vars").write_text("PASSWORD=sesame\n")


def show(*arguments: str) -> int:
    with pytest.raises(SystemExit) as stopped:
        main(["config", "show", *arguments])
    assert isinstance(stopped.value.code, int)
    return stopped.value.code


def test_a_person_sees_tables_and_no_secret(capsys: pytest.CaptureFixture[str]) -> None:
    assert show("--origin", "http://127.0.0.1:3000") == 0

    out = capsys.readouterr().out
    for text in ("127.0.0.1:8787", "http://127.0.0.1:3000", "example.com/*", "env.REALM", '"shop"', "env.KV", "abc"):
        assert text in out
    assert "env.PASSWORD" in out
    assert "sesame" not in out


def test_a_program_gets_one_object_and_no_secret(capsys: pytest.CaptureFixture[str]) -> None:
    assert show("--json") == 0

    out = capsys.readouterr().out
    shown = json.loads(out)
    (worker,) = shown["workers"]
    assert shown["kind"] == "Config"
    assert worker["bindings"] == [
        {"kind": "KVBinding", "name": "KV", "namespace_id": "abc"},
        {"kind": "TextBinding", "name": "REALM", "text": "shop"},
        {"kind": "SecretBinding", "name": "PASSWORD", "text": HIDDEN},
    ]
    assert (shown["edge_socket"]["kind"], shown["edge_socket"]["port"]) == ("Socket", 8787)
    assert "sesame" not in out


def test_a_configuration_with_an_error_is_not_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tmp_path.joinpath("wrangler.toml").write_text("name = 5\n")

    assert show() == 1

    out, err = capsys.readouterr()
    assert out == ""
    assert 'Expected "name" to be of type string' in err


def test_what_has_no_place_in_a_repr_has_none_in_the_json() -> None:
    config = Config(workers=(Worker("w", Path("/w.py"), (SecretBinding("S", "sesame"),)),))

    assert "sesame" not in json.dumps(as_plain(config))


def test_what_edge_toml_sets_is_listed_by_its_keys(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tmp_path.joinpath("edge.toml").write_text(
        '[limits]\nheaders = 5\n[cf]\nvalues = { country = "DE" }\n[kv]\nseed = 0\n'
    )

    assert show() == 0

    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["limits", "headers", "5"] in rows
    assert ["cf", "values", "country:", "DE"] in rows
    assert not any(row[:1] == ["kv"] for row in rows)
