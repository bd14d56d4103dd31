import base64
import io
import json
import math
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import ClassVar

import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import RSAAlgorithm

from edgeworker.cli.jwt import actions, key_files
from edgeworker.cli.jwt.actions import Expected
from edgeworker.cli.jwt.token_text import EntryKey
from edgeworker.cli.output import Output
from edgeworker.errors import ConfigError
from verifier import keys as verifier_keys
from verifier.claims import ALGORITHMS

NOW = 1_700_000_000
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
CLAIMS = {"iss": "https://issuer", "aud": ["https://api"], "sub": "ann", "iat": NOW - 60, "exp": NOW + 240}
TOKEN = jwt.encode(CLAIMS, KEY, algorithm="RS256", headers={"kid": "one"})
VALUE, _, SIGNATURE = TOKEN.rpartition(".")


def _run(action: Callable[[Output], int]) -> tuple[int, str]:
    stream = io.StringIO()
    return action(Output(stream, styled=False)), stream.getvalue()


def _inspect(text: str) -> str:
    return _run(lambda out: actions.inspect(out, text, EntryKey(), now=NOW, as_json=False))[1]


def _verify(keys: Path, token: str = TOKEN, expected: Expected | None = None, now: int = NOW) -> tuple[int, str]:
    return _run(lambda out: actions.verify(out, token, str(keys), expected or Expected(), now=now))


@pytest.fixture
def jwks(tmp_path: Path) -> Path:
    file = tmp_path / "jwks.json"
    member = {**json.loads(RSAAlgorithm.to_jwk(KEY.public_key())), "kid": "one"}
    file.write_text(json.dumps({"keys": [member]}))
    return file


def test_inspecting_a_whole_token_shows_claims_times_and_the_entry_but_not_the_signature() -> None:
    text = _inspect(TOKEN)

    assert "A whole JWT" in text
    assert "RS256" in text
    assert "expires 2023-11-14 22:17:20 UTC, in 4 minutes" in text
    assert f"KV key: {EntryKey().of(SIGNATURE)}" in text
    assert SIGNATURE not in text


def test_a_kv_value_and_a_split_token_are_inspected_as_what_they_are() -> None:
    assert "A KV value" in _inspect(VALUE)
    assert "in 4 minutes" in _inspect(VALUE)
    assert _inspect(SIGNATURE) == f"A split token (signature)\nKV key: {EntryKey().of(SIGNATURE)}\n"


def test_inspecting_as_json_gives_one_object() -> None:
    _, text = _run(lambda out: actions.inspect(out, TOKEN, EntryKey(), now=NOW, as_json=True))

    document = json.loads(text)
    assert document["claims"] == CLAIMS
    assert document["times"]["exp"].endswith("in 4 minutes")
    assert document["kv_key"] == EntryKey().of(SIGNATURE)
    assert SIGNATURE not in text


@pytest.mark.parametrize(
    ("payload", "cause"),
    [
        (b"[" * 100_000, "deep"),
        (b'{"exp":' + b"9" * 6000 + b"}", "number"),
        (b'{"exp":NaN}', "NaN"),
        ('{"exp":1}'.encode("utf-16"), "it is not UTF-8 text"),
    ],
    ids=["deep", "digits", "nan", "utf-16"],
)
def test_a_payload_that_is_not_json_is_told_without_words_of_python(payload: bytes, cause: str) -> None:
    encoded = base64.urlsafe_b64encode(payload).rstrip(b"=").decode()

    with pytest.raises(ConfigError) as raised:
        _inspect(f"eyJhbGciOiJSUzI1NiJ9.{encoded}.c2ln")

    assert cause in str(raised.value)
    assert "recursion" not in str(raised.value)
    assert "set_int_max" not in str(raised.value)


def test_control_characters_of_a_token_do_not_reach_the_terminal() -> None:
    text = _inspect(jwt.encode({"sub": "\x1b[2J", "\x1b[1m": 1, "exp": 1}, KEY, algorithm="RS256"))

    assert "\x1b" not in text
    assert "\\u001b[2J" in text


def test_split_and_join_are_inverse() -> None:
    _, halves = _run(lambda out: actions.split(out, TOKEN, EntryKey(), as_json=True))
    parts = json.loads(halves)

    assert parts == {"token": SIGNATURE, "kv_key": EntryKey().of(SIGNATURE), "kv_value": VALUE}
    assert _run(lambda out: actions.join(out, parts["kv_value"], parts["token"])) == (0, TOKEN + "\n")


def test_split_prints_each_part_under_its_name() -> None:
    _, text = _run(lambda out: actions.split(out, TOKEN, EntryKey(), as_json=False))

    assert text.splitlines()[1::2] == [SIGNATURE, EntryKey().of(SIGNATURE), VALUE]


