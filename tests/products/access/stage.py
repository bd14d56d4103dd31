"""An edge with Access in front of a shop, and a browser that goes through logins as people do."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from html import unescape
from urllib.parse import urlencode

from edgeworker.config import JSON, Config, Route, Worker, Zone
from edgeworker.messages import URL, Headers
from edgeworker.products.access.config import AccessConfig, ConfiguredObject, LocalIdentity
from edgeworker.products.access.json_object import JSONObject
from edgeworker.testing.calls import Reply
from edgeworker.testing.local import LocalEdge

TEAM = "https://acme.cloudflareaccess.com"
SHOP = "https://shop.example.com"
ORIGIN = "http://127.0.0.1:3000"
PREFIX = "/cdn-cgi/access/"

ALLOW_EXAMPLE: dict[str, JSON] = {"name": "staff", "decision": "allow", "include": [{"email_domain": "example.com"}]}
SERVICE: dict[str, JSON] = {"name": "ci", "decision": "non_identity", "include": [{"any_valid_service_token": {}}]}
ADA = LocalIdentity("ada@example.com", "Ada", ("Eng", "Ops"), {"department": "R&D"})
CI_SECRET = "s3cret-of-ci"
CI: dict[str, JSON] = {"name": "ci", "client_id": "ci.access", "client_secret": CI_SECRET}
CI_HEADERS = {"CF-Access-Client-Id": "ci.access", "CF-Access-Client-Secret": CI_SECRET}


def app(name: str, domain: str, *policies: JSON, **more: JSON) -> ConfiguredObject:
    value: dict[str, JSON] = {"name": name, "domain": domain, "policies": list(policies) or [ALLOW_EXAMPLE], **more}
    return ConfiguredObject("app", f"id-{name}", value, "edge.toml:1")


def access_of(*objects: ConfiguredObject, **more: object) -> AccessConfig:
    token = ConfiguredObject("service_token", "id-ci", CI, "edge.toml:2")
    config = AccessConfig("acme", TEAM, objects=(*objects, token), identities=(ADA,))
    return replace(config, **more)  # type: ignore[arg-type]


def edge_with(
    *objects: ConfiguredObject, routes: tuple[Route, ...] = (), workers: tuple[Worker, ...] = (), **more: object
) -> LocalEdge:
    config = Config(
        workers=workers,
        zones=(Zone("example.com", "z1", ORIGIN), Zone("other.test", "z2", ORIGIN)),
        routes=routes,
        products=(access_of(*objects, **more),),
        account_id="acc",
    )
    return LocalEdge(config)


@dataclass
class Browser:
    """Keeps cookies by host and path, follows redirects, and fills in forms. `trail` are the URLs it went through."""

    edge: LocalEdge
    ip: str = "192.0.2.1"
    cookies: dict[str, dict[str, str]] = field(default_factory=dict)
    trail: list[str] = field(default_factory=list)
    set_cookies: list[str] = field(default_factory=list)

    async def step(
        self, method: str, url: str, *, headers: Mapping[str, str] | None = None, body: str | None = None
    ) -> Reply:
        """One request without following."""
        target = URL.parse(url)
        fields = {"Accept": "text/html,*/*;q=0.8", **(headers or {})}
        jar = self.cookies.get(target.hostname, {})
        if jar:
            fields["Cookie"] = "; ".join(f"{name}={value}" for name, value in jar.items())
        if body is not None:
            fields["Content-Type"] = "application/x-www-form-urlencoded"
        reply = await self.edge.fetch(url, method=method, headers=fields, body=body, ip=self.ip)
        self.trail.append(url)
        for text in reply.headers.get_set_cookie():
            self.set_cookies.append(f"{target.hostname}: {text}")
            name, _, rest = text.partition("=")
            value = rest.partition(";")[0]
            jar = self.cookies.setdefault(target.hostname, {})
            if "Max-Age=0" in text:
                jar.pop(name, None)
            else:
                jar[name] = value
        return reply

    async def go(self, url: str, *, method: str = "GET", body: str | None = None) -> Reply:
        """Follows redirects to their end."""
        reply = await self.step(method, url, body=body)
        for _ in range(20):
            location = reply.headers.get("location")
            if reply.status not in (301, 302, 303) or location is None:
                return reply
            url = URL.parse(url).join(location).href
            reply = await self.step("GET", url)
        raise AssertionError(f"too many redirects: {self.trail}")

    async def submit(self, page: Reply, action: str, **fields: str) -> Reply:
        """Sends the page's form whose address begins with `/cdn-cgi/access/<action>/`."""
        target, values = form_of(page, action)
        return await self.go(
            URL.parse(self.trail[-1]).join(target).href, method="POST", body=urlencode({**values, **fields})
        )

    async def log_in(self, url: str, email: str = ADA.email, groups: str = "") -> Reply:
        page = await self.go(url)
        assert page.status == 200, page.text
        return await self.submit(page, "local", email=email, **({"groups": groups} if groups else {}))

    def token(self, host: str = "shop.example.com") -> str:
        return self.cookies[host]["CF_Authorization"]


def form_of(page: Reply, action: str) -> tuple[str, dict[str, str]]:
    """(its address, its hidden fields)."""
    for match in re.finditer(r'<form method="post" action="([^"]*)">(.*?)</form>', page.text, re.DOTALL):
        if f"{PREFIX}{action}/" in match[1]:
            hidden = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', match[2])
            return unescape(match[1]), {name: unescape(value) for name, value in hidden}
    raise AssertionError(f"no form {action} in {page.text}")


def headers_at_origin(edge: LocalEdge) -> Headers:
    """Of the last request that an origin got."""
    return edge.origin.requests[-1].headers


def members(reply: Reply) -> JSONObject:
    return JSONObject.of(reply.json())
