"""The auth worker's paths and methods, HEAD, and what a person sees when something fails."""

import pytest

from issuer import auth_router, style
from issuer.endpoint_response import EndpointResponse
from tests.scripts.oauth.in_memory import Stores, auth_settings, field_of, page_context

BASE = "https://auth.example.com/tenant"


async def answer(
    path: str, method: str = "GET", *, stores: Stores | None = None, cookie: str | None = None, **variables: str
) -> EndpointResponse:
    known = auth_settings(**variables)
    context = page_context(stores or Stores(), known=known, method=method, path=path, cookie=cookie)
    return await auth_router.answer(context)


@pytest.mark.parametrize("path", ["/", "/x/authorize", "/authorize-evil", "/authorize/", "/token", "/LOGIN", "/style"])
async def test_only_whole_paths_are_pages(path: str) -> None:
    response = await answer(path)

    assert response.status == 404
    assert "There is nothing here" in (response.text or "")


@pytest.mark.parametrize(
    ("path", "status"),
    [("/tenant/login", 200), ("/login", 404), ("/tenantlogin", 404), ("/tenant", 404), ("/tenant/tenant/login", 404)],
)
async def test_an_issuer_with_a_path_has_its_pages_below_it(path: str, status: int) -> None:
    assert (await answer(path, ISSUER=BASE)).status == status


@pytest.mark.parametrize(
    ("path", "method", "allowed"),
    [
        ("/code", "GET", "POST"),
        ("/code", "HEAD", "POST"),
        ("/login", "PUT", "GET, POST, HEAD"),
        ("/logout", "OPTIONS", "GET, POST, HEAD"),
        ("/authorize", "", "GET, POST, HEAD"),
    ],
)
async def test_another_method_is_refused_with_those_there_are(path: str, method: str, allowed: str) -> None:
    """RFC 9110 section 15.5.6."""
    response = await answer(path, method)

    assert (response.status, field_of(response, "allow")) == (405, allowed)


async def test_the_form_secret_is_set_with_the_page_that_needs_it() -> None:
    assert (field_of(await answer("/login"), "set-cookie") or "").startswith("__Host-oauth-form=")


async def test_head_is_what_get_says_but_sets_nothing() -> None:
    response = await answer("/login", "HEAD")

    assert response.status == 200
    assert field_of(response, "set-cookie") is None


async def test_the_stylesheet_is_served_below_the_issuer() -> None:
    response = await answer("/tenant/style.css", ISSUER=BASE)

    assert response.text == style.CSS
    assert field_of(response, "content-type") == "text/css;charset=utf-8"


async def test_a_store_that_does_not_answer_is_a_page_that_says_so_and_no_more() -> None:
    stores = Stores()
    stores.tokens.broken.add("get")

    response = await answer("/login", stores=stores, cookie=f"__Host-oauth-session={'a' * 43}")

    assert (response.status, field_of(response, "retry-after")) == (503, "5")
    assert "Please try again in a moment." in (response.text or "")
    assert "KV" not in (response.text or "")
