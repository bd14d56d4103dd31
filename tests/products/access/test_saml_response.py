"""What of a SAML response counts: only what the provider signed, for us, for this login, now."""

import base64
import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from lxml import etree

from edgeworker.products.access.config import SAMLSettings
from edgeworker.products.access.saml_messages import ASSERTION, PROTOCOL, SIGNATURE
from edgeworker.products.access.saml_response import Assertion, InvalidSAMLResponse, parse, verify
from tests.products.access.saml_provider import CALLBACK, ISSUER, SSO, Answer, encode, key, sign

NOW = 1_800_000_000
RIGHT = Answer("_id1", NOW)
SETTINGS = SAMLSettings(ISSUER, SSO, (key("other").certificate, key().certificate), ("department",), "email")


def read(xml: str) -> Assertion:
    return verify(parse(encode(xml)), SETTINGS, request_id="_id1", callback=CALLBACK, now=NOW)


@pytest.mark.parametrize("what", ["assertion", "response", "both"])
def test_a_signed_response_says_who_logged_in(what: str) -> None:
    found = read(sign(RIGHT.xml(), what=what))

    assert found.name_id == "u1"
    assert found.attributes["email"] == ("ada@example.com",)
    assert found.attributes["department"] == found.attributes["urn:oid:1"] == ("R&D",)
    assert found.attributes["groups"] == ("Eng", "Ops")


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        pytest.param(replace(RIGHT, issuer="https://evil.test"), "Issuer", id="another issuer"),
        pytest.param(replace(RIGHT, response_issuer="https://evil.test"), "its Issuer", id="the response's issuer"),
        pytest.param(
            replace(RIGHT, issuer="https://evil.test", response_issuer=ISSUER),
            "assertion's Issuer",
            id="its assertion's",
        ),
        pytest.param(replace(RIGHT, destination=' Destination="https://x.test/"'), "Destination", id="destination"),
        pytest.param(replace(RIGHT, in_response_to="_other"), "another request", id="in response to"),
        pytest.param(replace(RIGHT, audience=""), "Audience", id="no audience"),
        pytest.param(
            replace(
                RIGHT,
                audience="<saml:AudienceRestriction><saml:Audience>https://x.test</saml:Audience>"
                "</saml:AudienceRestriction>",
            ),
            "Audience",
            id="another audience",
        ),
        pytest.param(
            replace(RIGHT, audience=RIGHT.audience + RIGHT.audience.replace(CALLBACK, "https://x.test")),
            "Audience",
            id="two restrictions, and one is of another",
        ),
        pytest.param(replace(RIGHT, recipient="https://x.test/acs"), "not confirmed", id="recipient"),
        pytest.param(replace(RIGHT, confirms="_other"), "not confirmed", id="confirms another request"),
        pytest.param(replace(RIGHT, confirmed_until=""), "not confirmed", id="confirmed without end"),
        pytest.param(
            replace(RIGHT, method="urn:oasis:names:tc:SAML:2.0:cm:sender-vouches"), "not confirmed", id="method"
        ),
        pytest.param(replace(RIGHT, ends=-61), "expired", id="expired"),
        pytest.param(replace(RIGHT, begins=61), "not valid yet", id="not yet"),
        pytest.param(replace(RIGHT, confirmed_until=' NotOnOrAfter="never"'), "time", id="a time that is none"),
        pytest.param(
            replace(RIGHT, status="urn:oasis:names:tc:SAML:2.0:status:Responder"), "without success", id="status"
        ),
    ],
)
@pytest.mark.parametrize("what", ["assertion", "response"])
def test_a_response_for_someone_or_something_else_is_refused(changed: Answer, text: str, what: str) -> None:
    with pytest.raises(InvalidSAMLResponse, match=text):
        read(sign(changed.xml(), what=what))


@pytest.mark.parametrize("what", ["assertion", "response"])
@pytest.mark.parametrize("offset", [-59, 59])
def test_clocks_may_be_a_minute_apart(what: str, offset: int) -> None:
    answer = replace(RIGHT, begins=offset) if offset > 0 else replace(RIGHT, ends=offset)

    assert read(sign(answer.xml(), what=what)).name_id == "u1"


