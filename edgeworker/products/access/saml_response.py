"""Reads a SAML response: who logged in, as far as the identity provider signed it. Pure.

Only what `signxml` gives back as signed is looked at, so an assertion that was moved, copied or put around a signed one
says nothing. A document type, entities, comments and processing instructions are refused before anything else.

Sources: SAML 2.0 Core and Profiles 4.1.4.3; https://www.w3.org/TR/xmldsig-bestpractices/
"""

import base64
import binascii
import datetime
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from cryptography import x509
from lxml import etree
from signxml.algorithms import DigestAlgorithm, SignatureMethod
from signxml.exceptions import SignXMLException
from signxml.verifier import SignatureConfiguration, XMLVerifier

from edgeworker.products.access.config import SAMLSettings
from edgeworker.products.access.saml_messages import ASSERTION, PROTOCOL, SIGNATURE, base64_of

MAX_RESPONSE_BYTES: Final = 262_144
_LEEWAY_SECONDS: Final = 60
_MAX_VALUES: Final = 512
_SUCCESS: Final = "urn:oasis:names:tc:SAML:2.0:status:Success"
_BEARER: Final = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
_NAMESPACES: Final = {"p": PROTOCOL, "a": ASSERTION, "s": SIGNATURE}
_SIGNATURE_METHODS: Final = frozenset(
    {
        SignatureMethod.RSA_SHA256,
        SignatureMethod.RSA_SHA384,
        SignatureMethod.RSA_SHA512,
        SignatureMethod.ECDSA_SHA256,
        SignatureMethod.ECDSA_SHA384,
        SignatureMethod.ECDSA_SHA512,
    }
)
_DIGESTS: Final = frozenset({DigestAlgorithm.SHA256, DigestAlgorithm.SHA384, DigestAlgorithm.SHA512})


class InvalidSAMLResponse(ValueError):
    """Why a response is refused; for a log line and for the operator who configures the provider. Holds no secret."""


@dataclass(frozen=True, slots=True)
class Assertion:
    """`attributes` are in their order, by name and by friendly name."""

    name_id: str
    attributes: dict[str, tuple[str, ...]]


def parse(encoded: str) -> "etree._Element":
    """The response that a form's SAMLResponse holds; nothing in it is proven yet. Raises InvalidSAMLResponse."""
    try:
        content = base64.b64decode("".join(encoded.split()), validate=True)
    except (binascii.Error, ValueError):
        raise InvalidSAMLResponse("it is not base64") from None
    if len(content) > MAX_RESPONSE_BYTES:
        raise InvalidSAMLResponse(f"it is longer than {MAX_RESPONSE_BYTES} bytes")
    # An entity could be a file or a gigabyte: none is read, and the document type that declares one is refused.
    parser = etree.XMLParser(resolve_entities=False, load_dtd=False, no_network=True, huge_tree=False)
    try:
        root = etree.fromstring(content, parser=parser)
    except (etree.XMLSyntaxError, ValueError):
        raise InvalidSAMLResponse("it is not well-formed XML") from None
    info = root.getroottree().docinfo
    for node in root.iter():
        if not isinstance(node.tag, str) or info.internalDTD is not None or info.externalDTD is not None:
            raise InvalidSAMLResponse("it has a document type, a comment or a processing instruction")
    if root.tag != f"{{{PROTOCOL}}}Response":
        raise InvalidSAMLResponse("it is not a SAML response")
    return root


def answered_request(root: "etree._Element") -> str:
    """The id of the request that a response says to answer, or "". Not proven."""
    return root.get("InResponseTo") or ""


def verify(root: "etree._Element", settings: SAMLSettings, *, request_id: str, callback: str, now: int) -> Assertion:
    """What the provider signed for us, in answer to this request. Raises InvalidSAMLResponse."""
    status = root.find("p:Status/p:StatusCode", _NAMESPACES)
    if status is None or status.get("Value") != _SUCCESS:
        raise InvalidSAMLResponse("the provider answered without success")
    if root.get("Destination", callback) != callback:
        raise InvalidSAMLResponse(f"its Destination is not {callback}")
    if root.get("InResponseTo") != request_id:
        raise InvalidSAMLResponse("it answers another request")
    issuer = root.find("a:Issuer", _NAMESPACES)
    if issuer is not None and _read_text(issuer) != settings.issuer_url:
        raise InvalidSAMLResponse(f"its Issuer is not {settings.issuer_url}")
    if root.find("a:EncryptedAssertion", _NAMESPACES) is not None:
        raise InvalidSAMLResponse("its assertion is encrypted; switch that off at the provider, it is not emulated")
    if len(root.findall(".//a:Assertion", _NAMESPACES)) != 1:
        raise InvalidSAMLResponse("it has not exactly one assertion")
    assertion = _signed_assertion(root, settings, now)
    _check_conditions(assertion, settings, request_id=request_id, callback=callback, now=now)
    name_id = assertion.find("a:Subject/a:NameID", _NAMESPACES)
    return Assertion("" if name_id is None else _read_text(name_id), _read_attributes(assertion))


