"""A SAML identity provider: signs what it is told to, right or wrong."""

import base64
import datetime
import zlib
from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import parse_qs, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from lxml import etree
from signxml.algorithms import CanonicalizationMethod
from signxml.signer import XMLSigner

from edgeworker.config import JSON
from tests.products.access.stage import PREFIX, TEAM

ISSUER = "https://idp.test/metadata"
SSO = "https://idp.test/sso"
CALLBACK = f"{TEAM}{PREFIX}callback"
PROTOCOL = "urn:oasis:names:tc:SAML:2.0:protocol"
ASSERTION = "urn:oasis:names:tc:SAML:2.0:assertion"
SUCCESS = "urn:oasis:names:tc:SAML:2.0:status:Success"


@dataclass(frozen=True)
class Key:
    private: rsa.RSAPrivateKey
    certificate: str  # PEM


@lru_cache
def key(name: str = "idp") -> Key:
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime.datetime(2000, 1, 1, tzinfo=datetime.UTC))
        .not_valid_after(datetime.datetime(2100, 1, 1, tzinfo=datetime.UTC))
        .sign(private, hashes.SHA256())
    )
    return Key(private, certificate.public_bytes(serialization.Encoding.PEM).decode())


def provider_config(**more: JSON) -> dict[str, JSON]:
    return {
        "name": "Company",
        "type": "saml",
        "config": {
            "issuer_url": ISSUER,
            "sso_target_url": SSO,
            "idp_public_certs": [key().certificate],
            "attributes": ["department", "groups"],
            "email_attribute_name": "email",
            **more,
        },
    }


@dataclass(frozen=True)
class Answer:
    """What a response says; a test changes one thing of it. Times are seconds from `now`."""

    request_id: str
    now: int
    email: str = "ada@example.com"
    name_id: str = "u1"
    department: str = "R&amp;D"
    issuer: str = ISSUER
    response_issuer: str = ""  # "": as the assertion's
    destination: str = f' Destination="{CALLBACK}"'
    in_response_to: str | None = None
    audience: str = f"<saml:AudienceRestriction><saml:Audience>{CALLBACK}</saml:Audience></saml:AudienceRestriction>"
    recipient: str = CALLBACK
    confirms: str | None = None
    begins: int = -30
    ends: int = 300
    confirmed_until: str | None = None
    status: str = SUCCESS
    method: str = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
    prolog: str = ""
    more: str = field(default="", repr=False)

    def xml(self) -> str:
        def time(offset: int) -> str:
            moment = datetime.datetime.fromtimestamp(self.now + offset, datetime.UTC)
            return moment.strftime("%Y-%m-%dT%H:%M:%SZ")

        answered = self.request_id if self.in_response_to is None else self.in_response_to
        confirms = self.request_id if self.confirms is None else self.confirms
        until = f' NotOnOrAfter="{time(self.ends)}"' if self.confirmed_until is None else self.confirmed_until
        return (
            f'{self.prolog}<samlp:Response xmlns:samlp="{PROTOCOL}" xmlns:saml="{ASSERTION}" ID="_r" Version="2.0"'
            f' IssueInstant="{time(0)}"{self.destination} InResponseTo="{answered}"><saml:Issuer>'
            f"{self.response_issuer or self.issuer}"
            f'</saml:Issuer><samlp:Status><samlp:StatusCode Value="{self.status}"/></samlp:Status>'
            f'<saml:Assertion ID="_a" Version="2.0" IssueInstant="{time(0)}"><saml:Issuer>{self.issuer}</saml:Issuer>'
            f"<saml:Subject><saml:NameID>{self.name_id}</saml:NameID>"
            f'<saml:SubjectConfirmation Method="{self.method}"><saml:SubjectConfirmationData'
            f' Recipient="{self.recipient}" InResponseTo="{confirms}"{until}/></saml:SubjectConfirmation>'
            "</saml:Subject>"
            f'<saml:Conditions NotBefore="{time(self.begins)}" NotOnOrAfter="{time(self.ends)}">{self.audience}'
            "</saml:Conditions><saml:AttributeStatement>"
            f'<saml:Attribute Name="email"><saml:AttributeValue>{self.email}</saml:AttributeValue></saml:Attribute>'
            f'<saml:Attribute Name="urn:oid:1" FriendlyName="department"><saml:AttributeValue>{self.department}'
            "</saml:AttributeValue></saml:Attribute>"
            '<saml:Attribute Name="groups"><saml:AttributeValue>Eng</saml:AttributeValue>'
            f"<saml:AttributeValue>Ops</saml:AttributeValue></saml:Attribute>{self.more}"
            "</saml:AttributeStatement></saml:Assertion></samlp:Response>"
        )


def sign(xml: str, *, what: str = "assertion", by: Key | None = None, digest: str = "sha256") -> str:
    """The response with its assertion signed, itself ("response"), both, or nothing ("")."""
    signing = by or key()
    root = etree.fromstring(xml)

    def signed(element: "etree._Element") -> "etree._Element":
        signer = XMLSigner(
            signature_algorithm=f"rsa-{digest}",
            digest_algorithm=digest,
            c14n_algorithm=CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0,
        )
        return signer.sign(
            element, key=signing.private, cert=signing.certificate, reference_uri="#" + str(element.get("ID"))
        )

    if what in ("assertion", "both"):
        assertion = root.find(f"{{{ASSERTION}}}Assertion")
        assert assertion is not None
        root.replace(assertion, signed(assertion))
    if what in ("response", "both"):
        root = signed(root)
    return etree.tostring(root).decode()


def encode(xml: str) -> str:
    return base64.b64encode(xml.encode()).decode()


def request_of(address: str) -> "etree._Element":
    """The AuthnRequest that a browser was sent with."""
    packed = base64.b64decode(parse_qs(urlsplit(address).query)["SAMLRequest"][0])
    return etree.fromstring(zlib.decompress(packed, -15))
