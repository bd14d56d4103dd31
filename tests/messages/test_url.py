import re
from urllib.parse import unquote_to_bytes

import ada_url
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeworker.messages import URL, InvalidURL, canonical_path


@pytest.mark.parametrize(
    ("host", "target", "href"),
    [
        ("Example.COM", "/", "http://example.com/"),
        ("example.com.", "/a", "http://example.com/a"),
        ("example.com:80", "/a", "http://example.com/a"),
        ("example.com:8787", "/a?b=c", "http://example.com:8787/a?b=c"),
        ("example.com", "/a/../b", "http://example.com/b"),
        ("example.com", "/a/%2e%2E/b", "http://example.com/b"),
        ("example.com", "/a/.%2e/b", "http://example.com/b"),
        ("example.com", "/a/./b/.", "http://example.com/a/b/"),
        ("example.com", "//x//y", "http://example.com//x//y"),
        ("example.com", "/a%2Fb", "http://example.com/a%2Fb"),
        ("example.com", "/a\\b", "http://example.com/a/b"),
        ("example.com", "/é", "http://example.com/%C3%A9"),
        ("XN--BCHER-KVA.example", "/", "http://xn--bcher-kva.example/"),
        ("127.1", "/", "http://127.0.0.1/"),
        ("0x7f000001", "/", "http://127.0.0.1/"),
        ("[::FFFF:127.0.0.1]", "/", "http://[::ffff:7f00:1]/"),
        ("[::1]:8787", "/", "http://[::1]:8787/"),
        ("127.0.0.1:8787", "/x", "http://127.0.0.1:8787/x"),
        ("example.com", "/a#b", "http://example.com/a"),
    ],
)
def test_a_request_target_has_one_canonical_form(host: str, target: str, href: str) -> None:
    assert URL.from_target("http", host, target).href == href


@pytest.mark.parametrize(
    "host",
    [
        "",
        "a@b",
        "a/b",
        "a:99999",
        "a:b",
        "a b",
        "a?b",
        "a#b",
        "[::1",
        "::1",
        "a:80:80",
        "[::1%25eth0]",
        "a\\b",
        "a:",
        ".",
        "*",
        "a,b",
        "a;b",
        '"a"',
        "a!",
        "a|b",
        "%61.example",
        "a%2eb",
        "bücher.example",
        "a\u3002b",
        "\uff41",
        "1.2.3.256",
        "[::g]",
        "[1.2.3.4]",
        "[]",
        "a\tb",
        "a\x00",
    ],
)
def test_what_is_not_a_host_is_refused(host: str) -> None:
    with pytest.raises(InvalidURL):
        URL.from_target("http", host, "/")


@pytest.mark.parametrize("target", ["", "*", "example.com:443", "http://example.com/"])
def test_a_target_that_is_not_in_origin_form_is_refused(target: str) -> None:
    with pytest.raises(InvalidURL):
        URL.from_target("http", "example.com", target)


@pytest.mark.parametrize("text", ["/a", "ftp://example.com/", "http://", "javascript:alert(1)", "http://a:99999/"])
def test_only_absolute_http_urls_are_parsed(text: str) -> None:
    with pytest.raises(InvalidURL):
        URL.parse(text)


_TARGETS = st.text(alphabet="abz/.%2eEfF?&=~:@\\ é0x-_", max_size=20).map(lambda text: "/" + text)
_HOSTS = st.text(alphabet="abxn0-._19", min_size=1, max_size=12)


@given(host=_HOSTS, target=_TARGETS)
def test_the_short_cut_says_what_a_whatwg_parser_says(host: str, target: str) -> None:
    try:
        ours = URL.from_target("http", host, target)
    except InvalidURL:
        return
    name = host[:-1] if host.endswith(".") else host

    judged = ada_url.URL(f"http://{name}{target}")

    assert (ours.hostname, ours.path, ours.query) == (judged.hostname, canonical_path(judged.pathname), judged.search)