def _signed_assertion(root: "etree._Element", settings: SAMLSettings, now: int) -> "etree._Element":
    """Of a response that is signed, or else signed itself; as it was signed."""
    # A signature of the response that does not hold is not made good by another one inside.
    is_whole = root.find("s:Signature", _NAMESPACES) is not None
    config = SignatureConfiguration(
        location="./" if is_whole else f"./{{{ASSERTION}}}Assertion/",
        signature_methods=_SIGNATURE_METHODS,
        digest_algorithms=_DIGESTS,
        verification_time=datetime.datetime.fromtimestamp(now, datetime.UTC),
        ignore_ambiguous_key_info=True,  # the configured certificate alone counts
    )
    if not is_whole and root.find("a:Assertion/s:Signature", _NAMESPACES) is None:
        raise InvalidSAMLResponse("neither the response nor its assertion is signed")
    reason = "no certificate of the provider is configured"
    for certificate in settings.certificates:
        try:
            result = XMLVerifier().verify(root, x509_cert=read_certificate(certificate), expect_config=config)
        except (SignXMLException, etree.LxmlError, ValueError) as error:
            reason = f"its signature is refused ({error})"[:300]
            continue
        signed = None if isinstance(result, list) else result.signed_xml
        if signed is not None and signed.tag == (root.tag if is_whole else f"{{{ASSERTION}}}Assertion"):
            found = signed.findall("a:Assertion", _NAMESPACES) if is_whole else [signed]
            if len(found) == 1:
                return found[0]
        reason = "what is signed is not the response with one assertion, and not the assertion"
    raise InvalidSAMLResponse(reason)


def read_certificate(text: str) -> x509.Certificate:
    """PEM, or the base64 inside. Raises ValueError."""
    return x509.load_der_x509_certificate(base64.b64decode(base64_of(text), validate=True))


def _check_conditions(
    assertion: "etree._Element", settings: SAMLSettings, *, request_id: str, callback: str, now: int
) -> None:
    issuer = assertion.find("a:Issuer", _NAMESPACES)
    if issuer is None or _read_text(issuer) != settings.issuer_url:
        raise InvalidSAMLResponse(f"its assertion's Issuer is not {settings.issuer_url}")
    conditions = assertion.find("a:Conditions", _NAMESPACES)
    if conditions is None:
        raise InvalidSAMLResponse("its assertion has no Conditions")
    _check_time(conditions, now)
    restrictions = conditions.findall("a:AudienceRestriction", _NAMESPACES)
    if not restrictions or not all(
        callback in [_read_text(audience) for audience in restriction.findall("a:Audience", _NAMESPACES)]
        for restriction in restrictions
    ):
        raise InvalidSAMLResponse(f"its assertion's Audience is not {callback}")
    for confirmation in assertion.findall("a:Subject/a:SubjectConfirmation", _NAMESPACES):
        data = confirmation.find("a:SubjectConfirmationData", _NAMESPACES)
        if confirmation.get("Method") != _BEARER or data is None or data.get("NotOnOrAfter") is None:
            continue
        if data.get("Recipient") == callback and data.get("InResponseTo") == request_id:
            _check_time(data, now)
            return
    raise InvalidSAMLResponse("its assertion is not confirmed for this login (Recipient, InResponseTo, NotOnOrAfter)")


def _check_time(element: "etree._Element", now: int) -> None:
    begin, end = element.get("NotBefore"), element.get("NotOnOrAfter")
    if begin is not None and now + _LEEWAY_SECONDS < _parse_time(begin):
        raise InvalidSAMLResponse("its assertion is not valid yet; are the clocks apart?")
    if end is not None and now - _LEEWAY_SECONDS >= _parse_time(end):
        raise InvalidSAMLResponse("its assertion has expired; are the clocks apart?")


def _parse_time(text: str) -> float:
    try:
        found = datetime.datetime.fromisoformat(text)
    except ValueError:
        raise InvalidSAMLResponse("a time in its assertion is not one") from None
    return (found if found.tzinfo else found.replace(tzinfo=datetime.UTC)).timestamp()


def _read_attributes(assertion: "etree._Element") -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for attribute in assertion.iterfind("a:AttributeStatement/a:Attribute", _NAMESPACES):
        values = tuple(_read_values(attribute))
        for name in dict.fromkeys((attribute.get("Name"), attribute.get("FriendlyName"))):
            if name:
                found[name] = (*found.get(name, ()), *values)[:_MAX_VALUES]
    return found


def _read_values(attribute: "etree._Element") -> Iterator[str]:
    for value in attribute.iterfind("a:AttributeValue", _NAMESPACES):
        yield _read_text(value)


def _read_text(element: "etree._Element") -> str:
    return "".join(element.itertext()).strip()
