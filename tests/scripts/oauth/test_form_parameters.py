"""How queries and posted forms are read, how forms prove themselves, and what is in the cookies."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from issuer import cookies, csrf, form_parameters
from issuer.form_parameters import BadParameters

HTTPS, HTTP = "https://auth.example.com", "http://auth.localhost:8787"


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("", {}),
        ("&&", {}),
        ("a=1&b=2", {"a": ("1",), "b": ("2",)}),
        ("a=1&a=&a=2", {"a": ("1", "", "2")}),
        ("a", {"a": ("",)}),
        ("a=b=c", {"a": ("b=c",)}),
        ("a+b=%20+%2B", {"a b": ("  +",)}),
        ("%61=%zz%4", {"a": ("%zz%4",)}),
        ("a=%E2%82%AC", {"a": ("€",)}),
    ],
)
def test_a_form_is_read_as_a_browser_writes_it(text: str, values: dict[str, tuple[str, ...]]) -> None:
    assert form_parameters.parse(text).values == values


def test_what_has_no_value_was_not_sent_but_counts_as_sent_twice() -> None:
    fields = form_parameters.parse("a=&b=1&b=")

    assert (fields.get("a"), fields.get("b"), fields.get("c")) == (None, "1", None)
    assert fields.repeated(["a", "b", "c"]) == ["b"]


@pytest.mark.parametrize("text", ["a=%ff", "%c3=1", "a" * 16_385, "&".join(["a=1"] * 101)])
def test_what_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(BadParameters):
        form_parameters.parse(text)


@given(st.text(max_size=60))
@example("a=1&a=2#?%")
def test_a_canonical_query_says_the_same_and_is_its_own_canonical_form(text: str) -> None:
    try:
        fields = form_parameters.parse(text)
    except BadParameters:
        return
    names = list(fields.values)
    query = fields.query(names)

    again = form_parameters.parse(query)
    assert {name: again.all(name) for name in names} == {name: fields.all(name) for name in names}
    assert again.query(names) == query
    assert query.isascii()
    assert not set(query) & set("\"'<>\\ #\r\n")


def test_a_token_is_for_one_secret_one_purpose_and_one_query() -> None:
    token = csrf.token("secret", "consent", "a=1")

    assert csrf.is_valid(token, "secret", "consent", "a=1")
    for secret, purpose, query in [
        ("other", "consent", "a=1"),
        ("secret", "login", "a=1"),
        ("secret", "consent", "a=2"),
        ("secret", "consenta", "=1"),
        (None, "consent", "a=1"),
        ("", "consent", "a=1"),
    ]:
        assert not csrf.is_valid(token, secret, purpose, query)
    for given_token in (None, "", token[:-1], token + "x", "ü", "\ud800"):
        assert not csrf.is_valid(given_token, "secret", "consent", "a=1")


def test_no_one_without_a_cookie_can_make_a_token() -> None:
    assert not csrf.is_valid(csrf.token("", "login", ""), "", "login", "")


@pytest.mark.parametrize(
    ("issuer", "line"),
    [
        (HTTPS, "__Host-oauth-session=SECRET; Path=/; HttpOnly; SameSite=Lax; Secure"),
        (HTTP, "oauth-session=SECRET; Path=/; HttpOnly; SameSite=Lax"),
    ],
)
def test_a_cookie_is_for_this_host_and_no_script(issuer: str, line: str) -> None:
    secret = cookies.new_secret()

    assert cookies.put(cookies.SESSION, secret, issuer) == line.replace("SECRET", secret)
    assert cookies.remove(cookies.SESSION, issuer) == line.replace("SECRET", "").replace(";", "; Max-Age=0;", 1)


@given(st.text(max_size=80))
@example("__Host-oauth-session=; ;=; __Host-oauth-session")
def test_any_cookie_field_is_read_without_a_fault(header: str) -> None:
    secret = cookies.new_secret()
    found = cookies.read(header, cookies.SESSION, HTTPS)

    assert found is None
    assert cookies.read(f"a=b; __Host-oauth-session={secret}", cookies.SESSION, HTTPS) == secret
    assert cookies.read(f"__host-oauth-session={secret}", cookies.SESSION, HTTPS) is None
    assert cookies.read(f"oauth-session={secret}", cookies.SESSION, HTTPS) is None
    assert cookies.read(f"oauth-session={secret}", cookies.SESSION, HTTP) == secret
