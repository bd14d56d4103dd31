"""The path of a request through routes, workers and origins, with scripts as files and no socket."""

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from edgeworker.config import Config, CustomDomain, Limits, Route, Worker, Zone
from edgeworker.messages import URL, Body, Client, Headers, Request, Response
from tests.cycles import no_error_keeps_itself
from tests.edge.making import Made, is_down, make

ORIGIN = "http://127.0.0.1:3000"
ZONE = Zone("example.com", "z1", origin=ORIGIN)
CONFIG = Config(
    zones=(ZONE, Zone("other.test", "z2")),
    routes=(
        Route("example.com/w/*", "w", zone="example.com"),
        Route("example.com/w/raw/*", None, zone="example.com"),
    ),
)
PASS = "async def fetch(self, request):\n    return await fetch(request)"


async def _made(tmp_path: Path, script: str, config: Config = CONFIG, **answers: object) -> Made:
    return await make(tmp_path, config, {"w": script}, **answers)  # type: ignore[arg-type]  # passed on as they are


async def test_a_route_runs_its_worker_which_sees_the_true_url(tmp_path: Path) -> None:
    made = await _made(tmp_path, "async def fetch(self, request):\n    return Response(request.url)")

    response, text = await made.get("https://example.com/w/x?y=z")

    assert (response.status, text) == (200, "https://example.com/w/x?y=z")
    assert response.served_by == "w"
    assert (response.headers.get("cf-ray") or "").endswith("-LOC")


async def test_what_no_route_takes_goes_to_the_zones_origin_as_it_is(tmp_path: Path) -> None:
    made = await _made(tmp_path, PASS)

    response, text = await made.get("http://example.com/static/a.css?v=1")

    assert text == "origin saw http://example.com/static/a.css?v=1"
    assert response.served_by == "origin"
    assert list(made.origins) == [ORIGIN]


async def test_a_route_without_a_worker_goes_to_the_origin(tmp_path: Path) -> None:
    made = await _made(tmp_path, "async def fetch(self, request):\n    return Response('worker')")

    assert (await made.get("http://example.com/w/raw/x"))[1] == "origin saw http://example.com/w/raw/x"


async def test_a_passed_on_request_reaches_the_origin_whole_and_never_the_route_again(tmp_path: Path) -> None:
    made = await _made(tmp_path, PASS)

    _, text = await made.get("http://example.com/w/x?q=1", method="PUT", headers={"X-Own": "1"}, body=b"content")

    request = made.origins[ORIGIN].requests[0]
    assert text == "origin saw http://example.com/w/x?q=1"
    assert (request.method, request.headers.get("x-own"), request.redirect) == ("PUT", "1", "manual")
    assert request.body is not None
    assert await request.body.read() == b"content"


async def test_a_redirect_of_the_origin_is_handed_on_and_not_followed(tmp_path: Path) -> None:
    async def moved(request: Request) -> Response:
        return Response(302, Headers({"location": "http://elsewhere.example.net/"}))

    made = await _made(tmp_path, PASS, origin=moved)

    response, _ = await made.get("http://example.com/w/x")

    assert (response.status, response.headers.get("location")) == (302, "http://elsewhere.example.net/")
    assert made.internet.requests == []


async def test_several_set_cookies_stay_several(tmp_path: Path) -> None:
    async def cookies(request: Request) -> Response:
        return Response(200, Headers([("set-cookie", "a=1"), ("set-cookie", "b=2")]))

    made = await _made(tmp_path, PASS, origin=cookies)

    response, _ = await made.get("http://example.com/w/x")

    assert response.headers.get_set_cookie() == ["a=1", "b=2"]


