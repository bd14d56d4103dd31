"""Parses identity providers from their JSON form, as the v4 API and edge.toml have it. Pure."""

import base64
import importlib.util
from typing import Final

from edgeworker.config import JSON
from edgeworker.products.access.config import IdentityProvider, OIDCSettings, SAMLSettings
from edgeworker.products.access.json_object import InvalidObject, JSONObject
from edgeworker.products.access.objects import HEADER_NAME, made_up_uuid

# Fields of a response that a browser or the edge acts upon, which a provider must not set.
_EDGE_HEADERS: Final = (
    "cf-",
    "content-",
    "location",
    "set-cookie",
    "transfer-encoding",
    "connection",
    "access-control-",
)


def parse_identity_provider(value: JSON, path: str = "", *, source: str = "") -> IdentityProvider:
    provider = JSONObject.of(value, path)
    kind = provider.text("type")
    name = provider.text("name", kind)
    config = provider.inner("config")
    oidc = saml = None
    if kind == "saml":
        saml = _parse_saml(config)
    elif kind not in ("onetimepin", "local") and config.has("auth_url"):
        oidc = OIDCSettings(
            client_id=config.text("client_id"),
            client_secret=config.text("client_secret", ""),
            auth_url=config.text("auth_url"),
            token_url=config.text("token_url"),
            certs_url=config.text("certs_url"),
            scopes=config.texts("scopes") or ("openid", "email", "profile"),
            claims=config.texts("claims"),
            email_claim_name=config.text("email_claim_name", "email"),
            pkce=config.boolean("pkce_enabled", True),
            issuer=config.text("issuer", ""),
            userinfo_url=config.text("userinfo_url", ""),
        )
    elif kind == "oidc":
        raise InvalidObject(config.path, 'has no "auth_url"')
    identifier = provider.text("id", made_up_uuid("identity_provider", kind, name))
    return IdentityProvider(identifier, name, kind, oidc, saml, source)


def _parse_saml(config: JSONObject) -> SAMLSettings:
    # Loaded where it is needed: most configurations have no certificate in them.
    if importlib.util.find_spec("signxml") is None:
        raise InvalidObject(config.path, 'SAML needs signxml: install the extra with "pip install edgeworker[saml]"')
    certificates = config.texts("idp_public_certs") or (config.text("idp_public_cert"),)
    for certificate in certificates:
        _check_certificate(certificate, config.at("idp_public_certs"))
    target = config.text("sso_target_url")
    if not target.startswith(("https://", "http://")):
        text = f'"{target}" is not a URL such as "https://idp.example.com/sso"'
        raise InvalidObject(config.at("sso_target_url"), text)
    headers = (JSONObject.of(item, path) for item, path in config.items("header_attributes"))
    named = tuple((item.text("header_name"), item.text("attribute_name"), item.at("header_name")) for item in headers)
    for name, _, path in named:
        if not HEADER_NAME.fullmatch(name) or name.lower().startswith(_EDGE_HEADERS):
            raise InvalidObject(path, f'"{name}" is not the name of a header that a provider may set, such as "X-Team"')
    return SAMLSettings(
        issuer_url=config.text("issuer_url"),
        sso_target_url=target,
        certificates=certificates,
        attributes=config.texts("attributes"),
        email_attribute_name=config.text("email_attribute_name", ""),
        header_attributes=tuple((name, attribute) for name, attribute, _ in named),
        sign_request=config.boolean("sign_request", False),
        force_authn=config.boolean("force_authn", False),
    )


def _check_certificate(text: str, path: str) -> None:
    from cryptography import x509

    lines = (line.strip() for line in text.strip().splitlines() if not line.startswith("-----"))
    try:
        x509.load_der_x509_certificate(base64.b64decode("".join(lines), validate=True))
    except ValueError:
        example = 'PEM, or the base64 between its lines, as the provider\'s metadata have it ("MIIC...")'
        raise InvalidObject(path, f"{JSONObject.text_of(text[:24])}... is not a certificate; write {example}") from None
