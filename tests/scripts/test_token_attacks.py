"""Attacks on JWTs and key sets, tried on the API's verifier and on the gateway's, through the edge as a client would.

J1 to J29 are explained in tests/ATTACKS.md (RFC 8725, RFC 7515 to 7519, Project Wycheproof, the modes of jwt_tool).
Elsewhere: J8 to J12 and J28 (which keys of a set are believed) in test_keys.py, J26 and J27 (how a set is fetched and
followed) in test_remote_keys.py. J7 and J29 need a shared secret, which is no key here: see J2.
"""

import base64
import hashlib
import json
from collections.abc import Callable, Iterator

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from edgeworker.config import JSON
from edgeworker.testing import BAD_TOKENS, Edge
from edgeworker.testing.issuer import DEFAULT_AUDIENCE, DEFAULT_URL, encoded, segment, sign, signing_key
from tests.scripts.forging import BASE64URL, JWKS_URL, KEYS, SUBJECTS, edge_of, over, status, token_of


@pytest.fixture(params=SUBJECTS)
def verifier(request: pytest.FixtureRequest) -> Iterator[Edge]:
    with edge_of(request.param) as edge:
        yield edge


def test_a_good_token_passes(verifier: Edge) -> None:
    """Without this the rest would show nothing."""
    assert status(verifier, verifier.issuer.token()) == 200
    assert status(verifier, verifier.issuer.token(algorithm="ES256")) == 200
    assert status(verifier, token_of(verifier)) == 200


@pytest.mark.parametrize("variant", [variant for variant in BAD_TOKENS if variant != "line break"])
def test_j1_to_j25_no_forged_token_of_the_harness_passes(verifier: Edge, variant: str) -> None:
    assert status(verifier, verifier.issuer.bad(variant)) == 401


@pytest.mark.parametrize(
    "algorithm", ["none", "None", "NONE", "nOnE", "", "none ", None, 0, [], ["RS256"], "RS256 ", "rs256"]
)
def test_j1_an_algorithm_that_is_none_or_no_name_is_refused(verifier: Edge, algorithm: JSON) -> None:
    assert status(verifier, token_of(verifier, header={"alg": algorithm})) == 401
    head, body, _ = token_of(verifier, header={"alg": algorithm}).split(".")
    assert status(verifier, f"{head}.{body}.") == 401


def _secrets() -> list[bytes]:
    public = signing_key("RS256").private.public_key()
    jwk = dict(signing_key("RS256").public)
    spki, pkcs1 = PublicFormat.SubjectPublicKeyInfo, PublicFormat.PKCS1
    pem = public.public_bytes(Encoding.PEM, spki)
    return [
        pem,
        pem.strip(),
        pem.replace(b"\n", b"\r\n"),
        public.public_bytes(Encoding.DER, spki),
        public.public_bytes(Encoding.PEM, pkcs1),
        public.public_bytes(Encoding.DER, pkcs1),
        public.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH),
        json.dumps(jwk).encode(),
        json.dumps(jwk, separators=(",", ":")).encode(),
        json.dumps(KEYS).encode(),
        str(jwk["n"]).encode(),
        base64.urlsafe_b64decode(str(jwk["n"]) + "=="),
        b"",
        b" ",
    ]


@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
def test_j2_j7_hmac_with_anything_public_is_refused(verifier: Edge, algorithm: str) -> None:
    import hmac

    digest = {"HS256": hashlib.sha256, "HS384": hashlib.sha384, "HS512": hashlib.sha512}[algorithm]
    head, body, _ = token_of(verifier, header={"alg": algorithm}).split(".")
    for secret in _secrets():
        forged = hmac.digest(secret, f"{head}.{body}".encode(), digest)
        assert status(verifier, f"{head}.{body}.{encoded(forged)}") == 401


PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
FAMILIES: dict[str, tuple[PrivateKey, tuple[str, ...]]] = {
    "RSA": (rsa.generate_private_key(public_exponent=65537, key_size=2048), ("RS256", "RS384", "RS512", "PS256")),
    "P-256": (ec.generate_private_key(ec.SECP256R1()), ("ES256",)),
    "P-384": (ec.generate_private_key(ec.SECP384R1()), ("ES384",)),
    "Ed25519": (ed25519.Ed25519PrivateKey.generate(), ("EdDSA",)),
}
ALL_ALGORITHMS = ("RS256", "PS256", "ES256", "ES384", "EdDSA", "HS256")


