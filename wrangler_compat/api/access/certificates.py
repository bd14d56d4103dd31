"""Access over REST: the authorities of clients' certificates. They are the edge's: shown, and not changed here."""

from typing import TYPE_CHECKING, Final, NoReturn

from edgeworker.config import JSON
from edgeworker.messages import Response
from edgeworker.products.access.objects import made_up_uuid
from edgeworker.rest.call import Call
from edgeworker.rest.envelope import success
from edgeworker.rest.errors import AccessCode, ApiError
from wrangler_compat.api.access.account import account_of, listing, not_found

if TYPE_CHECKING:
    from cryptography import x509

_MAX_BYTES: Final = 1_048_576


async def list_certificates(call: Call) -> Response:
    account_of(call)
    return listing(call, list(_authorities(call)))


async def get_certificate(call: Call) -> Response:
    account_of(call)
    for item in _authorities(call):
        if item["id"] == call.params["certificate"]:
            return success(item)
    raise not_found("certificate", call.params["certificate"])


async def change_certificate(call: Call) -> Response:
    """Raises ApiError (409): edge.toml has them."""
    account_of(call)
    _refuse()


def _refuse() -> NoReturn:
    text = (
        "access.api.error.conflict: the authorities of clients' certificates are tls.client_ca of edge.toml; "
        'write client_auth = "request" and client_ca = "clients.pem" into [tls] there'
    )
    raise ApiError(409, AccessCode.CONFLICT, text)


def _authorities(call: Call) -> list[dict[str, JSON]]:
    file = call.config.tls.client_ca
    if file is None:
        return []
    from cryptography import x509  # 9 MB, which most edges never need for this

    try:
        with file.open("rb") as stream:
            certificates = x509.load_pem_x509_certificates(stream.read(_MAX_BYTES))
    except (OSError, ValueError):
        return []
    return [_view(certificate) for certificate in certificates]


def _view(certificate: "x509.Certificate") -> dict[str, JSON]:
    from cryptography.hazmat.primitives import hashes
    from cryptography.x509.oid import NameOID

    fingerprint = certificate.fingerprint(hashes.SHA256()).hex()
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return {
        "id": made_up_uuid("certificate", fingerprint),
        "name": str(names[0].value) if names else certificate.subject.rfc4514_string(),
        "fingerprint": fingerprint,
        "expires_on": certificate.not_valid_after_utc.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "associated_hostnames": [],
    }
