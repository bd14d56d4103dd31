import pytest

from edgeworker.messages import Headers


def test_repeated_fields_are_joined_as_fetch_joins_them() -> None:
    headers = Headers([("Accept", "a"), ("X", "1"), ("accept", "b")])

    assert headers.get("ACCEPT") == "a, b"
    assert headers.get_all("accept") == ["a", "b"]
    assert headers.get("missing") is None


def test_set_cookie_is_never_joined_in_entries() -> None:
    headers = Headers([("Set-Cookie", "a=1"), ("B", "2"), ("set-cookie", "c=3"), ("b", "4")])

    assert headers.get_set_cookie() == ["a=1", "c=3"]
    assert headers.entries() == [("b", "2, 4"), ("set-cookie", "a=1"), ("set-cookie", "c=3")]


def test_set_replaces_the_first_in_its_place_and_drops_the_rest() -> None:
    headers = Headers([("A", "1"), ("B", "2"), ("a", "3")])

    headers.set("a", "9")

    assert headers.raw == [(b"a", b"9"), (b"B", b"2")]


def test_delete_and_without_ignore_case() -> None:
    headers = Headers([("A", "1"), ("B", "2")])

    assert headers.without(frozenset({b"a"})).raw == [(b"B", b"2")]
    headers.delete("b")
    assert headers.raw == [(b"A", b"1")]


def test_a_copy_is_independent() -> None:
    headers = Headers({"a": "1"})
    copy = headers.copy()

    copy.set("a", "2")

    assert headers.get("a") == "1"


@pytest.mark.parametrize("value", ["a\r\nSet-Cookie: x=1", "a\nb", "a\x00b", "a\rb", "snow ☃", "\ud800"])
def test_a_value_that_cannot_stand_on_the_wire_is_refused(value: str) -> None:
    headers = Headers()

    with pytest.raises(TypeError, match="x-name"):
        headers.set("x-name", value)
    with pytest.raises(TypeError, match="x-name"):
        headers.append("x-name", value)


@pytest.mark.parametrize("name", ["", "a b", "a:b", "é", "a\n", "(x)"])
def test_a_name_that_is_no_token_is_refused(name: str) -> None:
    with pytest.raises(TypeError, match="Invalid header name"):
        Headers({name: "v"})


@pytest.mark.parametrize("value", ["a\nb", "a\rb", "a\0b", "snow ☃"])
def test_the_first_mistake_of_several_fields_is_named_and_no_field_is_taken(value: str) -> None:
    with pytest.raises(TypeError, match="x-second"):
        Headers([("x-first", "fine"), ("x-second", value), ("x y", "3"), ("x-fourth", "a\nb")])


def test_values_are_byte_strings() -> None:
    assert Headers({"a": "ÿ"}).raw == [(b"a", b"\xff")]
    assert Headers.from_raw([(b"a", b"\xff")]).get("a") == "ÿ"


def test_values_are_trimmed() -> None:
    assert Headers({"a": " \t v \r\n"}).get("a") == "v"


def test_a_repr_shows_no_values() -> None:
    assert "secret" not in repr(Headers({"Authorization": "Bearer secret"}))


def test_equality_is_that_of_the_entries() -> None:
    assert Headers({"A": "1", "B": "2"}) == Headers([("b", "2"), ("a", "1")])
    assert Headers({"a": "1"}) != Headers({"a": "2"})