def _with_evil(xml: str, change: Callable[["etree._Element", "etree._Element"], None]) -> str:
    """`change` gets the response and a copy of its assertion, which says that it is of eve."""
    root = etree.fromstring(xml)
    assertion = root.find(f"{{{ASSERTION}}}Assertion")
    assert assertion is not None
    evil = etree.fromstring(etree.tostring(assertion).replace(b"ada@example.com", b"eve@evil.test"))
    for signature in evil.findall(f"{{{SIGNATURE}}}Signature"):
        evil.remove(signature)
    change(root, evil)
    return etree.tostring(root).decode()


def _beside(root: "etree._Element", evil: "etree._Element") -> None:
    evil.set("ID", "_evil")
    root.insert(0, evil)


def _same_id(root: "etree._Element", evil: "etree._Element") -> None:
    root.insert(0, evil)


def _around(root: "etree._Element", evil: "etree._Element") -> None:
    """The signed one within the forged one, with its signature on the outside: XSW 4 and its like."""
    signed = root.find(f"{{{ASSERTION}}}Assertion")
    assert signed is not None
    signature = signed.find(f"{{{SIGNATURE}}}Signature")
    root.remove(signed)
    evil.set("ID", "_evil")
    if signature is not None:
        evil.insert(1, signature)
    root.append(evil)
    evil.append(signed)


def _in_extensions(root: "etree._Element", evil: "etree._Element") -> None:
    """The forged one where the signed one was, and that in an Extensions element: XSW 7."""
    signed = root.find(f"{{{ASSERTION}}}Assertion")
    assert signed is not None
    root.replace(signed, evil)
    extensions = etree.SubElement(root, f"{{{PROTOCOL}}}Extensions")
    extensions.append(signed)


def _in_object(root: "etree._Element", evil: "etree._Element") -> None:
    """The signed one in an Object of the signature, which the forged one carries: XSW 8."""
    signed = root.find(f"{{{ASSERTION}}}Assertion")
    assert signed is not None
    signature = signed.find(f"{{{SIGNATURE}}}Signature")
    root.replace(signed, evil)
    if signature is not None:
        evil.insert(1, signature)
        held = etree.SubElement(signature, f"{{{SIGNATURE}}}Object")
        held.append(signed)


def _within_response(root: "etree._Element", evil: "etree._Element") -> None:
    """The whole signed response within a forged one, with its signature on the outside: XSW 1 and 2."""
    inner = etree.fromstring(etree.tostring(root))
    signature = root.find(f"{{{SIGNATURE}}}Signature")
    signed = root.find(f"{{{ASSERTION}}}Assertion")
    assert signed is not None
    root.replace(signed, evil)
    root.set("ID", "_evil")
    if signature is not None:
        held = etree.SubElement(signature, f"{{{SIGNATURE}}}Object")
        held.append(inner)


WRAPPINGS = {
    "a second assertion beside": _beside,
    "a second one with the same id": _same_id,
    "around the signed one": _around,
    "in the place of the signed one": _in_extensions,
    "with the signed one in its signature": _in_object,
    "around the whole response": _within_response,
}


@pytest.mark.parametrize("what", ["assertion", "response", "both"])
@pytest.mark.parametrize("name", WRAPPINGS)
def test_a_forged_assertion_put_around_or_beside_a_signed_one_never_counts(name: str, what: str) -> None:
    with pytest.raises(InvalidSAMLResponse, match=r"exactly one assertion|signature|neither"):
        read(_with_evil(sign(RIGHT.xml(), what=what), WRAPPINGS[name]))


