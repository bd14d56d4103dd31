"""Scripts in the manner of those that people publish: each runs unchanged and answers what it must."""

import base64
import json
import re
from collections.abc import Callable
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from jwt.algorithms import RSAAlgorithm

from edgeworker.bindings import KVBinding, SecretBinding, ServiceBinding, TextBinding
from edgeworker.config import Binding, Config, Worker
from edgeworker.testing import Edge
from edgeworker.testing.calls import Reply
from edgeworker.testing.origin_rules import OriginRequest

SCRIPTS = Path(__file__).parent / "examples" / "public"
FORM = {"content-type": "application/x-www-form-urlencoded"}
DISCORD = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


def edge(*names: str, bindings: tuple[Binding, ...] = (), date: str = "2026-08-01") -> Edge:
    """The first script answers every request; the others are reached by service bindings."""
    workers = tuple(
        Worker(
            name,
            SCRIPTS / f"{name}.py",
            (KVBinding("KV", "kv"), *bindings),
            compatibility_date=date,
            compatibility_flags=("python_workers",),
            crons=("0 0 * * *",) if name == "scheduled_report" else (),
        )
        for name in names
    )
    return Edge(Config(workers=workers, default_worker=names[0], default_on_every_host=True))


def old(name: str) -> Edge:
    return edge(name, date="2024-03-20")


def test_a_fastapi_application_with_everything_that_tutorials_use() -> None:
    with edge("fastapi_app") as site:
        assert site.get("/").text == "<h1>Demo</h1><li>a</li><li>b</li>"
        assert site.put("/items/3", json={"name": "x", "price": 1.5}).json() == {"name": "x", "price": 1.5, "tags": []}
        assert site.put("/items/3", json={"name": "", "price": 1.5}).status == 422
        assert site.get("/items/3?q=ab").json(dict)["item_id"] == 3
        missing = site.get("/items/4")
        assert (missing.status, missing.headers.get("x-error")) == (404, "missing")
        cookies = site.get(
            "/headers", headers={"user-agent": "t", "cookie": "session=s1", "origin": "https://o.example"}
        )
        assert cookies.json() == {"agent": "t", "session": "s1"}
        assert len(cookies.headers.get_set_cookie()) == 2
        assert cookies.headers.get("access-control-allow-origin") == "*"
        assert site.get("/stream").text == "data: 0\n\ndata: 1\n\ndata: 2\n\n"
        assert (site.get("/old").status, site.get("/old").headers.get("location")) == (308, "/")
        assert site.post("/background").json() == {"queued": True}
        site.run(site.settle())
        assert site.get("/notes").json() == ["noted"]
        state = site.get("/state").json(dict)
        assert (state["started"], state["greeting"], state["client"]) == (True, "hi", None)
        failed = site.get("/fail")
        assert (failed.status, failed.json(), failed.headers.get("x-process")) == (418, {"message": "broken"}, "yes")
        asked = {"origin": "https://o.example", "access-control-request-method": "PUT"}
        assert site.options("/items/3", headers=asked).text == "OK"
        assert "swagger" in site.get("/docs").text
        assert "/items/{item_id}" in site.get("/openapi.json").json(dict)["paths"]


def test_a_todo_list_in_kv() -> None:
    with edge("kv_todo") as site:
        made = site.post("/todos", json={"title": "a"})
        number = made.json(dict)["id"]
        site.post("/todos", json={"title": "b"})
        assert (made.status, made.headers.get("access-control-allow-origin")) == (201, "*")
        assert site.post("/todos", json={}).status == 400
        listed = site.get("/todos?limit=1").json(dict)
        assert (len(listed["todos"]), listed["todos"][0]["meta"], listed["complete"]) == (1, False, False)
        assert site.get(f"/todos/{number}").json() == {"todo": "a", "done": False}
        assert site.delete(f"/todos/{number}").status == 200
        assert site.get(f"/todos/{number}").status == 404
        site.clock.advance(3600)
        assert site.get("/todos").json(dict)["todos"] == []
        assert site.options("/todos").status == 204


def test_a_shortener_of_urls_in_the_old_style() -> None:
    with old("url_shortener") as site:
        made = site.post("https://s.example/", json={"url": "https://x.example/", "slug": "abc"})
        assert (made.status, made.text) == (201, '{"short":"https://s.example/abc","long":"https://x.example/"}')
        found = site.get("/abc")
        assert (found.status, found.headers.get("location")) == (301, "https://x.example/")
        assert re.fullmatch("[a-z]{6}", site.post("/", json={"url": "https://x.example/"}).headers.get("x-slug") or "")
        site.clock.advance(60)
        assert (site.get("/abc").status, site.get("/abc").text) == (404, "Unknown: abc")


