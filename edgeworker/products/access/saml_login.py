"""A login at a SAML identity provider: an authentication request there, and a signed response back.

The response comes as a POST from the provider's site, to which browsers give no SameSite=Lax cookie. So it is verified
and stored first, and the browser is redirected to a GET, which proves that the login was begun in this browser.
"""

import asyncio
import hmac
import logging
import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from edgeworker.config import JSON
from edgeworker.messages import Headers, Request, Response
from edgeworker.products.access import cookies, pages, replies, saml_messages
from edgeworker.products.access.config import IdentityProvider, SAMLSettings
from edgeworker.products.access.directory import Snapshot
from edgeworker.products.access.issuing import secret_hash
from edgeworker.products.access.login import LoginFlow, RoundTrip, read_form
from edgeworker.products.access.login_links import PREFIX, query_of
from edgeworker.products.access.policy import Identity
from edgeworker.products.access.services import AccessServices
from edgeworker.products.access.sessions import identity_json, identity_of, is_email

if TYPE_CHECKING:
    from edgeworker.products.access.saml_response import Assertion

_log = logging.getLogger(__name__)

_REQUEST_SECONDS: Final = 600
_ANSWER_SECONDS: Final = 60
_MAX_FORM_BYTES: Final = 524_288  # base64 and percent-encoding around a response
_MAX_VALUE: Final = 4096


