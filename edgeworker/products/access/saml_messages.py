"""What Access says to SAML identity providers: the authentication request, and metadata about itself. Pure.

The entity ID is the address of the callback, as at Cloudflare. Sources: SAML 2.0 Core, Bindings 3.4 (HTTP-Redirect),
https://developers.cloudflare.com/cloudflare-one/integrations/identity-providers/generic-saml/
"""

import base64
import datetime
import zlib
from typing import Final
from urllib.parse import quote
from xml.sax.saxutils import escape, quoteattr

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from edgeworker.products.access.config import SAMLSettings

PROTOCOL: Final = "urn:oasis:names:tc:SAML:2.0:protocol"
ASSERTION: Final = "urn:oasis:names:tc:SAML:2.0:assertion"
METADATA: Final = "urn:oasis:names:tc:SAML:2.0:metadata"
SIGNATURE: Final = "http://www.w3.org/2000/09/xmldsig#"
POST_BINDING: Final = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
_EMAIL_FORMAT: Final = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
_RSA_SHA256: Final = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"


def authentication_request(settings: SAMLSettings, *, request_id: str, callback: str, now: int) -> str:
    """The XML of an AuthnRequest."""
    force = ' ForceAuthn="true"' if settings.force_authn else ""
    moment = datetime.datetime.fromtimestamp(now, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return (
        f'<samlp:AuthnRequest xmlns:samlp="{PROTOCOL}" xmlns:saml="{ASSERTION}" ID={quoteattr(request_id)}'
        f' Version="2.0" IssueInstant="{moment}" Destination={quoteattr(settings.sso_target_url)}{force}'
        f' ProtocolBinding="{POST_BINDING}" AssertionConsumerServiceURL={quoteattr(callback)}>'
        f"<saml:Issuer>{escape(callback)}</saml:Issuer>"
        f'<samlp:NameIDPolicy Format="{_EMAIL_FORMAT}" AllowCreate="true"/>'
        f"</samlp:AuthnRequest>"
    )


def redirect_address(target: str, request: str, *, relay_state: str, key: rsa.RSAPrivateKey | None) -> str:
    """Where the browser is sent with a request, signed where there is a `key`."""
    packed = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    deflated = packed.compress(request.encode()) + packed.flush()
    query = f"SAMLRequest={quote(base64.b64encode(deflated), safe='')}&RelayState={quote(relay_state, safe='')}"
    if key is not None:
        query += f"&SigAlg={quote(_RSA_SHA256, safe='')}"
        signature = key.sign(query.encode(), padding.PKCS1v15(), hashes.SHA256())
        query += f"&Signature={quote(base64.b64encode(signature), safe='')}"
    return f"{target}{'&' if '?' in target else '?'}{query}"


def metadata(*, callback: str, certificates: tuple[str, ...], signs_requests: bool) -> str:
    """What an identity provider is configured with. `certificates` are PEM: requests are signed with one of them."""
    keys = "".join(
        f'<md:KeyDescriptor use="signing"><ds:KeyInfo xmlns:ds="{SIGNATURE}"><ds:X509Data><ds:X509Certificate>'
        f"{base64_of(pem)}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>"
        for pem in certificates
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<md:EntityDescriptor xmlns:md="{METADATA}" entityID={quoteattr(callback)}>'
        f'<md:SPSSODescriptor AuthnRequestsSigned="{str(signs_requests).lower()}" WantAssertionsSigned="true"'
        f' protocolSupportEnumeration="{PROTOCOL}">{keys}'
        f"<md:NameIDFormat>{_EMAIL_FORMAT}</md:NameIDFormat>"
        f'<md:AssertionConsumerService Binding="{POST_BINDING}" Location={quoteattr(callback)} index="0"'
        ' isDefault="true"/></md:SPSSODescriptor></md:EntityDescriptor>\n'
    )


def base64_of(certificate: str) -> str:
    """What stands between the lines of a PEM certificate; a certificate without them stays as it is."""
    lines = certificate.strip().splitlines()
    return "".join(line.strip() for line in lines if not line.startswith("-----"))
