"""The URLs that fire cron triggers, without a socket."""

import json
from pathlib import Path

import pytest

from edgeworker import messages
from edgeworker.config import Config, CustomDomain, Route, Worker, Zone
from edgeworker.edge.triggers import OLD_PATH, PATHS
from tests.edge.making import Made, make

NOTES = """\
seen = []
async def scheduled(self, controller):
    self.seen.append([controller.cron, controller.scheduledTime])
    if "again" in controller.cron:
        controller.noRetry()
    if "fail" in controller.cron:
        raise ValueError("inner detail")
async def fetch(self, request):
    return Response.json(self.seen)
"""
NO_HANDLER = 'async def fetch(self, request):\n    return Response("worker saw " + request.url)'
URL = f"http://localhost{PATHS[0]}"
CONFIG = Config(
    zones=(Zone("example.com", "z1"),),
    routes=(Route("api.example.com/*", "w"), Route("*/*", "w"), Route("*.shop.test/*", "w")),
    custom_domains=(CustomDomain("own.test", "w"),),
    default_worker="w",
    origin="http://127.0.0.1:3000",
    trigger_urls=True,
)


async def _one(tmp_path: Path, script: str = NOTES, config: Config = CONFIG) -> Made:
    return await make(tmp_path, config, {"w": script})


async def _seen(made: Made) -> object:
    return json.loads((await made.get("http://localhost/seen"))[1])


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_each_url_fires_the_trigger(tmp_path: Path, path: str, method: str) -> None:
    made = await _one(tmp_path)

    response, text = await made.get(f"http://localhost{path}?cron=*+*+*+*+*&time=1745856238000", method=method)

    assert (response.status, text) == (200, "ok")
    assert await _seen(made) == [["* * * * *", 1745856238000]]


async def test_the_oldest_url_is_one_of_localhost_only(tmp_path: Path) -> None:
    made = await _one(tmp_path, f"{NO_HANDLER}\nasync def scheduled(self):\n    pass")

    _, here = await made.get(f"http://127.0.0.1:8787{OLD_PATH}?cron=a")
    _, elsewhere = await made.get(f"http://api.example.com{OLD_PATH}?cron=a")

    assert here == "Ran scheduled event"
    assert elsewhere == f"worker saw http://api.example.com{OLD_PATH}?cron=a"


async def test_the_oldest_url_answers_as_wrangler_does(tmp_path: Path) -> None:
    made = await _one(tmp_path)

    assert (await made.get(f"http://localhost{OLD_PATH}"))[1] == "Ran scheduled event"
    assert (await made.get(f"http://localhost{OLD_PATH}?format=json"))[1] == '{"outcome":"ok","noRetry":false}'
    assert (await made.get(f"http://localhost{OLD_PATH}?cron=fail"))[0].status == 500


@pytest.mark.parametrize("path", [*PATHS, OLD_PATH])
async def test_an_edge_that_is_not_for_developing_has_none_of_them(tmp_path: Path, path: str) -> None:
    made = await _one(tmp_path, NO_HANDLER, Config(default_worker="w"))

    response, text = await made.get(f"http://localhost{path}")

    assert (response.status, text) == (
        (404, "error code: 404") if path in PATHS else (200, f"worker saw http://localhost{path}")
    )


async def test_without_a_time_it_is_now(tmp_path: Path) -> None:
    made = await _one(tmp_path)

    await made.get(URL)

    seen = await _seen(made)
    assert isinstance(seen, list)
    assert seen[0][0] == ""
    assert seen[0][1] > 1_700_000_000_000


@pytest.mark.parametrize("moment", ["abc", "-1", "1.5", "9" * 30, "٣", "8640000000000001"])
async def test_a_time_that_is_none_is_refused(tmp_path: Path, moment: str) -> None:
    made = await _one(tmp_path)

    response, text = await made.get(f"{URL}?time={moment}")

    assert response.status == 400
    assert "in milliseconds since 1970" in text
    assert await _seen(made) == []


async def test_a_script_without_a_handler_is_said_so(tmp_path: Path) -> None:
    made = await _one(tmp_path, NO_HANDLER)

    response, text = await made.get(URL)
    _, as_json = await made.get(f"{URL}?format=json")

    assert response.status == 500
    assert text.startswith('exception: worker "w" has no handler for cron triggers')
    assert "async def scheduled(self, controller)" in text
    assert json.loads(as_json)["outcome"] == "exception"
    assert json.loads(as_json)["error"] == text.removeprefix("exception: ")