def test_a_bot_of_discord_verifies_signatures() -> None:
    body = json.dumps({"type": 2, "data": {"name": "hi"}}).encode()
    headers = {"X-Signature-Ed25519": DISCORD.sign(b"123" + body).hex(), "X-Signature-Timestamp": "123"}
    key = SecretBinding("DISCORD_PUBLIC_KEY", DISCORD.public_key().public_bytes_raw().hex())
    with edge("discord_bot", bindings=(key,)) as site:
        assert site.post("/", body=body, headers=headers).json() == {"type": 4, "data": {"content": "Hello from /hi"}}
        assert site.post("/", body=body, headers={**headers, "X-Signature-Timestamp": "124"}).status == 401
        assert site.post("/", body=body).text == "missing signature"


def test_tokens_are_signed_and_verified_with_webcrypto() -> None:
    key = generate_private_key(65537, 2048)
    jwk = TextBinding("JWK", RSAAlgorithm.to_jwk(key.public_key()))
    with edge("jwt_webcrypto", bindings=(SecretBinding("SECRET", "s3cret"), jwk)) as site:

        def shown(token: str) -> Reply:
            return site.get("/", headers={"authorization": f"Bearer {token}"})

        token = site.post("/", json={"sub": "x"}).text
        assert shown(token).json() == {"sub": "x"}
        assert shown(token[:-4] + "AAAA").status == 401
        assert shown(jwt.encode({"sub": "y"}, key, "RS256")).json() == {"sub": "y"}


def test_streams_of_every_kind() -> None:
    with edge("sse_stream") as site:
        site.origin.on("https://api.example.com/v1/chat", body=[b"one", b"two"])

        events = site.get("/transform")
        assert events.text == 'data: {"n": 0}\n\ndata: {"n": 1}\n\ndata: {"n": 2}\n\n'
        assert events.headers.get("content-type") == "text/event-stream"
        assert site.get("/readable").text == "one two three"
        assert site.get("/upstream").text == "one|two"
        assert site.get("/through").text == "ONETWO"
        assert site.post("/reader", body=[b"a\xc3", b"\xa9"]).text == "AÉ"
        assert site.post("/tee", body=[b"ab", b"c"]).text == "abc 3"


def _echo(request: OriginRequest) -> bytes:
    headers = {name: value for name, value in request.headers.entries() if name.startswith(("x-a", "x-f", "auth"))}
    return json.dumps({"body": request.body.decode(), "headers": headers, "method": request.method}).encode()


def test_a_client_of_other_services() -> None:
    with edge("http_client", bindings=(SecretBinding("TOKEN", "t"),)) as site:
        for name in "abcd":
            site.origin.on(f"https://api.example.com/{name}*", json={"name": name})
        site.origin.on("https://api.example.com/echo", _echo)
        site.origin.fail("https://down.example.com/", 521)

        assert site.get("/gather").json() == ["a", "b", "c", "d"]
        posted = site.get("/post").json(dict)
        assert (posted["status"], posted["ok"], posted["none"]) == (200, True, "default")
        assert json.loads(posted["text"])["headers"] == {"authorization": "Bearer t"}
        one, two, status, _ = site.get("/js_post").json(list)
        assert json.loads(one) == {"body": "plain", "headers": {}, "method": "POST"}
        assert json.loads(two)["headers"] == {"x-a": "1"}
        assert status == 200
        assert len(site.get("/failed").json(list)) == 2
        assert site.get("/httpx").json() == [{"name": "a"}, 200, '{"a":1}']
        forwarded = site.post("/forward", body=b"b", headers={"x-a": "1"}).json(dict)
        assert (forwarded["body"], forwarded["method"], forwarded["headers"]["x-forwarded-by"]) == (
            "b",
            "POST",
            "worker",
        )


MULTIPART = (
    b'--B\r\nContent-Disposition: form-data; name="name"\r\n\r\n<x>\r\n'
    b'--B\r\nContent-Disposition: form-data; name="file"; filename="f.txt"\r\nContent-Type: text/plain\r\n\r\n'
    b"abc\r\n--B--\r\n"
)


def test_forms_uploads_and_cookies() -> None:
    with edge("forms") as site:
        site.origin.on(
            "https://api.example.com/form", lambda request: b"copy" if b'name="copy"' in request.body else b""
        )

        page = site.get("/", headers={"cookie": "seen=3"})
        assert page.headers.get_set_cookie() == ["seen=4; Path=/; HttpOnly", "theme=dark"]
        assert site.post("/raw", body=b"a=1&a=2", headers=FORM).json() == {"a": ["1", "2"]}
        told = site.post("/", body=b"name=x&b=2", headers=FORM).json()
        assert told == {"fields": [["name", "x"], ["b", "2"]], "upstream": "copy"}
        sent = site.post("/", body=MULTIPART, headers={"content-type": "multipart/form-data; boundary=B"})
        assert sent.json() == {"name": "&lt;x&gt;", "file": "f.txt", "type": "text/plain", "size": 3}


def test_forms_in_the_old_style() -> None:
    with old("old_forms") as site:
        told = site.post("/", body=b"name=x&tag=1&tag=2", headers=FORM).json(dict)
        assert told == {
            "name": "x", "missing": None, "has": True, "all": ["1", "2"], "keys": ["name", "tag", "tag"], "entry": "x",
        }  # fmt: skip
        text = site.post("/", body=b"a=1&b=2", headers={"content-type": "text/plain"}).text
        assert text == "{'a': '1', 'b': '2'} a=1&b=2&z=1+2 None"


