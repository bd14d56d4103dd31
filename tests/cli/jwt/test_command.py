"""`edgeworker jwt` as it is typed."""

import json
import time
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from edgeworker.cli import main

KEY = ec.generate_private_key(ec.SECP256R1())


def _token(ttl_seconds: int = 60) -> str:
    moment = int(time.time())
    return jwt.encode({"sub": "ann", "iat": moment, "exp": moment + ttl_seconds}, KEY, algorithm="ES256")


def _run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as exited:
        main(["jwt", *arguments])
    code = exited.value.code
    assert isinstance(code, int)
    return code


def test_split_and_join_give_back_the_token(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(_token())

    assert _run("split", f"@{file}", "--json") == 0
    parts = json.loads(capsys.readouterr().out)
    assert _run("join", parts["kv_value"], parts["token"]) == 0
    assert capsys.readouterr().out.strip() == file.read_text()


def test_the_options_of_the_key_are_the_gateways(capsys: pytest.CaptureFixture[str]) -> None:
    assert _run("inspect", "sig1", "--hash", "sha512", "--encoding", "hex", "--prefix", "split:") == 0
    assert "KV key: split:" in capsys.readouterr().out


def test_verify_exits_1_for_what_does_not_hold(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    keys = tmp_path / "jwks.json"
    keys.write_text(json.dumps({"keys": [json.loads(ECAlgorithm.to_jwk(KEY.public_key()))]}))

    assert _run("verify", _token(), "--keys", str(keys)) == 0
    assert _run("verify", _token(-1), "--keys", str(keys)) == 1
    assert _run("verify", _token(-1), "--keys", str(keys), "--leeway", "60") == 0
    assert _run("verify", _token(), "--keys", str(keys), "--issuer", "https://other") == 1
    assert "FAILED: iss is null" in capsys.readouterr().out


def test_a_mistake_is_one_line_without_the_token(capsys: pytest.CaptureFixture[str]) -> None:
    assert _run("inspect", "secret.secret.secret.secret") == 1
    error = capsys.readouterr().err
    assert error.startswith("error: The token has 4 parts.")
    assert error.count("\n") == 1
    assert "secret" not in error


@pytest.mark.parametrize("seconds", ["-1", "soon", "1.5"])
def test_a_leeway_is_a_number_of_seconds(capsys: pytest.CaptureFixture[str], seconds: str) -> None:
    assert _run("verify", "a.b.c", "--keys", "x", f"--leeway={seconds}") == 2
    assert "is not a number of seconds; use a whole number such as 30" in capsys.readouterr().err
