"""Certificates for tests: an authority of the test's own, servers' and clients' certificates as PEM files."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from edgeworker.clock import SystemClock
from edgeworker.config import Certificate
from edgeworker.host.tls.x509 import issue, new_authority

DAY = 86_400
CLIENT_SERIAL = 0x0AF1
NOW = SystemClock().now()  # OpenSSL looks at the machine's clock, so the certificates have to as well


class PKI:
    """An authority and the folder that its certificates are written to."""

    def __init__(self, folder: Path, *, now: int = NOW) -> None:
        self.folder = folder
        self.now = now
        self.authority = new_authority("test authority", now=now)
        self.ca = folder / f"ca-{self.authority.certificate.serial_number}.pem"
        self.ca.write_bytes(self.authority.certificate_pem)

    def server(
        self, *names: str, hosts: Sequence[str] = (), now: int | None = None, file: str | None = None
    ) -> Certificate:
        """For `names`, made at `now`; in `file`.pem and `file`.key."""
        pair = issue(self.authority, names, now=self.now if now is None else now)
        stem = file or names[0].replace("*", "star")
        cert, key = self.folder / f"{stem}.pem", self.folder / f"{stem}.key"
        cert.write_bytes(pair.certificate_pem)
        key.write_bytes(pair.key_pem)
        return Certificate(cert, key, tuple(hosts))

    def client(self, common_name: str) -> tuple[Path, Path]:
        """The certificate and the key of a client, with serial number CLIENT_SERIAL."""
        key = ec.generate_private_key(ec.SECP256R1())
        begin = datetime.fromtimestamp(self.now - 60, UTC)
        subject = x509.Name(
            [
                x509.NameAttribute(NameOID.COUNTRY_NAME, "AT"),
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Shop, Inc."),
                x509.NameAttribute(NameOID.COMMON_NAME, common_name),
            ]
        )
        builder = x509.CertificateBuilder(self.authority.certificate.subject, subject, key.public_key(), CLIENT_SERIAL)
        builder = builder.not_valid_before(begin).not_valid_after(begin + timedelta(days=2))
        builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        builder = builder.add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(self.authority.key.public_key()), critical=False
        )
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        cert_file, key_file = self.folder / f"{common_name}.pem", self.folder / f"{common_name}.key"
        cert_file.write_bytes(builder.sign(self.authority.key, hashes.SHA256()).public_bytes(Encoding.PEM))
        key_file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return cert_file, key_file


def revocation_list(pki: PKI, *serials: int, days: int = 2) -> bytes:
    """PEM, of the authority's; from two days before now on, for `days`."""
    begin = datetime.fromtimestamp(pki.now - 2 * DAY, UTC)
    builder = x509.CertificateRevocationListBuilder(pki.authority.certificate.subject)
    builder = builder.last_update(begin).next_update(begin + timedelta(days=days))
    for serial in serials:
        builder = builder.add_revoked_certificate(
            x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(begin).build()
        )
    return builder.sign(pki.authority.key, hashes.SHA256()).public_bytes(Encoding.PEM)


def encrypted(key: Path, passphrase: bytes) -> Path:
    """The same key with a passphrase, beside it."""
    private = serialization.load_pem_private_key(key.read_bytes(), password=None)
    target = key.with_suffix(".encrypted")
    protection = serialization.BestAvailableEncryption(passphrase)
    target.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, protection))
    return target
