"""Logins at a SAML identity provider: a request there, a signed response back, in the browser that began."""

from base64 import b64decode
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from lxml import etree

from edgeworker.config import JSON
from edgeworker.products.access.config import ConfiguredObject
from edgeworker.products.access.json_object import InvalidObject
from edgeworker.products.access.provider_objects import parse_identity_provider
from edgeworker.testing.calls import Reply
from edgeworker.testing.local import LocalEdge
from tests.products.access.saml_provider import (
    ASSERTION,
    CALLBACK,
    SSO,
    Answer,
    encode,
    provider_config,
    request_of,
    sign,
)
from tests.products.access.stage import PREFIX, SHOP, TEAM, Browser, app, edge_with, headers_at_origin, members

RULE: JSON = {
    "saml": {"attribute_name": "department", "attribute_value": "R&D", "identity_provider_id": "idp-1"},
}


def _edge(*policies: JSON, team: str = TEAM, **config: JSON) -> LocalEdge:
    provider = ConfiguredObject("identity_provider", "idp-1", provider_config(**config), "edge.toml:9")
    return edge_with(provider, app("shop", "shop.example.com", *policies), issuer=team)


async def _leave(browser: Browser, url: str = f"{SHOP}/a?b=c", team: str = TEAM) -> str:
    """Goes to the provider; the address that the browser is sent to."""
    page = await browser.go(url)
    assert "Company" in page.text
    query = urlsplit(browser.trail[-1]).query
    reply = await browser.step("GET", f"{team}{PREFIX}idp/idp-1/shop.example.com?{query}")
    assert reply.status == 302
    return reply.headers.get("location") or ""


async def _return(browser: Browser, xml: str, *, with_cookies: bool = False) -> Reply:
    """The provider's form, which comes from another site: without our cookies, unless they are SameSite=None."""
    jar, body = browser.cookies, urlencode({"SAMLResponse": encode(xml), "RelayState": "x"})
    browser.cookies = jar if with_cookies else {}
    reply = await browser.step("POST", CALLBACK, body=body)
    browser.cookies = jar
    location = reply.headers.get("location")
    return reply if location is None else await browser.go(f"{TEAM}{location}")


async def test_a_person_logs_in_and_the_attributes_are_theirs() -> None:
    rule: JSON = {"name": "R&D", "decision": "allow", "include": [RULE]}
    async with _edge(rule) as edge:
        browser = Browser(edge)
        address = await _leave(browser)
        request = request_of(address)
        assert address.startswith(f"{SSO}?SAMLRequest=")
        assert request.get("AssertionConsumerServiceURL") == CALLBACK
        assert request.findtext(f"{{{ASSERTION}}}Issuer") == CALLBACK
        assert request.get("ForceAuthn") is None

        reply = await _return(browser, sign(Answer(str(request.get("ID")), edge.clock.now()).xml()))

        assert (reply.status, browser.trail[-1]) == (200, f"{SHOP}/a?b=c")
        assert headers_at_origin(edge).get("cf-access-authenticated-user-email") == "ada@example.com"
        identity = members(await browser.step("GET", f"{TEAM}{PREFIX}get-identity"))
        assert identity.members["saml_attributes"] == {"department": "R&D", "groups": ["Eng", "Ops"]}
        assert identity.members["groups"] == ["Eng", "Ops"]
        assert identity.members["idp"] == {"id": "idp-1", "type": "saml"}


async def test_a_policy_asks_for_the_value_of_an_attribute() -> None:
    rule: JSON = {"name": "R&D", "decision": "allow", "include": [RULE]}
    async with _edge(rule) as edge:
        browser = Browser(edge)
        request = request_of(await _leave(browser))
        answer = Answer(str(request.get("ID")), edge.clock.now(), department="Sales")

        assert (await _return(browser, sign(answer.xml()))).status == 403


async def test_a_response_counts_once() -> None:
    async with _edge() as edge:
        browser = Browser(edge)
        request = request_of(await _leave(browser))
        xml = sign(Answer(str(request.get("ID")), edge.clock.now()).xml())

        assert (await _return(browser, xml)).status == 200
        again = await _return(Browser(edge), xml)
        assert (again.status, "second time" in again.text) == (403, True)


async def test_a_response_that_no_one_asked_for_is_refused() -> None:
    async with _edge() as edge:
        for request_id, said in (("", "the provider sent it on its own"), ("_made_up", "answers no login")):
            reply = await _return(Browser(edge), sign(Answer(request_id, edge.clock.now()).xml()))
            assert (reply.status, said in reply.text) == (403, True)


async def test_a_login_ends_in_the_browser_that_it_began_in() -> None:
    """Login CSRF: the attacker's response in the victim's browser."""
    async with _edge() as edge:
        attacker, victim = Browser(edge), Browser(edge)
        await _leave(victim)
        request = request_of(await _leave(attacker))

        reply = await _return(victim, sign(Answer(str(request.get("ID")), edge.clock.now()).xml()))

        assert (reply.status, "cannot be finished" in reply.text) == (403, True)
        assert "CF_Authorization" not in victim.cookies.get("acme.cloudflareaccess.com", {})


async def test_a_login_that_took_too_long_begins_again() -> None:
    async with _edge() as edge:
        browser = Browser(edge)
        request = request_of(await _leave(browser))
        edge.clock.advance(601)

        reply = await _return(browser, sign(Answer(str(request.get("ID")), edge.clock.now()).xml()))

        assert reply.status == 403


