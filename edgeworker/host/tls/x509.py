"""Makes certificates: a local authority's own, and those that it signs. Pure but for the randomness of keys."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from edgeworker.errors import ConfigError
from edgeworker.messages.hosts import is_address
from edgeworker.routing import canonical_host

AUTHORITY_DAYS: Final = 3650
# Browsers refuse certificates that are valid for more than 398 days.
# https://cabforum.org/working-groups/server/baseline-requirements/ section 6.3.2
CERTIFICATE_DAYS: Final = 397
_EARLIER: Final = timedelta(hours=1)  # for clients whose clock is behind


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey = field(repr=False)

    @property
    def certificate_pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def key_pem(self) -> bytes:
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def new_authority(name: str, *, now: int) -> Pair:
    """Signs servers' certificates, but no other authorities. `name` is what people see in their trust store."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name(
        [x509.NameAttribute(NameOID.ORGANIZATION_NAME, "edgeworker"), x509.NameAttribute(NameOID.COMMON_NAME, name)]
    )
    begin = datetime.fromtimestamp(now, UTC) - _EARLIER
    builder = _builder(subject, subject, key, begin, begin + timedelta(days=AUTHORITY_DAYS))
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_usage(signs_certificates=True), critical=True)
    return Pair(builder.sign(key, hashes.SHA256()), key)


def issue(authority: Pair, names: Iterable[str], *, now: int) -> Pair:
    """A server's certificate for `names` (see `checked_name`), for a bit less than CERTIFICATE_DAYS from `now`.

    Raises ValueError where there is no name.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    issuer = authority.certificate
    subject = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "edgeworker")])
    begin = max(datetime.fromtimestamp(now, UTC) - _EARLIER, issuer.not_valid_before_utc)
    # "Days" are 86,400 seconds and both ends count, so the last second is left out.
    end = min(begin + timedelta(days=CERTIFICATE_DAYS, seconds=-1), issuer.not_valid_after_utc)
    builder = _builder(subject, issuer.subject, key, begin, end)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(_usage(signs_certificates=False), critical=True)
    builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    alternatives = x509.SubjectAlternativeName([_general_name(name) for name in names])
    # Not critical: the subject is not empty. https://www.rfc-editor.org/rfc/rfc5280#section-4.2.1.6
    builder = builder.add_extension(alternatives, critical=False)
    authority_key = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    builder = builder.add_extension(
        x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(authority_key), critical=False
    )
    return Pair(builder.sign(authority.key, hashes.SHA256()), key)


def read_authority(certificate_pem: bytes, key_pem: bytes) -> Pair:
    """Raises ValueError, which says nothing about the key, for what `new_authority` has not made."""
    certificate = x509.load_pem_x509_certificate(certificate_pem)
    try:
        key = serialization.load_pem_private_key(key_pem, password=None)
    except (TypeError, ValueError):
        raise ValueError("the key is not in PEM form") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != certificate.public_key():
        raise ValueError("the key is not the certificate's")
    return Pair(certificate, key)


def checked_name(text: str) -> str:
    """A host, "*." and a host, or an address (IPv6 with or without brackets), in canonical form.

    Raises ConfigError for anything else, and for a wildcard that no client accepts ("*", "*.com", "*.10.0.0.1").
    """
    plain = text.removeprefix("[").removesuffix("]")
    try:
        return str(ip_address(plain))
    except ValueError:
        pass
    host = canonical_host(text.removeprefix("*."))
    if is_address(host) or (text.startswith("*.") and "." not in host and host != "localhost"):
        raise ConfigError(f'"{text}" cannot stand in a certificate; write a host, an address, or "*.example.com"')
    return f"*.{host}" if text.startswith("*.") else host


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, begin: datetime, end: datetime
) -> x509.CertificateBuilder:
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(begin).not_valid_after(end)
    return builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )
