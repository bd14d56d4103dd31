"""What `/cdn-cgi/access/get-identity` answers, which is also what a worker's `getIdentity()` gives. Pure.

Empty texts and false are there and not left out, as real answers have it.
"""

from edgeworker.config import JSON
from edgeworker.products.access.policy import Identity


def identity_document(identity: Identity, *, account_id: str) -> dict[str, JSON]:
    document: dict[str, JSON] = {
        "id": identity.user_uuid,
        "name": identity.name,
        "email": identity.email,
        "amr": list(identity.amr),
        "idp": {"id": identity.provider_id, "type": identity.provider_type},
        "geo": {"country": identity.country},
        "user_uuid": identity.user_uuid,
        "account_id": account_id,
        "iat": identity.logged_in_at,
        "ip": identity.ip,
        "auth_status": "NONE",
        "common_name": "",
        "service_token_id": "",
        "service_token_status": False,
        "is_warp": False,
        "is_gateway": False,
        "gateway_account_id": "",
        "device_id": "",
        "devicePosture": {},
        "device_sessions": {},
        "mtls_auth": {
            "cert_issuer_dn": "",
            "cert_issuer_ski": "",
            "cert_presented": False,
            "cert_serial": "",
            "auth_status": "",
        },
        "groups": list(identity.groups),
        "version": 2,
    }
    if identity.oidc_fields:
        document["oidc_fields"] = dict(identity.oidc_fields)
    if identity.saml_attributes:
        document["saml_attributes"] = dict(identity.saml_attributes)
    if identity.custom:
        document["custom"] = dict(identity.custom)
    return document


def service_document(client_id: str, *, account_id: str) -> dict[str, JSON]:
    """For a service token's session: there is no one behind it."""
    empty = Identity("", "", "", "")
    return {
        **identity_document(empty, account_id=account_id),
        "common_name": client_id,
        "service_token_id": client_id,
        "service_token_status": True,
    }
