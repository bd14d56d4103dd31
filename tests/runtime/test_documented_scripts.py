"""Scripts in the manner of those in Cloudflare's documentation, most of them in JavaScript's spelling."""

from pathlib import Path

import pytest

from edgeworker.bindings import SecretBinding
from edgeworker.config import Config, Worker
from edgeworker.testing import Edge
from edgeworker.testing.origin_rules import OriginRequest

SCRIPTS = Path(__file__).parent / "examples" / "documented"
FORM = {"content-type": "application/x-www-form-urlencoded"}


def edge(name: str, *, secret: str = "s3cret", date: str = "2024-03-20") -> Edge:
    worker = Worker(
        name,
        SCRIPTS / f"{name}.py",
        (SecretBinding("SECRET", secret),),
        compatibility_date=date,
        compatibility_flags=("python_workers",),
    )
    return Edge(Config(workers=(worker,), default_worker=name, default_on_every_host=True))


def test_the_cache_keeps_an_answer_for_ten_seconds() -> None:
    with edge("cache_api") as site:
        site.origin.on("/page", body="page")

        replies = [site.get("https://a.example/page") for _ in range(2)]
        assert [reply.text for reply in replies] == ["page", "page"]
        assert len(site.origin.requests) == 1
        site.clock.advance(10)
        site.get("https://a.example/page")
        assert len(site.origin.requests) == 2


def test_answers_to_posts_are_kept_by_their_bodies() -> None:
    with edge("cache_post") as site:
        site.origin.on("/api", lambda request: request.body, headers={"cache-control": "max-age=60"})
        site.origin.on("/api", body="kept", headers={"cache-control": "max-age=60"})

        for body in (b"one", b"two", b"one"):
            assert site.post("https://a.example/api", body=body).text == "kept"
        assert [request.body for request in site.origin.requests] == [b"one", b"two"]


def test_fields_of_a_copy_are_set_as_items() -> None:
    with edge("cache_fetch") as site:
        site.origin.on("/x", body="x", headers={"Cache-Control": "no-store"})

        assert site.get("https://a.example/x").headers.get("cache-control") == "max-age=1500"


def test_a_proxy_adds_cors() -> None:
    with edge("cors_proxy") as site:
        site.origin.on("https://api.example.com/demo", lambda request: request.headers.get("origin") or "none")
        site.origin.on("https://other.example/x", body="other")

        default = site.get("https://a.example/corsproxy/", headers={"origin": "https://a.example"})
        assert (default.text, default.headers.get("vary")) == ("https://api.example.com", "Origin")
        assert site.get("https://a.example/corsproxy/?apiurl=https://other.example/x").text == "other"
        asked = {"origin": "https://o.example", "access-control-request-headers": "x-a"}
        preflight = site.options("https://a.example/corsproxy/", headers=asked)
        assert preflight.headers.get("access-control-allow-headers") == "x-a"
        assert site.options("https://a.example/corsproxy/").headers.get("allow") == "GET, HEAD, POST, OPTIONS"
        refused = site.put("https://a.example/corsproxy/")
        assert (refused.status, refused.status_text) == (405, "Method Not Allowed")
        assert site.get("https://a.example/").text == "<h1>demo</h1>"


def test_failures_of_the_origin_are_logged_elsewhere() -> None:
    with edge("debug_logs") as site:
        site.origin.on("/bad", body="broken origin", status=503)
        log = site.origin.on("https://log.example.com/", body="")

        reply = site.get("https://a.example/bad")
        assert reply.status == 503
        assert reply.headers.get("x-debug-err") == "Bad response at origin. Status:503 Body:broken ori"
        assert "Traceback" in (reply.headers.get("x-debug-stack") or "")
        site.run(site.settle())
        assert log.requests[0].body == b"Bad response at origin. Status:503 Body:broken ori"


@pytest.mark.parametrize(
    ("url", "headers", "ip", "text"),
    [
        ("https://nope.example.com/", {}, "192.0.2.1", "Blocked Host"),
        ("https://a.example.com/x.doc", {}, "192.0.2.1", "Blocked Extension"),
        ("https://a.example.com/", {"user-agent": "a bot"}, "192.0.2.1", "Block User Agent containing bot"),
        ("https://a.example.com/", {}, "192.0.2.66", "Block the IP"),
        ("https://a.example.com/", {"cf-device-type": "x"}, "192.0.2.1", "from the origin"),
    ],
)
def test_conditions_on_a_request(url: str, headers: dict[str, str], ip: str, text: str) -> None:
    with edge("conditional", date="2026-08-01") as site:
        site.origin.on("/*", body="from the origin")

        assert site.get(url, headers=headers, ip=ip).text == text