@given(host=st.one_of(_HOSTS, st.text(max_size=12), st.from_regex(r"\A\[[0-9a-fA-F:.]*\](:[0-9]{0,6})?\Z")))
def test_a_host_that_is_let_in_has_characters_of_names_and_addresses_only(host: str) -> None:
    try:
        url = URL.from_target("http", host, "/")
    except InvalidURL:
        return

    assert re.fullmatch(r"\[[0-9a-f:]+\]|[a-z0-9_.-]+", url.hostname)
    assert "" not in url.hostname.strip("[]").split(".")
    assert host.isascii()


@given(host=_HOSTS, target=_TARGETS)
def test_the_canonical_form_is_canonical(host: str, target: str) -> None:
    try:
        url = URL.from_target("http", host, target)
    except InvalidURL:
        return

    assert URL.from_target("http", url.host, url.target) == url
    assert URL.parse(url.href) == url


@pytest.mark.parametrize(
    ("path", "canonical"),
    [
        # https://www.rfc-editor.org/rfc/rfc3986#section-6.2.2
        ("/a%2fb%c3%a9", "/a%2Fb%C3%A9"),
        ("/%61%41%31%2d%2e%5f%7e", "/aA1-._~"),
        ("/%2561", "/%2561"),
        ("/%%36%31", "/%%36%31"),
        ("/%zz%61", "/%zz%61"),
        ("/%", "/%"),
        ("/plain", "/plain"),
    ],
)
def test_escapes_have_one_spelling(path: str, canonical: str) -> None:
    assert canonical_path(path) == canonical


@given(st.text(alphabet="/%23456789aAcCeEfFzZ.;", max_size=20))
def test_the_one_spelling_of_escapes_stays_and_means_the_same(path: str) -> None:
    canonical = canonical_path(path)

    assert canonical_path(canonical) == canonical
    assert unquote_to_bytes(canonical) == unquote_to_bytes(path)


@pytest.mark.parametrize(
    ("reference", "href"),
    [
        ("/x", "https://a.example/x"),
        ("y", "https://a.example/p/y"),
        ("//evil.example/z", "https://evil.example/z"),
        ("https://b.example:8443/", "https://b.example:8443/"),
        ("?q", "https://a.example/p/o?q"),
    ],
)
def test_a_location_is_resolved_against_the_url(reference: str, href: str) -> None:
    assert URL.parse("https://a.example/p/o").join(reference).href == href


@pytest.mark.parametrize(
    ("host", "said"),
    [
        # As it comes from the wire, where UTF-8 is read as Latin-1.
        ("é.localhost".encode().decode("latin-1"), 'Invalid Host: "é.localhost": it is sent as "xn--9ca.localhost"'),
        ("münchen.example:80".encode().decode("latin-1"), 'Invalid Host: "münchen.example:80": it is sent as "xn--'),
        ("\xe9.localhost", 'Invalid Host: "é.localhost": it is sent as "xn--9ca.localhost"'),
        ("日本.example", 'Invalid Host: "日本.example": it is sent as "xn--wgv71a.example"'),
        ("é..x", 'Invalid Host: "é..x"'),
        ("\x80", "Invalid Host: '\\x80'"),
        ("a b", 'Invalid Host: "a b"'),
        ("256.1.1.1", 'Invalid Host: "256.1.1.1"'),
        ("1.2.3.4.5", 'Invalid Host: "1.2.3.4.5"'),
        ("ada:secret@a.example", 'Invalid Host: "a.example" with a user or password before it; send the host alone'),
        ("ada:s@cret@", 'Invalid Host: "" with a user or password before it; send the host alone'),
        ("\xe9:secret@b", 'Invalid Host: "b" with a user or password before it; send the host alone'),
    ],
)
def test_a_host_that_is_refused_is_shown_as_it_was_meant_without_a_secret(host: str, said: str) -> None:
    with pytest.raises(InvalidURL) as refused:
        URL.from_target("http", host, "/private?token=secret")

    assert str(refused.value).startswith(said)
    assert "secret" not in str(refused.value)
