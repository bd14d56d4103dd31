"""What a client's certificate says, in Cloudflare's names and forms."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from edgeworker.server.client_tls import NO_CERTIFICATE, NO_TLS, certificate_facts, cipher_name
from tests.pki import PKI


def test_the_facts_have_cloudflares_names_and_forms(tmp_path: Path) -> None:
    pki = PKI(tmp_path, now=int(datetime(2018, 12, 2, 19, 40, tzinfo=UTC).timestamp()))
    cert, _ = pki.client("till 7")
    certificate = x509.load_pem_x509_certificate(cert.read_bytes())

    facts = certificate_facts(certificate.public_bytes(Encoding.DER))

    assert list(facts) == list(NO_CERTIFICATE)
    assert facts["certPresented"] == "1"
    assert facts["certVerified"] == "SUCCESS"
    assert facts["certRevoked"] == "0"
    assert facts["certSubjectDN"] == facts["certSubjectDNRFC2253"] == "CN=till 7,O=Shop\\, Inc.,C=AT"
    assert facts["certSubjectDNLegacy"] == "/C=AT/O=Shop, Inc./CN=till 7"
    assert facts["certIssuerDNLegacy"] == "/O=edgeworker/CN=test authority"
    assert facts["certSerial"] == "0AF1"
    assert facts["certNotBefore"] == "Dec  2 19:39:00 2018 GMT"
    assert facts["certNotAfter"] == "Dec  4 19:39:00 2018 GMT"
    assert facts["certFingerprintSHA256"] == certificate.fingerprint(hashes.SHA256()).hex()
    ski = certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest.hex().upper()
    assert facts["certSKI"] == ski
    issuer = pki.authority.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    assert (facts["certIssuerSKI"], facts["certIssuerSerial"]) == (issuer.hex().upper(), "")


@pytest.mark.parametrize(
    ("openssl", "cloudflare"),
    [
        # https://developers.cloudflare.com/ssl/edge-certificates/additional-options/cipher-suites/supported-cipher-suites/
        ("TLS_AES_128_GCM_SHA256", "AEAD-AES128-GCM-SHA256"),
        ("TLS_AES_256_GCM_SHA384", "AEAD-AES256-GCM-SHA384"),
        ("TLS_CHACHA20_POLY1305_SHA256", "AEAD-CHACHA20-POLY1305-SHA256"),
        ("ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-GCM-SHA256"),
    ],
)
def test_ciphers_have_cloudflares_names(openssl: str, cloudflare: str) -> None:
    assert cipher_name(openssl) == cloudflare


def test_without_tls_every_field_is_there_and_empty() -> None:
    assert NO_TLS.cf == {
        "httpProtocol": "HTTP/1.1",
        "tlsVersion": "",
        "tlsCipher": "",
        "tlsClientAuth": dict(NO_CERTIFICATE),
    }