@pytest.mark.parametrize(
    ("value", "token", "error"),
    [
        (SIGNATURE, SIGNATURE, "VALUE is a split token"),
        (TOKEN, SIGNATURE, "VALUE is a whole JWT"),
        (VALUE, TOKEN, "TOKEN is a whole JWT"),
        (VALUE, VALUE, "TOKEN is a KV value"),
        ("-", "-", "Only one"),
    ],
)
def test_joining_the_wrong_halves_says_which_is_wrong(value: str, token: str, error: str) -> None:
    with pytest.raises(ConfigError, match=error):
        _run(lambda out: actions.join(out, value, token))


@pytest.mark.parametrize("text", [VALUE, SIGNATURE])
def test_half_a_token_cannot_be_split(text: str) -> None:
    with pytest.raises(ConfigError, match="a whole JWT is needed"):
        _run(lambda out: actions.split(out, text, EntryKey(), as_json=False))


def test_a_token_is_read_from_a_file_or_from_standard_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "token.txt"
    file.write_text(TOKEN + "\n")
    monkeypatch.setattr(sys, "stdin", io.StringIO(TOKEN + "\n"))

    assert actions.read_operand(f"@{file}") == actions.read_operand("-") == TOKEN + "\n"
    with pytest.raises(ConfigError, match=r"nosuch: the file cannot be read: No such file"):
        actions.read_operand("@nosuch")
    file.write_bytes(b"\xff")
    with pytest.raises(ConfigError, match="not text"):
        actions.read_operand(f"@{file}")


def test_a_good_token_verifies_with_every_line_ok(jwks: Path) -> None:
    status, text = _verify(jwks, expected=Expected("https://issuer", "https://api"))

    assert status == 0
    assert [line.partition(":")[0] for line in text.splitlines()] == ["ok"] * 5
    assert "signature: RS256, by the key one" in text


@pytest.mark.parametrize(
    ("token", "expected", "now", "failed"),
    [
        (TOKEN[:-4] + "AAAA", Expected(), NOW, "signature: Signature verification failed"),
        (TOKEN, Expected(), NOW + 240, "exp: 2023-11-14 22:17:20 UTC, now"),
        (TOKEN, Expected(), NOW - 61, "iat: "),
        (TOKEN, Expected(issuer="https://issuer/"), NOW, "iss is https://issuer"),
        (TOKEN, Expected(audience="https://ap"), NOW, 'aud is ["https://api"]'),
        (jwt.encode({"exp": NOW + 9}, KEY, algorithm="RS256", headers={"kid": "x"}), Expected(), NOW, "no key x"),
        (jwt.encode({"exp": NOW + 9}, "s" * 32, algorithm="HS256"), Expected(), NOW, "no key can verify HS256"),
        (jwt.encode({}, KEY, algorithm="RS256", headers={"kid": "one"}), Expected(), NOW, "exp: it has no expiry"),
    ],
)
def test_what_does_not_hold_is_named(jwks: Path, token: str, expected: Expected, now: int, failed: str) -> None:
    status, text = _verify(jwks, token, expected, now)

    assert status == 1
    assert [line for line in text.splitlines() if line.startswith("FAILED:") and failed in line], text


def test_leeway_moves_both_ends(jwks: Path) -> None:
    assert _verify(jwks, expected=Expected(leeway_seconds=60), now=NOW + 299)[0] == 0
    assert _verify(jwks, expected=Expected(leeway_seconds=60), now=NOW - 120)[0] == 0


def _certificate() -> bytes:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "issuer")])
    start = datetime.fromtimestamp(NOW, UTC)
    builder = x509.CertificateBuilder(name, name, KEY.public_key(), 1, start, start + timedelta(days=1))
    return builder.sign(KEY, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def _pem() -> bytes:
    return KEY.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(_pem(), id="PEM key"),
        pytest.param(_certificate(), id="PEM certificate"),
        pytest.param(json.dumps({"one": _certificate().decode()}).encode(), id="certificates by id"),
        pytest.param(RSAAlgorithm.to_jwk(KEY.public_key()).encode(), id="one JWK"),
    ],
)
def test_keys_come_in_many_files(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "keys"
    file.write_bytes(content)

    assert _verify(file)[0] == 0


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"", "neither JSON nor PEM"),
        (b"\xff", "not text"),
        (b"[]", "no JWK set"),
        (b'{"keys":[]}', "holds no public key"),
        (b'{"keys":[{"kty":"oct","k":"eA"}]}', "holds no public key"),
        (b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "holds no public key"),
    ],
)
def test_a_file_without_keys_is_refused(tmp_path: Path, content: bytes, error: str) -> None:
    file = tmp_path / "keys"
    file.write_bytes(content)

    with pytest.raises(ConfigError, match=error):
        key_files.load(str(file))


def test_a_missing_file_and_a_dead_server_are_told() -> None:
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        key_files.load("nosuch.json")
    with pytest.raises(ConfigError, match="cannot be fetched"):
        key_files.load("http://127.0.0.1:9/jwks")


def test_the_key_decides_on_the_algorithm() -> None:
    curve = ec.generate_private_key(ec.SECP256R1()).public_key()
    edwards = ed25519.Ed25519PrivateKey.generate().public_key()

    assert key_files.NamedKey(None, curve).algorithms == {"ES256"}
    assert key_files.NamedKey(None, edwards).algorithms == {"EdDSA", "Ed25519"}
    assert "HS256" not in key_files.NamedKey(None, KEY.public_key()).algorithms


