"""`edgeworker oauth keys`, as a person runs it."""

import json
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from edgeworker.cli import main
from edgeworker.cli.oauth.keys import state
from edgeworker.cli.oauth.secret_file import read_secret
from edgeworker.clock import SystemClock
from issuer import keys

CONFIG = 'name = "t"\nmain = "token_worker.py"\ncompatibility_date = "2026-04-01"\n'


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "token").mkdir()
    (tmp_path / "token" / "token_worker.py").write_text("")
    (tmp_path / "token" / "wrangler.toml").write_text(CONFIG)
    (tmp_path / "edge.toml").write_text('[[workers]]\nconfig = "token/wrangler.toml"\n')
    return tmp_path


def _run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["oauth", "keys", *arguments])
    assert isinstance(ended.value.code, int)
    return ended.value.code


def _ring(project: Path) -> keys.ServerKeySet:
    text = read_secret(project / "token" / ".dev.vars", "SIGNING_KEYS")
    assert text is not None
    return keys.parse(text)


def test_keys_are_made_where_the_worker_reads_its_secrets(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run("init", "-c", "token/wrangler.toml") == 0

    file = project / "token" / ".dev.vars"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    ring = _ring(project)
    assert [key.alg for key in ring.keys] == ["RS256", "ES256"]
    said = capsys.readouterr().out
    assert "npx wrangler secret put SIGNING_KEYS -c token/wrangler.toml" in said
    for key in ring.keys:
        assert key.kid in said
        assert key.jwk["d"] not in said


def test_the_worker_that_signs_is_found_without_being_named(project: Path) -> None:
    assert _run("init", "--alg", "ES256") == 0

    assert [key.alg for key in _ring(project).keys] == ["ES256"]


def test_keys_that_are_there_are_never_replaced_by_init(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _run("init", "--alg", "ES256")
    before = _ring(project)

    assert _run("init", "--alg", "ES256") == 1
    assert "has SIGNING_KEYS already" in capsys.readouterr().err
    assert _ring(project) == before


def test_rotation_publishes_new_keys_before_they_sign(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _run("init", "--alg", "ES256")
    (old,) = _ring(project).keys
    began = SystemClock().now()

    assert _run("rotate", "--overlap", "2h") == 0

    retired, fresh = _ring(project).keys
    assert (retired.kid, fresh.exp) == (old.kid, None)
    assert fresh.nbf >= began + 7200
    assert retired.exp is not None
    assert retired.exp >= fresh.nbf
    capsys.readouterr()
    _run("show", "--json")
    states = {item["kid"]: item["state"] for item in json.loads(capsys.readouterr().out)}
    begins, ends = (f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%d %H:%M}Z" for moment in (fresh.nbf, retired.exp))
    assert states[old.kid] == f"signs until {begins}, published until {ends}"
    assert states[fresh.kid] == f"published, signs from {begins}"
    _run("show", "--jwks")
    public = json.loads(capsys.readouterr().out)["keys"]
    assert {key["kid"] for key in public} == {old.kid, fresh.kid}
    assert not any("d" in key for key in public)


def test_after_a_theft_the_old_keys_go_at_once(project: Path) -> None:
    _run("init", "--alg", "ES256")
    (old,) = _ring(project).keys

    assert _run("rotate", "--now") == 0

    (fresh,) = _ring(project).keys
    assert fresh.kid != old.kid
    assert fresh.nbf <= SystemClock().now()


def test_the_secret_goes_into_a_pipe_and_not_onto_a_screen(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _run("init", "--alg", "ES256")
    capsys.readouterr()

    assert _run("show", "--private") == 0
    assert keys.parse(capsys.readouterr().out.strip()) == _ring(project)

    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    assert _run("show", "--private") == 1
    said = capsys.readouterr()
    assert "use a pipe" in said.err
    assert "kty" not in said.out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("rotate",), "has no SIGNING_KEYS; make it with: edgeworker oauth keys init -c"),
        (("init", "-c", "nosuch.toml"), "-c nosuch.toml: there is no such file"),
        (("init", "--alg", "HS256"), "--alg: 'HS256' is not one of RS256, ES256"),
    ],
)
def test_what_cannot_be_is_told(
    project: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], said: str
) -> None:
    assert _run(*arguments) == 1
    assert said in capsys.readouterr().err


def test_a_time_that_is_none_is_told(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _run("init", "--alg", "ES256")

    assert _run("rotate", "--overlap", "soon") == 1
    assert '--overlap "soon" is not a duration; use one such as 90s, 15m, 2h or 1d' in capsys.readouterr().err


def test_keys_that_are_broken_are_told_without_being_quoted(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "token" / ".dev.vars").write_text('SIGNING_KEYS=\'{"keys": [{"d": "private-part"}]}\'\n')

    assert _run("show") == 1
    said = capsys.readouterr().err
    assert "SIGNING_KEYS: key 1" in said
    assert "private-part" not in said


def test_without_the_script_the_worker_must_be_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)

    assert _run("show") == 1
    assert "name the worker that signs with -c" in capsys.readouterr().err


def test_what_a_key_does_is_told_for_each_moment() -> None:
    old, new = keys.rotate(keys.new(["ES256"], now=0), now=1000, overlap_seconds=600, keep_seconds=3600).keys
    ring = keys.ServerKeySet((old, new))

    assert [state(key, ring, 1000).partition(" ")[0] for key in ring.keys] == ["signs", "published,"]
    assert [state(key, ring, 1600) for key in ring.keys] == ["published until 1970-01-01 01:26Z", "signs"]
    assert [state(key, ring, 5200) for key in ring.keys] == ["over since 1970-01-01 01:26Z", "signs"]
