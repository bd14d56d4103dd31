"""TLS contexts: for the https sockets of an edge, one certificate per host, and for its connections to origins."""

import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, assert_never

from edgeworker.config import TLS, Certificate, OriginTLS
from edgeworker.errors import ConfigError
from edgeworker.server.certificates import (
    CertificateFacts,
    read_certificates,
    read_pair,
    read_revocation_lists,
    wildcard_of,
)
from edgeworker.server.tls_alerts import AlertingContext

# Only AEAD cipher suites with forward secrecy; TLS 1.3 has no others.
# https://www.rfc-editor.org/rfc/rfc9325#section-4.2
_CIPHERS: Final = "ECDHE+AESGCM:ECDHE+CHACHA20"
_ALPN: Final = ("http/1.1",)
_VERSIONS: Final = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


def server_context(tls: TLS, *, now: int | None) -> ssl.SSLContext:
    """The context for https sockets. The files are read here and not again. `now` None: the validity periods of
    certificates are not checked.

    Raises:
        ConfigError: a file cannot be used, a certificate is not valid at `now`, is not its key's, or does not hold
            the hosts that it is configured for.
    """
    return select_by_host(
        [
            load_certificate(tls, certificate, now=now, where=certificate.source or f"tls.certificates[{index}]")
            for index, certificate in enumerate(tls.certificates)
        ]
    )


@dataclass(frozen=True, slots=True)
class LoadedCertificate:
    """A certificate whose files were read: `context` serves it, for `hosts`."""

    certificate: Certificate
    context: ssl.SSLContext
    facts: CertificateFacts
    hosts: tuple[str, ...]


def load_certificate(tls: TLS, certificate: Certificate, *, now: int | None, where: str) -> LoadedCertificate:
    """Raises ConfigError, as `server_context`."""
    facts = read_pair(certificate.cert, certificate.key, now=now, where=where)
    hosts = _check_hosts(certificate, facts, where)
    return LoadedCertificate(certificate, _make_context(tls, certificate, where), facts, hosts)


def select_by_host(certificates: Sequence[LoadedCertificate]) -> ssl.SSLContext:
    """The context of the first one, which serves each host that a client names with its own. Raises ConfigError."""
    if not certificates:
        raise ConfigError(
            "tls: there is no certificate to serve https with; add [[tls.certificates]] with cert and key to "
            "edge.toml, or use the local authority (edgeworker dev --https)"
        )
    by_host: dict[str, ssl.SSLContext] = {}
    for one in certificates:
        for host in one.hosts:
            by_host.setdefault(host, one.context)
    default = certificates[0].context
    default.sni_callback = _CertificateSelector(by_host, default)
    return default


class _CertificateSelector:
    """The SNI callback: selects the certificate of the host that a client names, or else the default one."""

    def __init__(self, by_host: Mapping[str, ssl.SSLContext], default: ssl.SSLContext) -> None:
        self._by_host = by_host
        self._default = default

    def __call__(self, connection: ssl.SSLObject, host: str | None, context: ssl.SSLContext) -> None:
        if host is not None:
            name = host.lower().removesuffix(".")
            connection.context = self._by_host.get(name) or self._by_host.get(wildcard_of(name)) or self._default


def _check_hosts(certificate: Certificate, facts: CertificateFacts, where: str) -> tuple[str, ...]:
    hosts = tuple(host.lower() for host in certificate.hosts)
    for host in hosts:
        if not facts.covers(host):
            raise ConfigError(
                f'{where}: {certificate.cert} does not hold "{host}" (it holds {", ".join(facts.names) or "no name"}); '
                "clients would refuse it, so get a certificate with that name or leave the host out"
            )
    return hosts or facts.names


def _make_context(tls: TLS, certificate: Certificate, where: str) -> ssl.SSLContext:
    context = AlertingContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = _VERSIONS[tls.min_version]
    context.set_ciphers(_CIPHERS)
    context.set_alpn_protocols(_ALPN)
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION
    _load_cert_chain(context, certificate.cert, certificate.key, where)
    match tls.client_auth:
        case "none":
            pass
        case "request" | "require":
            if tls.client_ca is None:
                raise ConfigError(
                    f'tls.client_auth: "{tls.client_auth}" needs tls.client_ca: the certificates of the authorities '
                    "that sign the clients' certificates"
                )
            context.verify_mode = ssl.CERT_REQUIRED if tls.client_auth == "require" else ssl.CERT_OPTIONAL
            _load_authorities(context, tls.client_ca, "tls.client_ca")
            if tls.client_crl is not None:
                read_revocation_lists(tls.client_crl, where="tls.client_crl")
                _load_verify_locations(context, tls.client_crl, "tls.client_crl")
                context.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF
        case _:
            assert_never(tls.client_auth)
    return context


def origin_context(tls: OriginTLS, ca_file: Path | None, *, now: int, where: str) -> ssl.SSLContext:
    """The context for connections to an https origin; `ca_file` is trusted where `tls` names none of its own.

    Raises ConfigError for files that cannot be used; `where` names the origin in it.
    """
    trusted = tls.ca_file or ca_file
    context = ssl.create_default_context()
    if trusted is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        _load_authorities(context, trusted, f"{where}: origin_ca" if tls.ca_file else "outbound.ca_file")
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(_ALPN)
    if not tls.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if (tls.client_cert is None) != (tls.client_key is None):
        raise ConfigError(f"{where}: origin_client_cert and origin_client_key go together; give both or none")
    if tls.client_cert is not None and tls.client_key is not None:
        place = f"{where}: origin_client_cert"
        read_pair(tls.client_cert, tls.client_key, now=now, where=place)
        _load_cert_chain(context, tls.client_cert, tls.client_key, place)
    return context


def _load_cert_chain(context: ssl.SSLContext, cert: Path, key: Path, where: str) -> None:
    try:
        # The password keeps OpenSSL from asking for one on the terminal; `read_pair` has refused encrypted keys.
        context.load_cert_chain(cert, key, password="")
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        raise ConfigError(f"{where}: {cert} and {key} cannot be used for TLS: {_describe_error(error)}") from error


def _load_authorities(context: ssl.SSLContext, file: Path, where: str) -> None:
    read_certificates(file, where=where)
    _load_verify_locations(context, file, where)


def _load_verify_locations(context: ssl.SSLContext, file: Path, where: str) -> None:
    try:
        context.load_verify_locations(cafile=file)
    except OSError as error:
        raise ConfigError(f"{where}: {file} cannot be used: {_describe_error(error)}") from error


def _describe_error(error: Exception) -> str:
    return (error.reason if isinstance(error, ssl.SSLError) else None) or str(error)