@pytest.mark.parametrize("subject", SUBJECTS)
@pytest.mark.parametrize("family", FAMILIES)
def test_j3_the_key_decides_on_the_algorithm(subject: str, family: str) -> None:
    private, algorithms = FAMILIES[family]
    own = algorithms[0]
    member = json.loads(jwt.get_algorithm_by_name(own).to_jwk(private.public_key()))
    with edge_of(subject, JWKS={"keys": [{**member, "kid": "one", "alg": own}]}) as edge:
        good = jwt.encode(edge.issuer.payload(), private, algorithm=own, headers={"kid": "one", "typ": "at+jwt"})
        assert status(edge, good) == 200
        _, body, signature = good.split(".")
        for other in ALL_ALGORITHMS:
            if other == own:
                continue
            head = segment({"alg": other, "kid": "one", "typ": "at+jwt"})
            assert status(edge, f"{head}.{body}.{signature}") == 401
            if other in algorithms:  # properly signed, but the set says what the key is for
                assert (
                    status(
                        edge,
                        jwt.encode(
                            edge.issuer.payload(), private, algorithm=other, headers={"kid": "one", "typ": "at+jwt"}
                        ),
                    )
                    == 401
                )


@pytest.mark.parametrize(
    "kid",
    [
        "unknown",
        "",
        " ",
        7,
        1.5,
        True,
        ["a"],
        {"a": 1},
        "../../dev/null",
        "' OR 1=1--",
        "a\0",
        "\u202e",
        "x" * 5000,
        "https://evil.example/k",
    ],
)
def test_j4_a_key_id_that_is_not_there_is_refused(verifier: Edge, kid: JSON) -> None:
    assert status(verifier, token_of(verifier, header={"kid": kid})) == 401


@pytest.mark.parametrize("subject", SUBJECTS)
def test_j4_ten_thousand_unknown_key_ids_cause_one_fetch(subject: str) -> None:
    with edge_of(subject, JWKS_URL=JWKS_URL) as edge:
        served = edge.issuer.serve()
        assert status(edge, edge.issuer.token()) == 200
        body = segment(edge.issuer.payload())
        for number in range(10_000):
            head = segment({"alg": "RS256", "typ": "at+jwt", "kid": f"k{number}"})
            assert status(edge, f"{head}.{body}.AAAA") == 401
        assert len(served.requests) == 2  # the first set, and one look for the unknown


@pytest.mark.parametrize("name", ["jku", "x5u", "jwk", "x5c", "x5t", "x5t#S256"])
def test_j5_keys_that_a_token_brings_along_are_not_looked_at(verifier: Edge, name: str) -> None:
    foreign = signing_key("RS256", "foreign")
    values: dict[str, JSON] = {"jwk": dict(foreign.public), "x5c": [encoded(b"certificate")]}
    head = {**verifier.issuer.header(foreign), name: values.get(name, "https://evil.example/keys")}
    verifier.origin.on("https://evil.example/*", json={"keys": [dict(foreign.public)]})

    assert status(verifier, sign(verifier.issuer.payload(), foreign, headers=head)) == 401
    assert verifier.origin.requests == []
    assert list(verifier.origin.refused) == []
    # A good token that has such a field is as good as before: it is ignored.
    assert status(verifier, token_of(verifier, header={name: values.get(name, "https://evil.example/keys")})) == 200


# RFC 7515 section 4.1.11, RFC 7797
@pytest.mark.parametrize(
    "header",
    [
        {"crit": ["exp"], "exp": 1},
        {"crit": ["b64"], "b64": False},
        {"crit": ["b64"], "b64": True},
        {"crit": []},
        {"crit": "b64"},
        {"crit": ["http://example.invalid/UNDEFINED"], "http://example.invalid/UNDEFINED": True},
        {"b64": False},
    ],
)
def test_j6_critical_extensions_are_refused(verifier: Edge, header: dict[str, JSON]) -> None:
    assert status(verifier, token_of(verifier, header=header)) == 401


def test_j13_another_spelling_of_a_part_is_refused(verifier: Edge) -> None:
    head, body, signature = token_of(verifier).split(".")
    last = BASE64URL.index(signature[-1])
    spellings = [signature[:-1] + BASE64URL[last ^ bits] for bits in range(1, 16)]
    spellings += [
        f"{signature}=",
        f"{signature}==",
        f"{signature}A",
        signature[:-1],
        f"{signature[:9]} {signature[9:]}",
    ]
    spellings += [f"{signature[:9]}?{signature[9:]}", f"{signature[:-9]}+/{signature[-7:]}", f"{signature}~"]
    for spelled in spellings:
        assert status(verifier, f"{head}.{body}.{spelled}") == 401, spelled
    # Header and payload too, although the signature covers their spelling: the issuer may err.
    for odd_head, odd_body in ((f"{head}=", body), (head, f"{body}="), (f"?{head}", body)):
        assert status(verifier, over(odd_head, odd_body)) == 401


