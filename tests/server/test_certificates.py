"""What is wrong with a certificate or its key is said before it is used."""

from pathlib import Path

import pytest

from edgeworker.errors import ConfigError
from edgeworker.server.certificates import CertificateFacts, read_pair
from tests.pki import DAY, NOW, PKI, encrypted


def refusal(cert: Path, key: Path, *, now: int = NOW) -> str:
    with pytest.raises(ConfigError) as raised:
        read_pair(cert, key, now=now, where="edge.toml: tls.certificates[0]")
    return str(raised.value)


def test_a_certificate_says_its_names_and_its_time(tmp_path: Path) -> None:
    made = PKI(tmp_path).server("API.Example.com", "*.example.com", "10.0.0.1", "::1")

    facts = read_pair(made.cert, made.key, now=NOW, where="x")

    assert facts.names == ("api.example.com", "*.example.com", "10.0.0.1", "::1")
    assert facts.not_before <= NOW < facts.not_after <= NOW + 397 * DAY


@pytest.mark.parametrize(
    ("host", "covered"),
    [
        # https://www.rfc-editor.org/rfc/rfc9525#section-6.3: a wildcard is one whole label
        ("a.example.com", True),
        ("b.example.com", True),
        ("a.b.example.com", False),
        ("example.com", False),
        ("*.example.com", True),
        ("*.b.example.com", False),
        ("a.example.org", False),
    ],
)
def test_a_wildcard_covers_one_label(host: str, covered: bool) -> None:
    assert CertificateFacts(("a.example.com", "*.example.com"), 0, 1).covers(host) is covered


def test_a_certificate_is_refused_from_the_second_after_its_last(tmp_path: Path) -> None:
    made = PKI(tmp_path).server("a.example")
    last = read_pair(made.cert, made.key, now=NOW, where="x").not_after

    read_pair(made.cert, made.key, now=last, where="x")
    text = refusal(made.cert, made.key, now=last + 1)

    assert text.startswith(f"edge.toml: tls.certificates[0]: {made.cert} has expired, at 2")
    assert "renew it" in text


def test_a_certificate_is_refused_before_its_time(tmp_path: Path) -> None:
    made = PKI(tmp_path).server("a.example")

    assert "is not valid before" in refusal(made.cert, made.key, now=NOW - DAY)


def test_the_key_must_be_the_certificates(tmp_path: Path) -> None:
    pki = PKI(tmp_path)
    one, other = pki.server("one.example"), pki.server("other.example")

    text = refusal(one.cert, other.key)

    assert f"{other.key} is not the key of the first certificate in {one.cert}" in text


def test_the_servers_own_certificate_comes_first_in_a_chain(tmp_path: Path) -> None:
    pki = PKI(tmp_path)
    made = pki.server("one.example")
    made.cert.write_bytes(pki.ca.read_bytes() + made.cert.read_bytes())

    assert "put the server's own certificate before those of its authorities" in refusal(made.cert, made.key)


def test_an_encrypted_key_is_refused_instead_of_asking_for_its_passphrase(tmp_path: Path) -> None:
    made = PKI(tmp_path).server("a.example")

    text = refusal(made.cert, encrypted(made.key, b"open sesame"))

    assert "is encrypted with a passphrase" in text


@pytest.mark.parametrize(
    "content", ["", "no PEM", "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n"]
)
def test_what_is_not_a_key_is_named_and_never_quoted(tmp_path: Path, content: str) -> None:
    made = PKI(tmp_path).server("a.example")
    made.key.write_text(content)

    text = refusal(made.cert, made.key)

    assert f"{made.key} holds no private key in PEM form" in text
    assert "c2VjcmV0" not in text


@pytest.mark.parametrize("content", ["", "no PEM"])
def test_what_is_not_a_certificate_is_named(tmp_path: Path, content: str) -> None:
    made = PKI(tmp_path).server("a.example")
    made.cert.write_text(content)

    assert f"{made.cert} holds no certificate in PEM form" in refusal(made.cert, made.key)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    made = PKI(tmp_path).server("a.example")

    assert "No such file" in refusal(made.cert, tmp_path / "gone.key")
    assert "No such file" in refusal(tmp_path / "gone.pem", made.key)
