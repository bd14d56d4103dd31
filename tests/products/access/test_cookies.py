"""Access's cookies."""

import pytest

from edgeworker.products.access import cookies
from edgeworker.products.access.config import SameSite
from edgeworker.products.access.objects import parse_application


def test_every_value_of_a_name_is_read_in_its_order() -> None:
    cookie = 'a=1; CF_Authorization=x; b="q"; CF_Authorization="y"; XCF_Authorization=no'

    assert cookies.values_of(cookie, "CF_Authorization") == ["x", "y"]
    assert cookies.value_of(cookie, "b") == "q"
    assert cookies.value_of(cookie, "c") == ""
    assert cookies.value_of(None, "c") == ""
    assert len(cookies.values_of("a=1;" * 100, "a")) == 4


@pytest.mark.parametrize(
    ("cookie", "expected"),
    [
        (None, "CF_Authorization=t"),
        ("a=1; CF_Authorization=forged; b=2", "a=1; b=2; CF_Authorization=t"),
        ("CF_Authorization=x; CF_Authorization=y", "CF_Authorization=t"),
        ("CF_Binding=x; a=1; CF_AppSession=y", "a=1; CF_Authorization=t"),
        (" CF_Authorization =x;", "CF_Authorization=t"),
    ],
)
def test_an_origin_gets_the_verified_token_alone(cookie: str | None, expected: str) -> None:
    assert cookies.for_origin(cookie, "t") == expected


@pytest.mark.parametrize(
    ("cookie", "ready"),
    [
        ("a=1; CF_Authorization=t; b=2", True),
        ("CF_Authorization=t; CF_Authorization=t", False),
        ("CF_Authorization=other", False),
        ("CF_Authorization=t; CF_Binding=x", False),
        ("CF_Authorization=t; CF_AppSession=x", False),
        ("CF_AppSession=x; CF_Authorization=t", False),
        ("XCF_Authorization=t; CF_Authorization=t", False),
        ('CF_Authorization="t"', False),
        ("CF_Authorization=tt", False),
        ("", False),
    ],
)
def test_a_browsers_usual_field_needs_no_change(cookie: str, ready: bool) -> None:
    first = cookies.value_of(cookie, "CF_Authorization")

    assert cookies.is_ready_for_origin(cookie, "t", first) is ready


@pytest.mark.parametrize(
    ("secure", "same_site", "expected"),
    [
        (True, "none", "n=v; Path=/; Max-Age=5; Secure; HttpOnly; SameSite=None"),
        (True, "", "n=v; Path=/; Max-Age=5; Secure; HttpOnly"),
        (True, "strict", "n=v; Path=/; Max-Age=5; Secure; HttpOnly; SameSite=Strict"),
        # Browsers drop SameSite=None without Secure.
        (False, "none", "n=v; Path=/; Max-Age=5; HttpOnly; SameSite=Lax"),
    ],
)
def test_the_attributes_of_a_cookie(secure: bool, same_site: SameSite, expected: str) -> None:
    assert cookies.make("n", "v", secure=secure, seconds=5, same_site=same_site) == expected


def test_a_cookie_is_for_the_applications_path_where_it_says_so() -> None:
    application = parse_application(
        {"name": "a", "destinations": [{"uri": "a.com/x"}, {"uri": "a.com/x/y/*"}], "path_cookie_attribute": True}
    )

    assert cookies.cookie_path(application, "a.com", "/x/z") == "/x"
    assert cookies.cookie_path(application, "a.com", "/x/y/z") == "/x/y"
    assert cookies.cookie_path(application, "a.com", "/other") == "/"
    assert cookies.cookie_path(parse_application({"name": "a", "domain": "a.com/x"}), "a.com", "/x") == "/"