async def test_a_script_that_raises_is_page_1101_and_one_log_entry(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    made = await _made(tmp_path, "async def fetch(self, request):\n    raise ValueError('inner detail')")

    with caplog.at_level(logging.ERROR):
        response, text = await made.get("http://example.com/w/x?secret=1")

    assert (response.status, text) == (500, "error code: 1101")
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert "inner detail" in caplog.text
    assert "worker.py" in caplog.text
    assert "secret" not in caplog.text
    assert "chain.py" not in caplog.text


async def test_a_script_that_raises_leaves_no_cycle(tmp_path: Path) -> None:
    made = await _made(tmp_path, "async def fetch(self, request):\n    raise ValueError('x')")

    with no_error_keeps_itself():
        response, _ = await made.get("http://example.com/w/x")
        assert response.status == 500
        del response


@pytest.mark.parametrize(
    ("body", "url", "said"),
    [
        ("async def fetch(self, request):\n    raise ValueError('x')", "http://example.com/w/x", "uncaught exception"),
        (PASS, "http://other.test/x", "530: No worker takes other.test/x"),
        (PASS, "http://example.com/static", "origin http://"),
    ],
    ids=["a script that raises", "no origin", "an origin that is down"],
)
async def test_a_line_about_a_failure_names_the_client_and_the_ray_of_its_page(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, body: str, url: str, said: str
) -> None:
    made = await _made(tmp_path, body, origin=is_down)

    response, _ = await made.get(url)

    (record,) = [record for record in caplog.records if record.name.startswith("edgeworker")]
    assert said in record.getMessage()
    ray = response.headers.get("cf-ray")
    assert ray
    assert record.__dict__["fields"] == {"client": "127.0.0.1", "ray": ray}


async def test_a_request_whose_client_leaves_is_known_by_the_ray_that_its_worker_saw(tmp_path: Path) -> None:
    seen: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()

    async def wait(request: Request) -> Response:
        seen.set_result(request.headers.get("cf-ray"))
        await asyncio.Event().wait()
        raise AssertionError

    made = await _made(tmp_path, PASS, origin=wait)
    request = Request("GET", URL.parse("http://example.com/static"), Headers({"CF-Ray": "0000000000000000-LOC"}))
    asked = asyncio.ensure_future(made.edge.fetch(request))
    ray = await seen

    asked.cancel()
    await asyncio.wait([asked])

    assert asked.cancelled()
    assert ray is not None
    assert request.headers.get_all("cf-ray") == [ray]


async def test_pass_through_on_exception_sends_the_original_request_to_the_origin(tmp_path: Path) -> None:
    made = await _made(
        tmp_path,
        "async def fetch(self, request):\n    self.ctx.passThroughOnException()\n    raise ValueError('x')",
    )

    response, text = await made.get("http://example.com/w/x", method="POST", body=b"content")

    assert (response.status, text) == (200, "origin saw http://example.com/w/x")
    body = made.origins[ORIGIN].requests[0].body
    assert body is not None
    assert await body.read() == b"content"


async def test_pass_through_is_not_possible_once_the_body_was_read(tmp_path: Path) -> None:
    made = await _made(
        tmp_path,
        "async def fetch(self, request):\n"
        "    self.ctx.passThroughOnException()\n    await request.text()\n    raise ValueError('x')",
    )

    response, _ = await made.get("http://example.com/w/x", method="POST", body=b"content")

    assert response.status == 500
    assert made.origins == {}


async def test_an_origin_that_is_down_is_a_page_for_clients_and_scripts_alike(tmp_path: Path) -> None:
    script = "async def fetch(self, request):\n    r = await fetch(request)\n    return Response(f'saw {r.status}')"
    made = await _made(tmp_path, script, origin=is_down)

    direct, page = await made.get("http://example.com/static")
    _, seen = await made.get("http://example.com/w/x")

    assert (direct.status, page) == (521, "error code: 521")
    assert seen == "saw 521"


async def test_a_host_of_the_internet_that_does_not_answer_is_an_oserror_in_the_script(tmp_path: Path) -> None:
    script = (
        "async def fetch(self, request):\n    try:\n        await fetch('https://elsewhere.example.net/')\n"
        "    except OSError as error:\n        return Response('OSError')"
    )
    made = await _made(tmp_path, script)

    assert (await made.get("http://example.com/w/x"))[1] == "OSError"


async def test_a_zone_without_an_origin_says_what_to_configure(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    made = await _made(tmp_path, PASS)

    response, text = await made.get("http://other.test/x")

    assert response.status == 530
    assert caplog.records[-1].__dict__["repeats"] == "530"  # anyone may fill the log with hosts
    assert text.startswith("error code: 1016\n")
    assert "No worker takes other.test/x" in text
    assert 'zone "other.test" an origin' in text


async def test_a_worker_reaches_another_zone_through_its_whole_chain(tmp_path: Path) -> None:
    config = replace(CONFIG, routes=(*CONFIG.routes, Route("other.test/*", "second", zone="other.test")))
    made = await make(
        tmp_path,
        config,
        {
            "w": "async def fetch(self, request):\n    return await fetch('http://other.test/a')",
            "second": "async def fetch(self, request):\n"
            "    return Response('second for ' + str(request.headers.get('cf-worker')))",
        },
    )

    assert (await made.get("http://example.com/w/x"))[1] == "second for example.com"


async def test_workers_that_call_each_other_forever_end_as_a_loop(tmp_path: Path) -> None:
    config = replace(CONFIG, routes=(*CONFIG.routes, Route("other.test/*", "second", zone="other.test")))
    made = await make(
        tmp_path,
        config,
        {
            "w": "async def fetch(self, request):\n    return await fetch('http://other.test/a')",
            "second": "async def fetch(self, request):\n    return await fetch('http://example.com/w/a')",
        },
    )

    response, text = await made.get("http://example.com/w/x")

    assert (response.status, text) == (508, "error code: 1019")


async def test_a_custom_domains_worker_is_the_origin_behind_a_route(tmp_path: Path) -> None:
    config = Config(
        zones=(ZONE,),
        routes=(Route("shop.example.com/*", "front", zone="example.com"),),
        custom_domains=(CustomDomain("shop.example.com", "shop", zone="example.com"),),
    )
    made = await make(
        tmp_path,
        config,
        {"front": PASS, "shop": "async def fetch(self, request):\n    return Response('shop')"},
    )

    assert (await made.get("http://shop.example.com/"))[1] == "shop"


@pytest.mark.parametrize("path", ["/cdn-cgi/x", "/w/../cdn-cgi/trace", "/cdn-cgi/%2e%2e/cdn-cgi/y"])
async def test_paths_of_the_edge_reach_no_worker_and_no_origin(tmp_path: Path, path: str) -> None:
    made = await _made(tmp_path, PASS, replace(CONFIG, routes=(Route("example.com/*", "w", zone="example.com"),)))

    request = Request("GET", URL.from_target("http", "example.com", path))

    assert (await made.edge.fetch(request)).status == 404
    assert made.origins == {}


async def test_what_a_client_says_about_itself_is_replaced(tmp_path: Path) -> None:
    made = await _made(tmp_path, PASS)
    forged = {
        "CF-Connecting-IP": "1.2.3.4",
        "Cf-Access-Jwt-Assertion": "forged",
        "X-Forwarded-For": "1.2.3.4",
        "Cf_Access_Authenticated_User_Email": "root@example.com",
        "Connection": "x-secret",
        "X-Secret": "1",
    }

    await made.get("http://example.com/static", headers=forged)

    headers = made.origins[ORIGIN].requests[0].headers
    assert headers.get("cf-connecting-ip") == "127.0.0.1"
    assert headers.get("x-forwarded-for") == "127.0.0.1"
    for name in ("cf-access-jwt-assertion", "cf_access_authenticated_user_email", "x-secret", "connection"):
        assert headers.get(name) is None


async def test_a_request_with_two_credentials_is_refused(tmp_path: Path) -> None:
    made = await _made(tmp_path, PASS)
    headers = Headers([("Authorization", "Bearer a"), ("Authorization", "Bearer b")])

    response = await made.edge.fetch(Request("GET", URL.parse("http://example.com/w/x"), headers))

    assert response.status == 400
    assert made.origins == {}


async def test_bodies_are_not_read_on_the_way_through(tmp_path: Path) -> None:
    async def pieces(*parts: bytes) -> AsyncIterator[bytes]:
        for part in parts:
            yield part

    async def echo(request: Request) -> Response:
        assert request.body is not None
        return Response(200, body=Body(request.body.stream()))

    made = await _made(tmp_path, PASS, origin=echo)
    request = Request("POST", URL.parse("http://example.com/w/x"), body=Body(pieces(b"a", b"b")))

    response = await made.edge.fetch(request)

    assert response.body is not None
    assert response.body.complete is None
    assert [piece async for piece in response.body.stream()] == [b"a", b"b"]


async def test_wait_until_outlives_the_response(tmp_path: Path) -> None:
    script = (
        "async def fetch(self, request):\n"
        "    async def later():\n        await fetch('http://example.com/late')\n"
        "    self.ctx.waitUntil(later())\n    return Response('now')"
    )
    made = await _made(tmp_path, script)

    assert (await made.get("http://example.com/w/x"))[1] == "now"
    await made.background.drain()

    assert made.origins[ORIGIN].requests[0].url.path == "/late"


async def test_the_default_worker_answers_localhost_and_its_origin_is_the_configured_one(tmp_path: Path) -> None:
    config = Config(default_worker="w", origin="http://127.0.0.1:9")
    made = await make(tmp_path, replace(config, workers=(Worker("w", tmp_path),)), {"w": PASS})

    _, text = await made.get("http://localhost:8787/x")

    assert text == "origin saw http://localhost:8787/x"
    assert list(made.origins) == ["http://127.0.0.1:9"]


async def test_a_script_that_does_not_answer_in_time_is_page_1102(tmp_path: Path) -> None:
    made = await _made(
        tmp_path,
        "async def fetch(self, request):\n    import asyncio\n    await asyncio.Event().wait()",
        replace(CONFIG, limits=Limits(script_seconds=0.01)),
    )

    response, text = await made.get("http://example.com/w/x")

    assert (response.status, text) == (503, "error code: 1102")


async def test_a_request_that_ended_with_its_isolate_may_be_tried_again_if_it_is_idempotent(tmp_path: Path) -> None:
    made = await _made(
        tmp_path,
        "async def fetch(self, request):\n"
        "    from edgeworker.runtime.contract.isolate import LostWithIsolate\n"
        "    raise LostWithIsolate('another request')",
    )

    answers = [(await made.get("http://example.com/w/x", method=method))[0] for method in ("GET", "DELETE", "POST")]

    assert [(one.status, one.headers.get("retry-after")) for one in answers] == [(503, "1"), (503, "1"), (503, None)]


@pytest.mark.parametrize(
    ("ip", "status"),
    [("127.0.0.1", 200), ("::1", 200), ("172.17.0.1", 200), ("10.0.0.7", 200), ("8.8.8.8", 530), ("2606:4700::1", 530)],
)
@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "a.localhost"])
async def test_a_client_on_the_internet_does_not_get_to_the_default_worker_by_calling_this_machine_localhost(
    tmp_path: Path, ip: str, status: int, host: str
) -> None:
    script = "async def fetch(self, request):\n    return Response('inside')"
    made = await _made(tmp_path, script, replace(CONFIG, default_worker="w"))
    request = Request("GET", URL.parse(f"http://{host}/w/x"), client=Client(ip))

    response = await made.edge.fetch(request)

    assert (response.status, response.served_by) == (status, "w" if status == 200 else "")
