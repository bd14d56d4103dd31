import pytest

from edgeworker.messages import URL, Request
from edgeworker.server.redirect import RedirectToHTTPS

HOSTS = {"example.com", "[::1]", "xn--bcher-kva.example"}


@pytest.mark.parametrize(
    ("port", "url", "location"),
    [
        (443, "http://example.com/a/b?c=%2F&d", "https://example.com/a/b?c=%2F&d"),
        (8443, "http://example.com:8787/", "https://example.com:8443/"),
        (443, "http://[::1]:80/x", "https://[::1]/x"),
        (443, "http://bücher.example/ü?ü", "https://xn--bcher-kva.example/%C3%BC?%C3%BC"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_the_same_url_is_at_https(method: str, port: int, url: str, location: str) -> None:
    response = await RedirectToHTTPS(HOSTS, port=port).fetch(Request(method, URL.parse(url)))

    assert (response.status, response.headers.get("location")) == (308, location)


@pytest.mark.parametrize("url", ["http://evil.example/", "http://example.com.evil.example/", "http://10.0.0.1/"])
async def test_no_one_is_sent_to_a_host_that_is_not_served(url: str) -> None:
    response = await RedirectToHTTPS(HOSTS, port=443).fetch(Request("GET", URL.parse(url)))

    assert (response.status, response.headers.get("location")) == (421, None)


async def test_an_acme_authority_is_answered_over_http_and_no_one_else() -> None:
    challenges = {"token": b"token.key"}
    redirect = RedirectToHTTPS(HOSTS, port=443, find_challenge=challenges.get)
    url = "http://new.example/.well-known/acme-challenge/"

    answered = await redirect.fetch(Request("GET", URL.parse(f"{url}token")))
    posted = await redirect.fetch(Request("POST", URL.parse(f"{url}token")))
    unknown = await redirect.fetch(Request("GET", URL.parse(f"{url}other")))
    own = await redirect.fetch(Request("GET", URL.parse("http://example.com/.well-known/acme-challenge/other")))

    assert answered.status == 200
    assert answered.body is not None
    assert await answered.body.read() == b"token.key"
    assert (posted.status, unknown.status, own.status) == (421, 421, 308)