@pytest.mark.parametrize(
    "text", ['{"exp":1,"exp":EXP}', '{"exp":EXP,"exp":1}', '{"exp":EXP,"e\\u0078p":1}', '{"iss":"x","iss":"ISS"}']
)
def test_j15_members_that_are_there_twice_are_refused(verifier: Edge, text: str) -> None:
    claims = verifier.issuer.payload()
    text = text.replace("EXP", str(claims["exp"])).replace("ISS", DEFAULT_URL)
    rest = {name: value for name, value in claims.items() if f'"{name}"' not in text}
    head = segment(verifier.issuer.header(signing_key("RS256")))

    assert status(verifier, over(head, segment(text[:-1] + "," + json.dumps(rest)[1:]))) == 401
    twice = json.dumps(verifier.issuer.header(signing_key("RS256")))
    assert status(verifier, over(segment('{"alg":"none",' + twice[1:]), segment(claims))) == 401


@pytest.mark.parametrize(
    "text",
    ['"9999999999"', '"1e10"', "true", "null", "[9999999999]", "{}", "NaN", "Infinity", "1e400", "-1", "9" * 5000, "0"],
)
def test_j16_an_expiry_that_is_not_a_moment_to_come_is_refused(verifier: Edge, text: str) -> None:
    claims = json.dumps({**verifier.issuer.payload(), "exp": "EXP"}).replace('"EXP"', text)

    assert status(verifier, over(segment(verifier.issuer.header(signing_key("RS256"))), segment(claims))) == 401


@pytest.mark.parametrize("name", ["exp", "iss", "aud"])
def test_j17_claims_that_must_be_there_are_missed(verifier: Edge, name: str) -> None:
    assert status(verifier, verifier.issuer.token(claims={name: None})) == 401


@pytest.mark.parametrize(
    "audience",
    ["", "https://api.example.co", "https://api.example.com/", "HTTPS://api.example.com", [],
     [[DEFAULT_AUDIENCE]], {DEFAULT_AUDIENCE: 1}, 7,
     f"{DEFAULT_AUDIENCE} other", [DEFAULT_AUDIENCE, 7]],
)  # fmt: skip
def test_j18_the_audience_is_an_exact_member(verifier: Edge, audience: JSON) -> None:
    assert status(verifier, token_of(verifier, claims={"aud": ["other", DEFAULT_AUDIENCE]})) == 200
    assert status(verifier, token_of(verifier, claims={"aud": audience})) == 401


@pytest.mark.parametrize(
    "issuer",
    [f"{DEFAULT_URL}/", DEFAULT_URL.upper(), DEFAULT_URL[:-1], [DEFAULT_URL], "", 7, f"{DEFAULT_URL}.evil.example"],
)
def test_j19_the_issuer_is_exact(verifier: Edge, issuer: JSON) -> None:
    assert status(verifier, token_of(verifier, claims={"iss": issuer})) == 401


@pytest.mark.parametrize("subject", SUBJECTS)
@pytest.mark.parametrize(("leeway", "late"), [(0, 0), (60, 60)])
def test_j20_times_hold_to_the_second_of_the_leeway(subject: str, leeway: int, late: int) -> None:
    with edge_of(subject, CLOCK_LEEWAY_SECONDS=leeway) as edge:
        now = edge.clock.now()
        for name in ("nbf", "iat"):
            assert status(edge, token_of(edge, claims={name: now + late})) == 200
            assert status(edge, token_of(edge, claims={name: now + late + 1})) == 401
        assert status(edge, token_of(edge, claims={"exp": now - late + 1})) == 200
        assert status(edge, token_of(edge, claims={"exp": now - late})) == 401


@pytest.mark.parametrize(
    "payload",
    [
        "[" * 5000 + "]" * 5000,
        '{"a":' * 2000 + "1" + "}" * 2000,
        json.dumps({"a": "x" * 20_000}),
        '{"n":' + "9" * 11_000 + "}",
    ],
    ids=["nested lists", "nested objects", "long", "long number"],
)
def test_j21_what_costs_much_is_refused(verifier: Edge, payload: str) -> None:
    token = over(segment(verifier.issuer.header(signing_key("RS256"))), segment(payload))

    assert status(verifier, token) in (401, 431)