def test_the_key_set_says_what_a_key_is_for(tmp_path: Path) -> None:
    file = tmp_path / "jwks.json"
    member = json.loads(RSAAlgorithm.to_jwk(KEY.public_key()))
    for more, status in (({"alg": "RS256"}, 0), ({"alg": "PS256"}, 1), ({"alg": "RS512"}, 1)):
        file.write_text(json.dumps({"keys": [{**member, **more}]}))
        assert _verify(file)[0] == status
    for purpose in ({"use": "enc"}, {"key_ops": ["sign"]}):
        file.write_text(json.dumps({"keys": [{**member, **purpose}]}))
        with pytest.raises(ConfigError, match="no public key"):
            _verify(file)


def test_the_certs_of_access_are_keys(tmp_path: Path) -> None:
    """What /cdn-cgi/access/certs of a team answers."""
    pem = _certificate().decode()
    member = {**json.loads(RSAAlgorithm.to_jwk(KEY.public_key())), "kid": "one", "alg": "RS256", "use": "sig"}
    file = tmp_path / "certs.json"
    certificates = [{"kid": "one", "cert": pem}]
    file.write_text(json.dumps({"keys": [member], "public_cert": certificates[0], "public_certs": certificates}))

    assert _verify(file)[0] == 0


def test_a_private_key_is_not_taken_and_not_quoted(tmp_path: Path) -> None:
    file = tmp_path / "key.pem"
    pkcs8 = serialization.PrivateFormat.PKCS8
    file.write_bytes(KEY.private_bytes(serialization.Encoding.PEM, pkcs8, serialization.NoEncryption()))

    with pytest.raises(ConfigError, match="holds a private key; the public one is enough") as caught:
        key_files.load(str(file))
    assert file.read_text().splitlines()[1] not in str(caught.value)


class _Server(BaseHTTPRequestHandler):
    """Leads elsewhere, and keeps what it was told."""

    told: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.told.append(self.path + str(self.headers))
        if self.path == "/jwks":
            document = json.dumps({"keys": [json.loads(RSAAlgorithm.to_jwk(KEY.public_key()))]}).encode()
            self.send_response(200)
            self.end_headers()
            self.wfile.write(document)
            return
        self.send_response(302)
        self.send_header("Location", "/jwks")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def test_keys_are_fetched_without_redirects_and_without_the_token() -> None:
    _Server.told.clear()
    with HTTPServer(("127.0.0.1", 0), _Server) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"

        status, _ = _run(lambda out: actions.verify(out, TOKEN, f"{url}/jwks", Expected(), now=NOW))
        with pytest.raises(ConfigError, match=r"answered 302 and leads to /jwks; redirects are not followed"):
            key_files.load(f"{url}/moved")
        server.shutdown()

    assert status == 0
    assert len(_Server.told) == 2
    assert all(part not in told for told in _Server.told for part in TOKEN.split("."))


def _jwk(**changes: object) -> dict[str, object]:
    member: dict[str, object] = json.loads(RSAAlgorithm.to_jwk(KEY.public_key()))
    member.pop("key_ops", None)
    return {**member, "kid": "one", **changes}


# As Infineon's library made them (CVE-2017-15361, "ROCA"): a power of 65537 modulo each of these primes.
_PRODUCT = math.prod((11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157))
_ROCA = next(
    number
    for number in (pow(65537, 5, _PRODUCT) + _PRODUCT * (2**2047 // _PRODUCT + more) for more in (1, 2))
    if number % 2
)


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ([_jwk(), {"kty": "oct", "k": "c2VjcmV0", "kid": "two"}], "private or symmetric"),
        ([_jwk(), _jwk(d="AQAB", kid="two")], "private or symmetric"),
        ([_jwk(), _jwk()], "have the id 'one'"),
        ([_jwk(use="enc")], "none of its keys can verify"),
    ],
)
def test_a_key_set_that_the_verifiers_refuse_is_refused(
    tmp_path: Path, members: list[dict[str, object]], reason: str
) -> None:
    file = tmp_path / "keys.json"
    file.write_text(json.dumps({"keys": members}))

    with pytest.raises(ConfigError, match=reason):
        key_files.load(str(file))
    with pytest.raises(verifier_keys.BadKeySet, match=reason):
        verifier_keys.parse_key_set(file.read_text(), frozenset(ALGORITHMS))


def test_a_weak_key_is_left_out_as_the_verifiers_do(tmp_path: Path) -> None:
    content = _ROCA.to_bytes((_ROCA.bit_length() + 7) // 8, "big")
    weak = _jwk(n=base64.urlsafe_b64encode(content).rstrip(b"=").decode(), kid="weak")
    file = tmp_path / "keys.json"
    file.write_text(json.dumps({"keys": [_jwk(), weak]}))

    assert [key.kid for key in key_files.load(str(file))] == ["one"]
