"""The cookies of the auth worker."""

import pytest

from issuer import cookies

HTTPS, HTTP = "https://login.example.com", "http://127.0.0.1:8787"
SECRET = "Abc_-" * 8 + "xyz"


def test_on_https_no_subdomain_and_no_script_can_touch_them() -> None:
    assert cookies.put(cookies.SESSION, SECRET, HTTPS) == (
        f"__Host-oauth-session={SECRET}; Path=/; HttpOnly; SameSite=Lax; Secure"
    )
    assert cookies.remove(cookies.FORM, HTTPS).startswith("__Host-oauth-form=; Max-Age=0; Path=/")
    assert cookies.put(cookies.FORM, SECRET, HTTP) == f"oauth-form={SECRET}; Path=/; HttpOnly; SameSite=Lax"


def test_a_cookie_is_read_among_others() -> None:
    header = f"a=b; __Host-oauth-session={SECRET} ; c"

    assert cookies.read(header, cookies.SESSION, HTTPS) == SECRET
    assert cookies.read(header, cookies.FORM, HTTPS) is None


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        f"oauth-session={SECRET}",  # the name that a page over http could set
        f"__Host-oauth-session={SECRET}; __Host-oauth-session={SECRET}",
        f"__Host-oauth-session={SECRET}x",
        "__Host-oauth-session=",
        "__Host-oauth-session",
        f"__HOST-oauth-session={SECRET}",
    ],
)
def test_what_is_not_one_well_formed_secret_is_none(header: str | None) -> None:
    assert cookies.read(header, cookies.SESSION, HTTPS) is None


def test_secrets_are_new_each_time() -> None:
    assert len({cookies.new_secret() for _ in range(50)}) == 50