async def test_a_refused_response_says_why_and_nothing_of_it_is_believed() -> None:
    async with _edge() as edge:
        browser = Browser(edge)
        request = request_of(await _leave(browser))
        xml = sign(Answer(str(request.get("ID")), edge.clock.now()).xml(), what="")

        reply = await _return(browser, xml)

        assert (reply.status, "neither the response nor its assertion is signed" in reply.text) == (403, True)


@pytest.mark.parametrize(
    "body",
    [
        "",
        "SAMLResponse=%%%",
        "SAMLResponse=a&SAMLResponse=b",
        "RelayState=x",
        pytest.param(f"SAMLResponse={'A' * 600_000}", id="too long"),
    ],
)
async def test_a_form_that_is_none_is_refused(body: str) -> None:
    async with _edge() as edge:
        assert (await Browser(edge).step("POST", CALLBACK, body=body)).status == 403


@pytest.mark.parametrize("email", ["", "nobody", "a@b@c", "ada@example.com, eve@example.com", "ada@exa mple.com"])
async def test_an_address_that_is_none_is_refused(email: str) -> None:
    async with _edge() as edge:
        browser = Browser(edge)
        request = request_of(await _leave(browser))

        reply = await _return(browser, sign(Answer(str(request.get("ID")), edge.clock.now(), email=email).xml()))

        assert (reply.status, "no e-mail address" in reply.text) == (403, True)


async def test_without_a_name_of_the_attribute_the_subject_is_the_address() -> None:
    async with _edge(email_attribute_name="") as edge:
        browser = Browser(edge)
        request = request_of(await _leave(browser))
        answer = Answer(str(request.get("ID")), edge.clock.now(), name_id="Bob@Example.com")

        assert (await _return(browser, sign(answer.xml()))).status == 200
        assert headers_at_origin(edge).get("cf-access-authenticated-user-email") == "bob@example.com"


async def test_attributes_go_into_fields_of_the_callback() -> None:
    wanted: JSON = [{"header_name": "X-Department", "attribute_name": "department"}]
    async with _edge(header_attributes=wanted) as edge:
        browser = Browser(edge)
        request = request_of(await _leave(browser))
        xml = sign(Answer(str(request.get("ID")), edge.clock.now()).xml())
        posted = await browser.step("POST", CALLBACK, body=urlencode({"SAMLResponse": encode(xml)}))

        reply = await browser.step("GET", f"{TEAM}{posted.headers.get('location')}")

        assert (reply.status, reply.headers.get("x-department")) == (303, "R&D")


async def test_a_request_is_signed_with_the_key_that_the_metadata_show() -> None:
    async with _edge(sign_request=True, force_authn=True) as edge:
        address = await _leave(Browser(edge))
        query, _, signature = urlsplit(address).query.partition("&Signature=")
        assert request_of(address).get("ForceAuthn") == "true"
        document = (await edge.fetch(f"{TEAM}{PREFIX}idp-1/saml-metadata")).text
        shown = etree.fromstring(document.encode())
        keys = []
        for text in shown.iterfind(".//{http://www.w3.org/2000/09/xmldsig#}X509Certificate"):
            key = x509.load_der_x509_certificate(b64decode(text.text or "")).public_key()
            assert isinstance(key, rsa.RSAPublicKey)
            keys.append(key)

        value = b64decode(parse_qs(f"Signature={signature}")["Signature"][0])
        verified = 0
        for key in keys:
            try:
                key.verify(value, query.encode(), padding.PKCS1v15(), hashes.SHA256())
                verified += 1
            except Exception:  # noqa: BLE001  # the other key of the two
                continue
        assert (len(keys), verified) == (2, 1)
        assert shown.get("entityID") == CALLBACK
        service = shown.find(".//{urn:oasis:names:tc:SAML:2.0:metadata}AssertionConsumerService")
        assert service is not None
        assert service.get("Location") == CALLBACK


async def test_metadata_are_there_for_saml_providers_alone() -> None:
    async with _edge() as edge:
        assert (await edge.fetch(f"{TEAM}{PREFIX}saml-metadata")).status == 200
        assert (await edge.fetch(f"{TEAM}{PREFIX}idp-1/saml-metadata")).status == 200
        assert (await edge.fetch(f"{TEAM}{PREFIX}other/saml-metadata")).status == 404


async def test_the_edges_clock_decides() -> None:
    async with _edge() as edge:
        before = edge.clock.now()
        edge.clock.advance(400 * 86_400)
        browser = Browser(edge)
        request = request_of(await _leave(browser))

        assert (await _return(browser, sign(Answer(str(request.get("ID")), before).xml()))).status == 403


@pytest.mark.parametrize(
    ("config", "text"),
    [
        ({"idp_public_certs": ["MIIC"]}, "is not a certificate"),
        ({"sso_target_url": "idp.example.com"}, "is not a URL"),
        ({"header_attributes": [{"header_name": "Set-Cookie", "attribute_name": "a"}]}, "not the name of a header"),
        ({"header_attributes": [{"header_name": "Cf-Access-Jwt-Assertion", "attribute_name": "a"}]}, "not the name"),
        ({"issuer_url": ""}, "issuer_url"),
    ],
)
def test_a_mistake_in_the_configuration_is_told(config: dict[str, JSON], text: str) -> None:
    with pytest.raises(InvalidObject, match=text):
        parse_identity_provider(provider_config(**config))
