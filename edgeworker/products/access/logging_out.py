"""Who may end a session, and where a browser goes afterwards. Pure."""

from edgeworker.messages import URL, InvalidURL, Request
from edgeworker.products.access.directory import Snapshot
from edgeworker.products.access.login_links import may_return_to, query_of


def may_log_out(request: Request) -> bool:
    """A picture or a script on a page elsewhere must not log anyone out; going to the address may, from anywhere."""
    site = request.headers.get("sec-fetch-site")
    if site in (None, "none", "same-origin", "same-site"):
        return True
    return request.headers.get("sec-fetch-mode") == "navigate" and request.headers.get("sec-fetch-dest") == "document"


def return_address(request: Request, snapshot: Snapshot) -> str | None:
    """`returnTo`, where it is the team domain's, below it, or the host of an application; else None."""
    text = (query_of(request.url) or {}).get("returnTo", "")
    if not text.startswith(("http://", "https://")):
        return None
    try:
        url = URL.parse(text)
    except InvalidURL:
        return None
    organization = snapshot.organization
    allowed = may_return_to(
        text,
        issuer=organization.issuer,
        auth_domain=organization.auth_domain,
        is_application_host=snapshot.index.knows_host(url.hostname),
        hostname=url.hostname,
    )
    return url.href if allowed else None
