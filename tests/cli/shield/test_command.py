"""`edgeworker shield` as it is typed."""

import io
import json
import time
from pathlib import Path

import pytest

from edgeworker.cli import main
from tests.products.api_shield.minting import mint, signing_key

KEY = signing_key("ES256")
EDGE = """\
[[zones]]
name = "example.com"
id = "0123456789abcdef0123456789abcdef"
origin = "http://127.0.0.1:9"

[zones.api_shield]
operations = ["GET api.example.com/users/{id}"]

[[zones.api_shield.token_configurations]]
id = "idp"
jwks_file = "keys.json"

[[zones.api_shield.rules]]
title = "users need a token"
expression = 'is_jwt_valid("idp")'
"""
DOCUMENT = """\
openapi: 3.1.0
servers: [{url: "https://api.example.com/v1"}]
paths:
  /users/{name}: {get: {}, delete: {}}
  /health: {get: {}, parameters: []}
"""


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "edge.toml").write_text(EDGE)
    (tmp_path / "keys.json").write_text(json.dumps({"keys": [KEY.jwk()]}))
    return tmp_path


def _run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as exit_:
        main(["shield", *arguments])
    printed = capsys.readouterr()
    assert isinstance(exit_.value.code, int)
    return exit_.value.code, printed.out, printed.err


def _bearer() -> str:
    return f"Authorization: Bearer {mint(KEY, {'sub': 'ann', 'exp': int(time.time()) + 600})}"


def test_a_request_is_explained_part_by_part(capsys: pytest.CaptureFixture[str], project: Path) -> None:
    code, out, _ = _run(capsys, "explain", "https://api.example.com/users/7")

    assert code == 1
    assert "operation   GET api.example.com/users/{var1}" in out
    assert "token       idp: missing" in out
    assert 'rule        "users need a token" is violated: block' in out
    assert 'is_jwt_valid("idp")  ->  false' in out
    assert out.endswith("the request is blocked\n")


def test_a_token_is_never_shown_and_its_signature_is_checked(capsys: pytest.CaptureFixture[str], project: Path) -> None:
    (project / "headers.txt").write_text(_bearer() + "\n\nAccept: */*\n")

    code, out, _ = _run(capsys, "explain", "api.example.com/users/7", "-H", "@headers.txt")
    forged = _run(capsys, "explain", "api.example.com/users/7", "-H", _bearer() + "A")

    assert (code, forged[0]) == (0, 1)
    assert "token       idp: valid" in out
    assert "eyJ" not in out + forged[1]
    assert out.endswith("the request passes\n")


def test_a_request_that_is_not_an_operation_passes(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = _run(capsys, "explain", "-X", "DELETE", "api.example.com/users/7")

    assert code == 0
    assert "none: validation rules do nothing on this request" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("explain", "https://elsewhere.test/"), "belongs to no zone with API Shield; there are: example.com"),
        (("explain", "https://api.example.com:x/"), "https://api.example.com:x/"),
        (("explain", "api.example.com/", "-H", "nonsense"), 'write it as "Name: value"'),
        (("explain", "api.example.com/", "-H", "@missing.txt"), "missing.txt cannot be read"),
        (("explain", "api.example.com/", "-H", "a\tb: x"), "a\\tb"),
        (("lint", "--zone", "nowhere.test"), "There is no zone nowhere.test with API Shield"),
        (("import", "edge.toml"), "cannot be read as OpenAPI"),
        (("import", "missing.yaml"), "missing.yaml cannot be read"),
        (("import", "api.yaml", "--host", "api.other.test"), "does not belong to the zone example.com"),
        (("discover", "missing.log"), "missing.log cannot be read"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(
    capsys: pytest.CaptureFixture[str], project: Path, arguments: tuple[str, ...], message: str
) -> None:
    (project / "api.yaml").write_text(DOCUMENT)

    code, out, err = _run(capsys, *arguments)

    assert (code, out) == (1, "")
    assert message in err
    assert "Traceback" not in err


def test_rules_are_listed_with_the_operations_they_decide_on(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = _run(capsys, "rules")

    assert code == 0
    assert "users need a token" in out
    assert 'is_jwt_valid("idp")' in out


def test_lint_tells_what_is_most_likely_not_meant(capsys: pytest.CaptureFixture[str], project: Path) -> None:
    code, out, _ = _run(capsys, "lint")
    assert code == 1
    assert out.startswith("example.com token_configurations.0: no rule checks iss and aud")

    (project / "edge.toml").write_text(EDGE.partition("[[zones.api_shield.rules]]")[0])
    assert _run(capsys, "lint")[:2] == (0, "ok: nothing is out of the ordinary\n")


def test_operations_of_an_openapi_document_are_shown_or_stored(
    capsys: pytest.CaptureFixture[str], project: Path
) -> None:
    (project / "api.yaml").write_text(DOCUMENT)

    code, out, _ = _run(capsys, "import", "api.yaml")
    assert code == 0
    assert out == (
        "operations = [\n"
        '  "GET api.example.com/v1/users/{var1}",\n'
        '  "DELETE api.example.com/v1/users/{var1}",\n'
        '  "GET api.example.com/v1/health",\n'
        "]\n"
    )
    assert not (project / ".edgeworker").exists()

    assert _run(capsys, "import", "api.yaml", "--add")[0] == 0
    assert _run(capsys, "explain", "https://api.example.com/v1/health")[0] == 1
    assert _run(capsys, "import", "api.yaml")[1] == "operations = [\n]\n"


def test_a_document_that_is_too_large_is_not_read(
    capsys: pytest.CaptureFixture[str], project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edgeworker.cli.shield.actions._MAX_DOCUMENT", 10)
    (project / "api.yaml").write_text(DOCUMENT)

    assert " is larger than " in _run(capsys, "import", "api.yaml")[2]


def test_what_a_log_shows_is_proposed(
    capsys: pytest.CaptureFixture[str], project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = {"event": "request", "method": "GET", "host": "api.example.com", "path": "/orders/1", "status": 200}
    lines = [line, line, {**line, "path": "/once"}, {**line, "host": "other.test"}, {**line, "status": "x"}, ["no"]]
    log = "\n".join(["not JSON", *(json.dumps(one) for one in lines)])
    (project / "edge.log").write_text(log)
    monkeypatch.setattr("sys.stdin", io.StringIO(log))

    from_file = _run(capsys, "discover", "edge.log", "--at-least", "2")
    from_input = _run(capsys, "discover")

    assert from_file[:2] == (0, 'operations = [\n  "GET api.example.com/orders/{var1}",\n]\n')
    assert '"GET api.example.com/once"' in from_input[1]
    assert "other.test" not in from_input[1]


def test_several_zones_ask_which_one_is_meant(capsys: pytest.CaptureFixture[str], project: Path) -> None:
    second = EDGE.replace("example.com", "second.test").replace("0123456789", "1123456789")
    (project / "edge.toml").write_text(EDGE + "\n" + second)
    (project / "api.yaml").write_text(DOCUMENT)

    code, _, err = _run(capsys, "import", "api.yaml")

    assert code == 1
    assert "Several zones have API Shield (example.com, second.test); name one: --zone example.com" in err
    assert _run(capsys, "import", "api.yaml", "--zone", "example.com")[0] == 0