def test_links_are_rewritten_in_pages_only() -> None:
    page = '<a href="https://old.example.com/x">a</a><a>b</a><img src="//old.example.com/i.png">'
    with edge("rewrite_links") as site:
        site.origin.on("/page", body=page, headers={"content-type": "text/html"})
        site.origin.on("/text", body=page, headers={"content-type": "text/plain"})

        assert site.get("https://a.example/page").text == page.replace("old", "new")
        assert site.get("https://a.example/text").text == page


def test_urls_are_signed_for_a_minute() -> None:
    with edge("signed_urls") as site:
        site.origin.on("https://example.com/file", body="the file")

        signed = "https://a.example" + site.get("https://a.example/generate/file").text
        assert site.get("https://a.example/file").text == "Missing query parameter"
        assert site.get(signed).text == "the file"
        assert site.get(signed.replace("/file", "/other")).text == "Invalid MAC"
        site.clock.advance(61)
        assert site.get(signed).text.startswith("URL expired at: ")


def test_a_promise_that_is_answered_is_waited_for() -> None:
    with edge("images") as site:
        site.origin.on("https://images.example.net/hash/x/public", body="image")

        assert site.get("https://a.example/x/public").text == "image"


def test_hosts_have_other_origins() -> None:
    with edge("origins") as site:
        site.origin.on("https://b.example.net/x", lambda request: f"{request.method} {request.body.decode()}")
        site.origin.on("/x", body="same")

        assert site.post("https://a.example.com/x", body=b"sent").text == "POST sent"
        assert site.get("https://c.example.com/x").text == "same"


def test_bodies_of_every_kind_are_read() -> None:
    with edge("read_post") as site:
        assert site.post("/", json={"a": [1]}).text == 'The request body sent in was {"a":[1]}'
        assert site.post("/", body=b"a=1&b=2", headers=FORM).text == 'The request body sent in was {"a":"1","b":"2"}'
        assert (
            site.post("/", body=b"x", headers={"content-type": "text/plain"}).text == "The request body sent in was x"
        )
        assert site.get("/form").headers.get("content-type") == "text/html;charset=UTF-8"


def test_two_answers_are_gathered() -> None:
    with edge("gather_json") as site:
        site.origin.on("https://api.example.com/1", lambda request: request.body, headers=None)
        site.origin.on("https://api.example.com/1", json={"a": 1})
        site.origin.on("https://api.example.com/2", body="text", headers={"content-type": "text/plain"})

        reply = site.get("/")
        assert reply.text == '{"a":1}|text'
        assert (reply.headers.get("content-type") or "").startswith("application/json")


def test_fields_are_added_and_removed_as_items() -> None:
    with edge("security_headers") as site:
        site.origin.on("/page", body="x", headers={"content-type": "text/html", "x-powered-by": "y"})
        site.origin.on("/data", body="x", headers={"content-type": "text/plain", "x-powered-by": "y"})

        page, data = site.get("https://a.example/page"), site.get("https://a.example/data")
        assert (page.headers.get("x-frame-options"), page.headers.get("x-powered-by")) == ("DENY", None)
        assert (data.headers.get("x-frame-options"), data.headers.get("x-powered-by")) == (None, "y")


def _told(request: OriginRequest) -> str:
    names = ("x-one", "x-example", "content-type", "x-form")
    return f"{request.method} {request.path}{request.query} {[request.headers.get(name) for name in names]}"


def test_a_request_is_changed_before_it_is_sent() -> None:
    with edge("modify_request") as site:
        site.origin.on("https://bar.example.com/api.js?q=1", _told)

        assert site.get("/").text == "POST /api.js?q=1 ['1', 'bar', 'application/json', '1']"


@pytest.mark.parametrize(("token", "status"), [("s3cret", 200), ("s3cre!", 401), ("x", 401), ("", 401)])
def test_a_token_is_compared_in_constant_time(token: str, status: int) -> None:
    with edge("timing_attack") as site:
        assert site.get("/", headers={"authorization": token} if token else {}).status == status
