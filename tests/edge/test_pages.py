import pytest

from edgeworker.admission import Refusal
from edgeworker.edge import pages
from edgeworker.errors import OriginError
from edgeworker.messages import URL, Headers, Request, Response


async def _text(response: Response) -> str:
    assert response.body is not None
    return (await response.body.read()).decode()


def _request(**headers: str) -> Request:
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    return Request("GET", URL.parse("http://a.example/<x>"), Headers(fields))


async def test_a_program_gets_cloudflares_one_line() -> None:
    response = pages.answer(pages.WORKER_FAILED, _request(cf_ray="abc"), rule="r")

    assert response.status == 500
    assert await _text(response) == "error code: 1101"
    assert response.headers.get("cache-control") == "private, no-store"
    assert response.headers.get("cf-ray") == "abc"


async def test_a_browser_gets_a_page_without_scripts() -> None:
    response = pages.answer(pages.WORKER_FAILED, _request(accept="text/html,*/*", cf_ray="abc"), rule="r")

    text = await _text(response)
    assert "Error 1101: Worker threw exception" in text
    assert "Ray ID: abc" in text
    assert "<script" not in text
    assert "default-src 'none'" in (response.headers.get("content-security-policy") or "")


async def test_what_came_from_the_client_is_escaped() -> None:
    page = pages.nothing_here("a.example", "/<script>alert(1)</script>", why="why", hints=["<b>"])

    text = await _text(pages.answer(page, _request(accept="text/html"), rule="r"))

    assert "<script>" not in text
    assert "&lt;b&gt;" in text


async def test_hints_follow_the_line() -> None:
    page = pages.nothing_here("a.example", "/x", why="no route matches", hints=["Do this."])

    text = await _text(pages.answer(page, _request(), rule="r"))

    assert text.splitlines()[0] == "error code: 1016"
    assert "No worker takes a.example/x, and no route matches." in text
    assert "Do this." in text


@pytest.mark.parametrize("status", [520, 521, 522, 523, 524, 525, 526, 530])
async def test_an_origins_failure_keeps_its_address_to_itself(status: int) -> None:
    page = pages.choose_origin_page(OriginError("http://10.0.0.7:3000 refused", status=status))

    response = pages.answer(page, _request(), rule="r")

    assert response.status == status
    assert await _text(response) == f"error code: {status}"
    assert "10.0.0.7" not in await _text(pages.answer(page, _request(accept="text/html"), rule="r"))


@pytest.mark.parametrize(("status", "allow"), [(405, "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"), (400, None)])
def test_a_method_that_is_refused_is_told_which_are_not(status: int, allow: str | None) -> None:
    """https://www.rfc-editor.org/rfc/rfc9110#section-15.5.6"""
    assert pages.refuse(Refusal(status, "no")).headers.get("allow") == allow
