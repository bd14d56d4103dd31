"""What a connection's TLS says about its client: `request.cf` and messages.Client.

Names and placeholders: https://developers.cloudflare.com/workers/runtime-apis/request/#incomingrequestcfproperties and
https://developers.cloudflare.com/ssl/client-certificates/client-certificate-variables/
"""

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from cryptography import x509

_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

NO_CERTIFICATE: Final[Mapping[str, object]] = MappingProxyType(
    {
        "certPresented": "0",
        "certVerified": "NONE",
        "certRevoked": "0",
        "certIssuerDN": "",
        "certSubjectDN": "",
        "certIssuerDNRFC2253": "",
        "certSubjectDNRFC2253": "",
        "certIssuerDNLegacy": "",
        "certSubjectDNLegacy": "",
        "certSerial": "",
        "certIssuerSerial": "",
        "certSKI": "",
        "certIssuerSKI": "",
        "certFingerprintSHA1": "",
        "certFingerprintSHA256": "",
        "certNotBefore": "",
        "certNotAfter": "",
    }
)


def _build_cf(version: str, cipher: str, client_auth: Mapping[str, object]) -> Mapping[str, object]:
    return MappingProxyType(
        {
            "httpProtocol": "HTTP/1.1",
            "tlsVersion": version,
            "tlsCipher": cipher,
            "tlsClientAuth": dict(client_auth),
        }
    )


@dataclass(frozen=True, slots=True)
class ClientTLS:
    """`version` and `cipher` are None on a socket without TLS. `cf` is what goes into Request.cf."""

    version: str | None
    cipher: str | None
    cf: Mapping[str, object]


NO_TLS: Final = ClientTLS(None, None, _build_cf("", "", NO_CERTIFICATE))


def client_tls(transport: asyncio.Transport) -> ClientTLS:
    """What TLS says of a connection's client. Call it once: the result holds for all requests of the connection."""
    connection: object = transport.get_extra_info("ssl_object")
    if not isinstance(connection, (ssl.SSLObject, ssl.SSLSocket)):
        return NO_TLS
    version = connection.version() or ""
    suite = connection.cipher()
    cipher = "" if suite is None else cipher_name(suite[0])
    certificate = connection.getpeercert(binary_form=True)
    shown = NO_CERTIFICATE
    if certificate is not None:
        try:
            shown = certificate_facts(certificate)
        except ValueError as error:  # OpenSSL reads some certificates that break the rules of their encoding
            shown = {**NO_CERTIFICATE, "certPresented": "1", "certVerified": f"FAILED:{error}"}
    return ClientTLS(version, cipher, _build_cf(version, cipher, shown))


def cipher_name(name: str) -> str:
    """As Cloudflare's TLS library calls it: `TLS_AES_128_GCM_SHA256` is `AEAD-AES128-GCM-SHA256`."""
    if not name.startswith("TLS_"):
        return name
    plain = name.removeprefix("TLS_").replace("AES_128", "AES128").replace("AES_256", "AES256")
    return "AEAD-" + plain.replace("CHACHA20_POLY1305", "CHACHA20-POLY1305").replace("_", "-")


def certificate_facts(der: bytes) -> Mapping[str, object]:
    """`cf.tlsClientAuth` of a certificate that was verified: with any other one the handshake has failed."""
    # Slow to import, and few clients show a certificate.
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes

    certificate = x509.load_der_x509_certificate(der)
    authority = _find_authority_key_identifier(certificate)
    return {
        "certPresented": "1",
        "certVerified": "SUCCESS",
        "certRevoked": "0",
        "certIssuerDN": certificate.issuer.rfc4514_string(),
        "certSubjectDN": certificate.subject.rfc4514_string(),
        "certIssuerDNRFC2253": certificate.issuer.rfc4514_string(),
        "certSubjectDNRFC2253": certificate.subject.rfc4514_string(),
        "certIssuerDNLegacy": _format_legacy_name(certificate.issuer),
        "certSubjectDNLegacy": _format_legacy_name(certificate.subject),
        "certSerial": _format_serial(certificate.serial_number),
        "certIssuerSerial": _format_serial(None if authority is None else authority.authority_cert_serial_number),
        "certSKI": _format_subject_key_identifier(certificate),
        "certIssuerSKI": _format_hex(None if authority is None else authority.key_identifier),
        "certFingerprintSHA1": certificate.fingerprint(hashes.SHA1()).hex(),
        "certFingerprintSHA256": certificate.fingerprint(hashes.SHA256()).hex(),
        "certNotBefore": _format_time(certificate.not_valid_before_utc),
        "certNotAfter": _format_time(certificate.not_valid_after_utc),
    }


def _format_legacy_name(name: "x509.Name") -> str:
    """`/C=US/O=Cloudflare/CN=x`, in the certificate's own order."""
    return "".join(f"/{attribute.rfc4514_attribute_name}={attribute.value!s}" for attribute in name)


def _find_authority_key_identifier(certificate: "x509.Certificate") -> "x509.AuthorityKeyIdentifier | None":
    from cryptography import x509

    try:
        return certificate.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
    except x509.ExtensionNotFound:
        return None


def _format_subject_key_identifier(certificate: "x509.Certificate") -> str:
    from cryptography import x509

    try:
        return _format_hex(certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest)
    except x509.ExtensionNotFound:
        return ""


def _format_serial(number: int | None) -> str:
    return (
        "" if number is None else _format_hex(number.to_bytes(number.bit_length() // 8 + 1, "big").removeprefix(b"\0"))
    )


def _format_hex(value: bytes | None) -> str:
    return "" if value is None else value.hex().upper()


def _format_time(moment: datetime) -> str:
    """`Dec  2 19:39:00 2018 GMT`, whatever the locale."""
    return f"{_MONTHS[moment.month - 1]} {moment.day:2d} {moment:%H:%M:%S} {moment.year} GMT"
