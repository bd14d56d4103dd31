from pathlib import Path

import pytest

from edgeworker.admission import Refusal
from edgeworker.config import CF, Config, Zone
from edgeworker.edge.cf import DEFAULTS, CfProperties
from edgeworker.messages import URL, Headers, Request
from tests.edge.making import make


def request(**headers: str) -> Request:
    return Request("GET", URL.parse("http://x.example/"), Headers(headers), cf={"tlsVersion": "TLSv1.2"})


def test_every_request_has_the_defaults_and_what_is_known_and_configured() -> None:
    given = CfProperties(CF({"country": "DE", "own": [1]})).attach(request(**{"accept-encoding": "br"}))

    assert isinstance(given, Request)
    assert given.cf == {
        **DEFAULTS,
        "country": "DE",
        "own": [1],
        "tlsVersion": "TLSv1.2",
        "clientAcceptEncoding": "br",
    }


def test_a_header_counts_only_where_its_name_is_configured() -> None:
    told = {"x-cf": '{"country": "FR", "tlsVersion": "TLSv1.3"}'}
    ignored = CfProperties(CF()).attach(request(**told))
    taken = CfProperties(CF(override_header="X-CF")).attach(request(**told))

    assert isinstance(ignored, Request)
    assert isinstance(taken, Request)
    assert ignored.cf is not None
    assert taken.cf is not None
    assert (ignored.cf["country"], taken.cf["country"], taken.cf["tlsVersion"]) == ("US", "FR", "TLSv1.3")
    assert (ignored.headers.has("x-cf"), taken.headers.has("x-cf")) == (True, False)


@pytest.mark.parametrize("text", ["", "[]", "{", "x", "[" * 100_000])
def test_a_header_that_is_not_an_object_is_refused(text: str) -> None:
    refused = CfProperties(CF(override_header="x-cf")).attach(request(**{"x-cf": text}))

    assert refused == Refusal(400, 'x-cf must be one JSON object such as {"country": "DE"}.')


async def test_a_script_reads_it_and_its_own_options_reach_no_one_else(tmp_path: Path) -> None:
    config = Config(
        default_worker="a", zones=(Zone("b.example", "1"),), default_on_every_host=True, cf=CF({"city": "X"})
    )
    show = "return Response(f'{request.cf.city} {request.cf.botManagement.score} {request.cf.country}')"
    made = await make(
        tmp_path,
        config,
        {
            "a": "async def fetch(self, request):\n"
            "    if request.url.endswith('/far'):\n"
            "        return await fetch('https://b.example/', cf={'country': 'ZZ', 'cacheTtl': 5})\n"
            f"    {show}\n",
        },
    )

    assert (await made.get("https://x.example/"))[1] == "X 99 US"
    assert (await made.get("https://x.example/far"))[1] == "X 99 US"
