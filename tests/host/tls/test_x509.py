"""The certificates that are made, looked at with OpenSSL's own strict rules."""

import subprocess
from pathlib import Path

import pytest
from cryptography import x509

from edgeworker.errors import ConfigError
from edgeworker.host.tls.x509 import checked_name, issue, new_authority, read_authority
from tests.pki import DAY, NOW


def test_openssl_accepts_a_certificate_by_its_strict_rules(tmp_path: Path) -> None:
    authority = new_authority("test authority", now=NOW)
    made = issue(authority, ["example.com", "*.example.com", "127.0.0.1", "::1"], now=NOW)
    ca, cert = tmp_path / "ca.pem", tmp_path / "cert.pem"
    ca.write_bytes(authority.certificate_pem)
    cert.write_bytes(made.certificate_pem)

    for name in (["-verify_hostname", "a.example.com"], ["-verify_ip", "127.0.0.1"], ["-verify_ip", "::1"]):
        command = ["openssl", "verify", "-x509_strict", "-purpose", "sslserver", *name, "-CAfile", str(ca), str(cert)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")


def test_a_certificate_is_valid_for_at_most_397_days() -> None:
    # https://support.apple.com/en-us/102028 and the CA/Browser Forum: not more than 398 days
    made = issue(new_authority("x", now=NOW), ["a.example"], now=NOW).certificate

    assert (made.not_valid_after_utc - made.not_valid_before_utc).total_seconds() < 397 * DAY


def test_a_certificate_ends_with_its_authority_at_the_latest() -> None:
    authority = new_authority("x", now=NOW)

    made = issue(authority, ["a.example"], now=NOW + 3600 * DAY).certificate

    assert made.not_valid_after_utc == authority.certificate.not_valid_after_utc


def test_an_authority_signs_no_other_authorities() -> None:
    certificate = new_authority("x", now=NOW).certificate

    constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    assert (constraints.critical, constraints.value.ca, constraints.value.path_length) == (True, True, 0)


def test_an_authority_is_read_again() -> None:
    made = new_authority("x", now=NOW)

    assert read_authority(made.certificate_pem, made.key_pem).certificate == made.certificate
    assert "PRIVATE" not in repr(made)


def test_another_authoritys_key_is_refused() -> None:
    with pytest.raises(ValueError, match="the key is not the certificate's"):
        read_authority(new_authority("x", now=NOW).certificate_pem, new_authority("x", now=NOW).key_pem)
    with pytest.raises(ValueError, match="the key is not in PEM form"):
        read_authority(new_authority("x", now=NOW).certificate_pem, b"nonsense")


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("API.Example.com", "api.example.com"),
        ("*.Example.com", "*.example.com"),
        ("*.cloudflareaccess.com", "*.cloudflareaccess.com"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("*.localhost", "*.localhost"),
        ("127.0.0.1", "127.0.0.1"),
        ("[::1]", "::1"),
        ("0:0:0:0:0:0:0:1", "::1"),
    ],
)
def test_names_become_canonical(written: str, name: str) -> None:
    assert checked_name(written) == name


@pytest.mark.parametrize(
    "text", ["", "*", "*.", "*.com", "*.10.0.0.1", "a.*.example", "a b", "https://a.example", "a:1"]
)
def test_what_cannot_stand_in_a_certificate_is_refused(text: str) -> None:
    with pytest.raises(ConfigError):
        checked_name(text)