def test_where_a_request_comes_from() -> None:
    with edge("geo") as site:
        told = site.get("/", ip="192.0.2.7").json(dict)
        assert (told["country"], told["city"], told["colo"], told["ip"]) == ("US", "Austin", "DFW", "192.0.2.7")
        assert (told["missing"], told["tls"], told["keys"]) == (None, "0", True)
        assert site.get("/", cf={"country": "DE"}).headers.get("location") == "https://example.com/de"


def test_a_page_is_kept_in_the_cache() -> None:
    with edge("cached_page") as site:
        site.origin.on("https://origin.example/page", body="page")

        first, second = site.get("https://a.example/x"), site.get("https://a.example/x")
        assert [reply.headers.get("cf-cache-status") for reply in (first, second)] == [None, "HIT"]
        assert len(site.origin.requests) == 1
        site.clock.advance(10)
        assert site.get("https://a.example/x").headers.get("cf-cache-status") is None


def test_an_endpoint_for_web_sockets_refuses_other_requests() -> None:
    with old("chat_socket") as site:
        assert site.get("/").status == 426


def test_a_password_at_the_door() -> None:
    with edge("basic_auth", bindings=(SecretBinding("PASSWORD", "pw"),)) as site:

        def status(user: bytes) -> int:
            return site.get("/", headers={"authorization": f"Basic {base64.b64encode(user).decode()}"}).status

        assert site.get("/").headers.get("www-authenticate") == 'Basic realm="x"'
        assert [status(user) for user in (b"admin:pw", b"admin:wp")] == [200, 403]


def test_two_versions_of_a_page() -> None:
    with old("ab_test") as site:
        site.origin.on("/control/page", body="c")
        site.origin.on("/test/page", body="t")

        assert site.get("https://a.example/page").text == "c"
        other = site.get("https://a.example/page", headers={"cookie": "experiment-0=test"})
        assert (other.text, other.headers.get_set_cookie()) == ("t", ["experiment-0=control; path=/"])


def test_workers_call_each_other() -> None:
    bindings = (
        ServiceBinding("SERVICE", "rpc_service"),
        ServiceBinding("NAMED", "rpc_service", "Admin", {"user": "u"}),
    )
    with edge("rpc_caller", "rpc_service", bindings=bindings) as site:
        assert site.get("/").json() == {
            "total": 3,
            "named": "Hej, Ann",
            "data": {"given": {"a": [1, {"b": None}]}, "kind": "JsDict", "text": None},
            "attribute": None,
            "binary": [99, 98, 97],
            "answer": "POST https://service/hello x",
            "page": "a page",
            "failed": "no luck",
            "props": {"who": "u"},
        }


def test_a_report_at_midnight() -> None:
    with edge("scheduled_report") as site:
        site.origin.on("https://hooks.example.com/", body="")

        assert site.get("/").text == "never"
        site.run(site.cron("0 0 * * *"))
        assert site.get("/").text == "0 0 * * *"
        assert json.loads(site.origin.requests[-1].body) == {"cron": "0 0 * * *"}
        site.clock.advance(120)
        assert site.get("/").text == "never"


def test_the_globals_that_scripts_use_here_and_there() -> None:
    with edge("random_things") as site:
        told = site.get("/").json(dict)

    assert told.pop("scheduler") is None
    assert {name: value for name, value in told.items() if value is True} == dict.fromkeys(
        ("random", "uuid", "now", "null", "nan"), True
    )
    assert {name: told[name] for name in ("hex", "digest", "memory")} == dict.fromkeys(
        ("hex", "digest", "memory"), "ba7816bf"
    )
    assert told["object"] == '{"name":"n","count":2}'
    assert (told["words"], told["array"], told["proxy"]) == ([2, 8, 4], [1, "x", ["x"], ["x"]], [True, False])
    assert (told["iso"], told["shared"], told["json"], told["global"]) == (1709208000000, 7, 1, "[1]")


PAGES: list[tuple[str, Callable[[Edge], Reply], str]] = [
    ("/", lambda site: site.get("/"), "<p>&lt;Ann&gt;</p>Kind.A1.10"),
    ("/csv", lambda site: site.get("/csv"), '"a,b",a\r\n'),
    ("/xml", lambda site: site.get("/xml"), "<rss><title>&lt;T&gt;</title></rss>"),
    ("/sqlite", lambda site: site.get("/sqlite"), "2"),
    ("/self", lambda site: site.get("/self"), "import csv"),
    ("put", lambda site: site.put("/"), ""),
]


@pytest.mark.parametrize(("name", "ask", "text"), PAGES, ids=[name for name, _, _ in PAGES])
def test_pages_with_what_pythons_library_has(name: str, ask: Callable[[Edge], Reply], text: str) -> None:
    with edge("templates") as site:
        assert ask(site).text == text