@pytest.mark.parametrize("text", ["\\ud800", "\\udfff\\ud800", "a\\uD83D"])
def test_j22_half_a_character_is_refused(verifier: Edge, text: str) -> None:
    claims = json.dumps({**verifier.issuer.payload(), "sub": "SUB"}).replace("SUB", text)

    assert status(verifier, over(segment(verifier.issuer.header(signing_key("RS256"))), segment(claims))) == 401


@pytest.mark.parametrize("text", ["\r\nX-Admin: 1", "\0", "\u202e", "\U0001f600", "x" * 3000])
def test_j22_any_whole_character_in_a_claim_is_not_an_error(verifier: Edge, text: str) -> None:
    assert status(verifier, token_of(verifier, claims={"sub": text})) == 200
    assert all(text not in line.text for line in verifier.logs)


@pytest.mark.parametrize(
    "kind", ["JWT", "jwt", "id+jwt", "logout+jwt", "dpop+jwt", "token-introspection+jwt", "secevent+jwt", "", None, 1]
)
def test_j23_a_token_of_another_type_is_refused(verifier: Edge, kind: JSON) -> None:
    assert status(verifier, token_of(verifier, header={"typ": kind})) == 401


@pytest.mark.parametrize("kind", ["at+jwt", "AT+JWT", "application/at+jwt"])
def test_j23_the_type_has_no_case_and_may_be_written_out(verifier: Edge, kind: str) -> None:
    assert status(verifier, token_of(verifier, header={"typ": kind})) == 200


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "PBES2-HS256+A128KW", "p2c": 2**31, "p2s": "AAAA", "enc": "A128GCM"},
        {"alg": "RSA-OAEP", "enc": "A256GCM", "zip": "DEF"},
        {"alg": "dir", "enc": "A128CBC-HS256"},
    ],
)
def test_j24_an_encrypted_token_is_refused(verifier: Edge, header: dict[str, JSON]) -> None:
    """2**31 rounds would take an hour, in which no test ends."""
    assert status(verifier, f"{segment(header)}.AAAA.AAAA.AAAA.AAAA") == 401
    assert status(verifier, token_of(verifier, header=header)) == 401


def _es256(edge: Edge, change: Callable[[int, int], bytes]) -> str:
    key = signing_key("ES256")
    text = f"{segment(edge.issuer.header(key))}.{segment(edge.issuer.payload())}"
    assert isinstance(key.private, ec.EllipticCurvePrivateKey)
    return f"{text}.{encoded(change(*decode_dss_signature(key.private.sign(text.encode(), ec.ECDSA(SHA256())))))}"


ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # of the group of P-256


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda r, s: bytes(64), id="zero"),
        pytest.param(lambda r, s: ORDER.to_bytes(32, "big") * 2, id="the order itself"),
        pytest.param(lambda r, s: r.to_bytes(32, "big") + bytes(32), id="s is zero"),
        pytest.param(lambda r, s: bytes(32) + s.to_bytes(32, "big"), id="r is zero"),
        pytest.param(lambda r, s: encode_dss_signature(r, s), id="DER"),
        pytest.param(lambda r, s: r.to_bytes(33, "big") + s.to_bytes(33, "big"), id="with leading zeros"),
        pytest.param(lambda r, s: s.to_bytes(32, "big") + r.to_bytes(32, "big"), id="swapped"),
        pytest.param(lambda r, s: r.to_bytes(32, "big") + s.to_bytes(32, "big") + b"\0", id="longer"),
        pytest.param(lambda r, s: b"", id="empty"),
    ],
)
def test_j25_a_signature_that_is_none_is_refused(verifier: Edge, change: Callable[[int, int], bytes]) -> None:
    assert status(verifier, _es256(verifier, lambda r, s: r.to_bytes(32, "big") + s.to_bytes(32, "big"))) == 200
    assert status(verifier, _es256(verifier, change)) == 401


def test_j25_the_other_s_of_a_split_token_is_another_key() -> None:
    with edge_of("split_token") as edge:
        token = edge.issuer.token(split=True, algorithm="ES256")
        raw = base64.urlsafe_b64decode(f"{token}==")
        other = raw[:32] + (ORDER - int.from_bytes(raw[32:], "big")).to_bytes(32, "big")
        assert status(edge, token) == 200
        assert status(edge, encoded(other)) == 401
