"""The consent page of an authorization request. Pure except for the cookies of the context."""

from issuer import auth_pages, authorization_decision, csrf, pages
from issuer.authorization_request import AuthorizationRequest
from issuer.endpoint_response import EndpointResponse
from issuer.form_parameters import Parameters
from issuer.page_context import PageContext, SignedIn, app, person


def consent_page(
    context: PageContext, request: AuthorizationRequest, signed_in: SignedIn, *, notice: str = "", status: int = 200
) -> EndpointResponse:
    """`notice` says why the page is shown once more."""
    client, uri = request.target.client, request.target.redirect_uri
    again = Parameters({"prompt": (" ".join(sorted({"login", *request.prompt})),)})
    without_prompt = "&".join(pair for pair in request.query.split("&") if not pair.startswith("prompt="))
    other = "&".join(filter(None, [without_prompt, again.query(["prompt"])]))
    text = auth_pages.consent(
        context.frame,
        pages.PostForm(
            context.path("/code", request.query), csrf.token(signed_in.session_id, "consent", request.query)
        ),
        app=app(client, uri),
        who=person(signed_in.user),
        permissions=[context.settings.scopes[name] for name in request.scope],
        resource=request.resource,
        other=context.path("/login", other),
        remembered=authorization_decision.is_remembered(request),
        notice=notice,
    )
    return context.page(text, status=status, form_source=request.target.form_sources)
