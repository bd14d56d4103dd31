"""A response that gets further fields stays what it was."""

from issuer.endpoint_response import EndpointResponse

MADE = EndpointResponse(200, "text", (("set-cookie", "a=1"),))


def test_fields_are_added_behind_those_that_are_there() -> None:
    assert MADE.with_fields((("allow", "GET"),)).fields == (("set-cookie", "a=1"), ("allow", "GET"))
    assert MADE.fields == (("set-cookie", "a=1"),)


def test_each_cookie_is_a_field_of_its_own() -> None:
    """RFC 6265 section 3: several cookies are never folded into one field."""
    added = MADE.with_cookies("b=2", "c=3")

    assert added.fields == (("set-cookie", "a=1"), ("set-cookie", "b=2"), ("set-cookie", "c=3"))
    assert (added.status, added.text) == (200, "text")


def test_no_cookie_adds_no_field() -> None:
    assert MADE.with_cookies() == MADE
