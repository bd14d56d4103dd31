"""How https sockets are served: certificates from files, from an authority (ACME), and what clients must show. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from edgeworker.schema import fields as schema
from edgeworker.schema.value_types import BOOLEAN, CERTIFIED, HOSTS, HTTPS_URL, PATH, POSITIVE, TEXT, one_of
from edgeworker.schema.wrangler_checks import FieldContext

# As many as Let's Encrypt puts into one certificate.
_MOST_HOSTS: Final = 100


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate with its chain, and its key, as PEM files.

    `hosts` are the names that it is served for ("api.example.com", "*.example.com"); without any, those that it holds.
    """

    cert: Path = field(metadata=schema.key(PATH, "PEM, the server's own first, then its chain"))
    key: Path = field(metadata=schema.key(PATH, "PEM, without a passphrase"))
    hosts: tuple[str, ...] = schema.setting((), CERTIFIED, "default: the names that it holds")
    source: str = field(default="", metadata=schema.source())


@dataclass(frozen=True, slots=True)
class ACME:
    """One certificate for `hosts`, from an authority that speaks ACME (RFC 8555) and looks at http://HOST/ (HTTP-01).

    `ca` has PEM certificates for the TLS of the directory, where they are not the machine's. `renew_before_days` None:
    after two thirds of the certificate's life. `eab_*`: for authorities that make accounts for their customers only
    (RFC 8555, section 7.3.4).
    """

    directory: str = field(metadata=schema.key(HTTPS_URL, "the URL of the authority's directory"))
    hosts: tuple[str, ...] = field(metadata=schema.key(HOSTS, "the names that the certificate is for"))
    terms_agreed: bool = field(metadata=schema.key(BOOLEAN, "`true`: you agree to the authority's terms of service"))
    email: str | None = schema.setting(None, TEXT, "where the authority writes to")
    ca: Path | None = schema.setting(None, PATH, "PEM certificates that the directory's own TLS is checked with")
    renew_before_days: int | None = schema.setting(
        None, POSITIVE, "renewed so long before its end; default: after two thirds of its life"
    )
    eab_key_id: str | None = schema.setting(
        None, TEXT, "external account binding: the id of the key that the authority has given you"
    )
    eab_key_file: Path | None = schema.setting(
        None, PATH, "a file with that key, in base64url as the authority gave it"
    )

    def check_table(self, context: FieldContext, written: Mapping[str, object]) -> None:
        if not self.terms_agreed:
            context.key("terms_agreed").error(
                '"tls.acme.terms_agreed" must be true: without your agreement the authority gives no certificate.'
            )
        if not self.hosts or len(self.hosts) > _MOST_HOSTS:
            context.key("hosts").error(f'"tls.acme.hosts" must have 1 to {_MOST_HOSTS} names.')
        if (self.eab_key_id is None) != (self.eab_key_file is None):
            context.key("eab_key_id").error(
                '"tls.acme.eab_key_id" and "tls.acme.eab_key_file" go together: the authority gives both.'
            )
        for index, host in enumerate(self.hosts):
            if "." not in host:
                context.key("hosts").item(index).error(
                    f'"{host}" is not a name that HTTP-01 can prove: give whole host names such as "api.example.com".'
                )


@dataclass(frozen=True, slots=True)
class TLS:
    """How https sockets are served. The first certificate is for clients that name no host or an unknown one.

    `client_auth` "request": a client may show a certificate, and `client_ca` must have signed it; "require": it must
    show one. With `client_crl`, a list of the authority that signed a client's certificate must be there and current.
    """

    certificates: tuple[Certificate, ...] = field(
        default=(), metadata=schema.tables(Certificate, "certificates by host; the first is for every other host")
    )
    min_version: Literal["1.2", "1.3"] = schema.setting("1.2", one_of("1.2", "1.3"), "")
    client_auth: Literal["none", "request", "require"] = schema.setting(
        "none", one_of("none", "request", "require"), "whether clients of the edge show a certificate"
    )
    client_ca: Path | None = schema.setting(None, PATH, "PEM certificates that sign the clients'")
    client_crl: Path | None = schema.setting(None, PATH, "PEM lists of the clients' certificates that were revoked")
    acme: ACME | None = field(
        default=None, metadata=schema.table(ACME, "a certificate that `serve` gets by itself and renews")
    )

    def check_table(self, context: FieldContext, written: Mapping[str, object]) -> None:
        if self.client_auth != "none" and "client_ca" not in written:
            context.key("client_auth").error(
                '"tls.client_auth" needs "tls.client_ca": the PEM certificates of the authorities that sign the '
                "clients'."
            )
        if self.client_auth == "none" and self.client_crl is not None:
            context.key("client_crl").error(
                '"tls.client_crl" needs "tls.client_auth": "request" or "require"; '
                "clients are asked for no certificate."
            )


DEFAULT_TLS: Final = TLS()