async def test_what_a_handler_raised_stays_in_the_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    made = await _one(tmp_path)

    _, text = await made.get(f"{URL}?cron=fail")

    assert text == "exception"
    assert "inner detail" in caplog.text


@pytest.mark.parametrize(
    ("host", "headers", "status"),
    [
        ("localhost:8787", {}, 200),
        ("127.0.0.1", {}, 200),
        ("[::1]:8787", {}, 200),
        ("192.168.0.7", {}, 200),  # an address is no zone's name
        ("dev.localhost", {}, 200),
        ("api.example.com", {}, 200),
        ("own.test", {}, 200),
        ("a.shop.test", {}, 200),
        ("attacker.test", {}, 403),
        ("localhost.attacker.test", {}, 403),
        ("localhost", {"origin": "http://localhost:3000"}, 200),
        ("localhost", {"origin": "https://api.example.com"}, 200),
        ("localhost", {"origin": "https://attacker.test"}, 403),
        ("localhost", {"origin": "null"}, 403),
        ("localhost", {"sec-fetch-site": "cross-site"}, 403),
        ("localhost", {"sec-fetch-site": "same-origin"}, 200),
        ("localhost", {"sec-fetch-site": "none"}, 200),
    ],
)
async def test_only_who_may_fire_fires(tmp_path: Path, host: str, headers: dict[str, str], status: int) -> None:
    made = await _one(tmp_path)

    response, text = await made.get(f"http://{host}{PATHS[1]}", headers=headers)

    assert response.status == status
    assert text.startswith("ok" if status == 200 else "Invalid ")
    assert len(json.loads((await made.get("http://localhost/"))[1])) == (1 if status == 200 else 0)


@pytest.mark.parametrize("path", [*PATHS, OLD_PATH])
async def test_a_client_on_the_internet_fires_nothing(tmp_path: Path, path: str) -> None:
    made = await _one(tmp_path)
    request = messages.Request("GET", messages.URL.parse(f"http://localhost{path}"), client=messages.Client("8.8.8.8"))

    await made.edge.fetch(request)

    assert json.loads((await made.get("http://localhost/"))[1]) == []


async def test_other_methods_are_refused(tmp_path: Path) -> None:
    made = await _one(tmp_path)

    response, _ = await made.get(URL, method="DELETE")

    assert (response.status, response.headers.get("allow")) == (405, "GET, POST")


# (query, the worker that fires, or the status and what is said)
CHOICES: list[tuple[str, str | tuple[int, str]]] = [
    ("cron=1", "a"),
    ("cron=2", "b"),
    ("cron=2&worker=a", "a"),
    ("cron=both", (400, "add &worker= and one of: a, b")),
    ("cron=none", (400, "add &worker= and one of: a, b")),
    ("worker=nosuch", (404, 'There is no worker "nosuch" here; there are: a, b, c.')),
    ("worker=c", (500, 'worker "c" has no handler')),
]


@pytest.mark.parametrize(("query", "expected"), CHOICES, ids=[query for query, _ in CHOICES])
async def test_among_several_workers_the_one_with_the_trigger_fires(
    tmp_path: Path, query: str, expected: str | tuple[int, str]
) -> None:
    nowhere = tmp_path / "worker.py"
    config = Config(
        workers=(Worker("a", nowhere, crons=("1", "both")), Worker("b", nowhere, crons=("2", "both"))),
        trigger_urls=True,
        routes=tuple(Route(f"{name}.test/*", name) for name in "ab"),
    )
    made = await make(tmp_path, config, {"a": NOTES, "b": NOTES, "c": NO_HANDLER})

    response, text = await made.get(f"{URL}?{query}")

    fired = [name for name in "ab" if (await made.get(f"http://{name}.test/"))[1] != "[]"]
    if isinstance(expected, str):
        assert (text, fired) == ("ok", [expected])
    else:
        assert response.status == expected[0]
        assert expected[1] in text
        assert fired == []


async def test_the_only_worker_with_a_handler_is_meant(tmp_path: Path) -> None:
    made = await make(tmp_path, CONFIG, {"w": NO_HANDLER, "b": NOTES})

    assert (await made.get(URL))[1] == "ok"


async def test_an_edge_without_workers_says_so(tmp_path: Path) -> None:
    made = await make(tmp_path, Config(trigger_urls=True), {})

    response, text = await made.get(URL)

    assert (response.status, text) == (404, "There is no worker here.")


async def test_no_answer_is_stored(tmp_path: Path) -> None:
    made = await _one(tmp_path)

    response, _ = await made.get(URL)

    assert response.headers.get("cache-control") == "no-store"