class SAMLLogin:
    def __init__(self, services: AccessServices, flow: LoginFlow) -> None:
        self._services = services
        self._flow = flow

    @staticmethod
    def callback(snapshot: Snapshot) -> str:
        return f"{snapshot.organization.issuer}{PREFIX}callback"

    async def begin(
        self, trip: RoundTrip, provider: IdentityProvider, saml: SAMLSettings, snapshot: Snapshot
    ) -> Response:
        """Redirect to the provider."""
        now = self._services.clock.now()
        request_id = f"_{secrets.token_hex(20)}"
        value = trip.document(provider)
        await self._services.documents.put(
            "saml_request", secret_hash(request_id), value, expires_at=now + _REQUEST_SECONDS
        )
        text = saml_messages.authentication_request(
            saml, request_id=request_id, callback=self.callback(snapshot), now=now
        )
        key = snapshot.keys.current.private if saml.sign_request else None
        return replies.redirect(
            saml_messages.redirect_address(saml.sso_target_url, text, relay_state=request_id, key=key)
        )

    def metadata(self, provider: IdentityProvider | None, snapshot: Snapshot) -> Response:
        """Of one provider, or what holds for all of them."""
        certificates = tuple(key.certificate for key in snapshot.keys.published_keys(self._services.clock.now()))
        signs = provider is not None and provider.saml is not None and provider.saml.sign_request
        text = saml_messages.metadata(callback=self.callback(snapshot), certificates=certificates, signs_requests=signs)
        fields = {"Content-Type": "application/samlmetadata+xml", "Cache-Control": "private, no-store"}
        return Response(200, Headers(fields), text.encode())

    async def receive(self, request: Request, snapshot: Snapshot) -> Response:
        """POST /cdn-cgi/access/callback: a response, from any browser."""
        from edgeworker.products.access.saml_response import InvalidSAMLResponse, answered_request, parse, verify

        form = await read_form(request, limit=_MAX_FORM_BYTES)
        name = "a SAML identity provider"
        try:
            if form is None or "SAMLResponse" not in form:
                raise InvalidSAMLResponse("the form has no SAMLResponse")
            root = await asyncio.to_thread(parse, form["SAMLResponse"])
            request_id = answered_request(root)
            if not request_id:
                raise InvalidSAMLResponse(
                    "the provider sent it on its own (no InResponseTo), which is not emulated; begin at the application"
                )
            # Taken before it is verified: a response counts once, and the second time there is no request to answer.
            document = await self._services.documents.take("saml_request", secret_hash(request_id))
            if document is None:
                raise InvalidSAMLResponse("it answers no login that was begun here, or the second time")
            provider = snapshot.providers.get(str(document.value.get("provider")))
            if provider is None or provider.saml is None:
                raise InvalidSAMLResponse("the identity provider was removed meanwhile")
            name, callback, now = provider.name, self.callback(snapshot), self._services.clock.now()
            assertion = await asyncio.to_thread(
                verify, root, provider.saml, request_id=request_id, callback=callback, now=now
            )
            identity = identity_of_assertion(assertion, provider, provider.saml)
        except InvalidSAMLResponse as error:
            _log.warning("Access: the response of %s is refused: %s", name, error)
            return pages.message_page(
                "The login failed",
                f"The response of {name} is refused: {error}. Open the application again.",
                team=snapshot.organization.name,
                status=403,
            )
        answer = secrets.token_urlsafe(32)
        headers: dict[str, JSON] = {
            name: ", ".join(assertion.attributes[attribute])[:_MAX_VALUE]
            for name, attribute in provider.saml.header_attributes
            if assertion.attributes.get(attribute)
        }
        value = {**document.value, "identity": identity_json(identity), "headers": headers}
        await self._services.documents.put("saml_answer", secret_hash(answer), value, expires_at=now + _ANSWER_SECONDS)
        return replies.redirect(f"{PREFIX}callback?saml={answer}", status=303)

    async def finish(self, request: Request, snapshot: Snapshot) -> Response:
        """GET /cdn-cgi/access/callback?saml=...: the same browser that left."""
        answer = (query_of(request.url) or {}).get("saml", "")
        document = await self._services.documents.take("saml_answer", secret_hash(answer)) if answer else None
        value: Mapping[str, JSON] = {} if document is None else document.value
        shown = [secret_hash(item) for item in cookies.values_of(request.credentials.cookie, cookies.SESSION)]
        browser, described = str(value.get("browser", "")), value.get("identity")
        # Otherwise login CSRF would be possible.
        if not isinstance(described, dict) or not any(hmac.compare_digest(item, browser) for item in shown):
            text = "It took too long, was finished already, or was begun in another browser."
            return pages.message_page(
                "This login cannot be finished", text, team=snapshot.organization.name, status=403
            )
        response = await self._flow.end_round_trip(request, value, identity_of(described), snapshot)
        headers = value.get("headers")
        for name, shown_value in headers.items() if isinstance(headers, dict) else ():
            if isinstance(shown_value, str) and shown_value.isascii() and shown_value.isprintable():
                response.headers.set(name, shown_value)
        return response


def identity_of_assertion(assertion: "Assertion", provider: IdentityProvider, saml: SAMLSettings) -> Identity:
    """The configured attributes are what rules ask about, and tokens have as `custom`. Raises InvalidSAMLResponse."""
    from edgeworker.products.access.saml_response import InvalidSAMLResponse

    name = saml.email_attribute_name
    values = assertion.attributes.get(name, ()) if name else (assertion.name_id,)
    email = values[0].lower() if len(values) == 1 else ""
    if not is_email(email):
        where = f'the attribute "{name}"' if name else "NameID (configure email_attribute_name)"
        raise InvalidSAMLResponse(f"it has no e-mail address in {where}")
    attributes: dict[str, JSON] = {}
    groups: list[JSON] = []
    for attribute in saml.attributes:
        found = assertion.attributes.get(attribute, ())
        if not found or sum(map(len, found)) > _MAX_VALUE:
            continue
        attributes[attribute] = found[0] if len(found) == 1 else list(found)
        if attribute.lower() == "groups":
            groups = list(found)
    return Identity(
        email=email,
        user_uuid="",
        provider_id=provider.id,
        provider_type=provider.type,
        name=next(iter(assertion.attributes.get("displayName", ())), ""),
        groups=tuple(groups),
        saml_attributes=attributes,
        custom=attributes,
    )