def test_a_signature_of_something_else_that_the_provider_signed_does_not_count() -> None:
    """Its metadata, say, which anyone can have: the forged assertion carries the signature of them."""
    signed = etree.fromstring(sign('<x xmlns="urn:x" ID="_x"><y/></x>', what="response"))
    signature = signed.find(f"{{{SIGNATURE}}}Signature")
    root = etree.fromstring(RIGHT.xml().replace("ada@example.com", "eve@evil.test"))
    assertion = root.find(f"{{{ASSERTION}}}Assertion")
    assert assertion is not None
    assert signature is not None
    assertion.insert(1, signature)
    etree.SubElement(root, f"{{{PROTOCOL}}}Extensions").append(signed)

    with pytest.raises(InvalidSAMLResponse, match="what is signed is not"):
        read(etree.tostring(root).decode())


def _unsigned() -> str:
    return sign(RIGHT.xml(), what="")


def _changed() -> str:
    return sign(RIGHT.xml()).replace("ada@example.com", "eve@example.com")


def _response_changed() -> str:
    """The signature of the response does not hold, that of the assertion does."""
    return sign(RIGHT.xml(), what="both").replace('IssueInstant="2027', 'IssueInstant="2026', 1)


def _by_another_key() -> str:
    return sign(RIGHT.xml(), by=key("evil"))


@pytest.mark.parametrize(
    ("forged", "text"),
    [
        pytest.param(_unsigned, "neither", id="unsigned"),
        pytest.param(_changed, "signature", id="changed"),
        pytest.param(_response_changed, "signature", id="a signed response that was changed around its assertion"),
        pytest.param(_by_another_key, "signature", id="signed by the key that it brings along"),
    ],
)
def test_a_signature_that_is_not_the_providers_is_refused(forged: Callable[[], str], text: str) -> None:
    with pytest.raises(InvalidSAMLResponse, match=text):
        read(forged())


@pytest.mark.parametrize(
    "xml",
    [
        pytest.param(
            '<!DOCTYPE r [<!ENTITY e SYSTEM "file:///etc/passwd">]>' + RIGHT.xml().replace("u1", "&e;"), id="a file"
        ),
        pytest.param('<!DOCTYPE r [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]>' + RIGHT.xml(), id="entities that double"),
        pytest.param("<!DOCTYPE r>" + RIGHT.xml(), id="a document type alone"),
    ],
)
def test_document_types_and_entities_are_refused(xml: str) -> None:
    with pytest.raises(InvalidSAMLResponse, match="document type"):
        parse(encode(xml))
    with pytest.raises(InvalidSAMLResponse, match="document type"):
        parse(base64.b64encode(('<?xml version="1.0" encoding="UTF-16"?>' + xml).encode("utf-16")).decode())


def test_a_comment_does_not_cut_an_address_short() -> None:
    """CVE-2017-11427 and its like: a comment is not signed, and readers take what stands before it."""
    signed = sign(replace(RIGHT, email="ada@example.com.evil.test").xml())

    with pytest.raises(InvalidSAMLResponse, match="comment"):
        read(signed.replace("ada@example.com.evil", "ada@example.com<!-- -->.evil"))


def test_an_assertion_without_conditions_is_refused() -> None:
    xml = re.sub("<saml:Conditions.*</saml:Conditions>", "", RIGHT.xml())

    with pytest.raises(InvalidSAMLResponse, match="no Conditions"):
        read(sign(xml))


def test_a_signature_with_sha1_is_refused() -> None:
    signed = sign(RIGHT.xml()).replace(
        "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256", "http://www.w3.org/2000/09/xmldsig#rsa-sha1"
    )

    with pytest.raises(InvalidSAMLResponse, match="signature"):
        read(signed)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("%%%", id="no base64"),
        pytest.param("AAAA", id="no XML"),
        pytest.param(encode("<a/>"), id="another element"),
        pytest.param(encode("<a"), id="half an element"),
        pytest.param("QQ==" * 200_000, id="too long"),
        pytest.param(encode("<p:Response xmlns:p='x'/>"), id="another namespace"),
    ],
)
def test_what_is_not_a_response_is_refused(text: str) -> None:
    with pytest.raises(InvalidSAMLResponse):
        parse(text)
