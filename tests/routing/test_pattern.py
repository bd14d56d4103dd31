import pytest

from edgeworker.errors import ConfigError
from edgeworker.messages import URL
from edgeworker.routing import Mismatch, Pattern, parse_pattern


# Recorded from miniflare's parseRoutes; see tests/conformance/cases/routes.json for many more.
@pytest.mark.parametrize(
    ("text", "specificity"),
    [
        ("example.com/", 54),
        ("example.com", 54),
        ("example.com/*", 52),
        ("*example.com/*", 52),
        ("www.example.com/*", 78),
        ("*.example.com/*", 26),
        ("*/*", -26),
        ("*", -24),
        ("example.com/images*", 54),
        ("example.com/images/*", 53),
        ("https://example.com/*", 52),
        ("[::1]/*", 26),
    ],
)
def test_specificity_follows_the_formula(text: str, specificity: int) -> None:
    assert parse_pattern(text).specificity == specificity


def test_a_host_outweighs_a_path_until_its_26th_piece() -> None:
    longest_that_loses = parse_pattern("example.com" + "/a" * 25)
    one_label_more = parse_pattern("www.example.com/*")

    assert longest_that_loses.specificity == one_label_more.specificity
    assert parse_pattern("example.com" + "/a" * 26).specificity > one_label_more.specificity


@pytest.mark.parametrize(
    ("text", "host", "path"),
    [
        ("example.com/a b/*", "example.com", "/a%20b/"),
        ("example.com/é", "example.com", "/%C3%A9"),
        ("example.com/%C3%A9*", "example.com", "/%C3%A9"),
        ("example.com/a/../b/./c", "example.com", "/b/c"),
        ("example.com/a%2Fb", "example.com", "/a%2Fb"),
        ("example.com//x/*", "example.com", "//x/"),
        ("example.com\\a\\*", "example.com", "/a/"),
        ("example.com/a/.*", "example.com", "/a/"),  # miniflare resolves the dot that is left without its wildcard
        ("example.com/a/..*", "example.com", "/"),
        ("EXAMPLE.com/Path", "example.com", "/Path"),
        ("bücher.example/*", "xn--bcher-kva.example", "/"),
        ("*bücher.example/*", "xn--bcher-kva.example", "/"),
        ("*.bücher.example/*", ".xn--bcher-kva.example", "/"),
        ("*/*", "", "/"),
        ("*", "", "/"),
        ("[::0:1]/*", "[::1]", "/"),
        ("_a.example.com", "_a.example.com", "/"),
        ("HTTPS://example.com", "example.com", "/"),
    ],
)
def test_a_pattern_is_put_into_the_canonical_form_of_urls(text: str, host: str, path: str) -> None:
    pattern = parse_pattern(text)

    assert (pattern.host, pattern.path) == (host, path)


@pytest.mark.parametrize(
    ("text", "url", "mismatch"),
    [
        ("example.com", "http://example.com/", None),
        ("example.com", "https://example.com/", None),
        ("example.com", "http://example.com/?x", "query"),
        ("example.com/a", "http://example.com/a?x", "query"),
        ("example.com/a", "http://example.com/b?x", "path"),
        ("example.com/a*", "http://example.com/a?x", None),
        ("example.com/a*", "http://example.com/A", "path"),
        ("http://example.com/*", "https://example.com/", "scheme"),
        ("https://example.com/*", "http://other.com/", "scheme"),
        ("example.com/*", "http://www.example.com/", "host"),
        ("*.example.com/*", "http://example.com/", "host"),
        ("*.example.com/*", "http://a.b.example.com/", None),
        ("*example.com/*", "http://myexample.com/", None),
        ("*example.com/*", "http://example.com/", None),
        ("example.com/*", "http://example.com:8443/", None),
        ("example.com/a b/*", "http://example.com/a%20b/c", None),
        ("example.com/é", "http://example.com/%C3%A9", None),
        ("example.com/a%2Fb", "http://example.com/a/b", "path"),
        ("example.com//x/*", "http://example.com/x/y", "path"),
        ("example.com/*", "http://example.com./", None),
        ("*/*", "http://anything/?x", None),
        ("*.bücher.example/*", "http://www.bücher.example/", None),
    ],
)
def test_a_pattern_matches_by_scheme_host_path_and_query(text: str, url: str, mismatch: Mismatch | None) -> None:
    assert parse_pattern(text).mismatch(URL.parse(url)) == mismatch


_INFIX_PATH = 'a wildcard (*) may only be the last character of the path; write "'
_INFIX_HOST = "a wildcard (*) may only be the first character of the host"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        # Refused by miniflare too.
        ("example.com/*.jpg", _INFIX_PATH + 'example.com/*"'),
        ("example.com/**", _INFIX_PATH + 'example.com/*"'),
        ("example.com/a*b*", _INFIX_PATH + 'example.com/a*"'),
        ("exa*mple.com/*", _INFIX_HOST),
        ("www.*.com/*", _INFIX_HOST),
        ("example.*/*", _INFIX_HOST),
        ("**example.com/*", _INFIX_HOST),
        ("*.*", _INFIX_HOST),
        ("example.com/*?x=1", 'must not contain a query string; leave out "?x=1"'),
        ("example.com/?foo=*", 'must not contain a query string; leave out "?foo=*"'),
        ("", "it is empty"),
        ("https://", "there is no host"),
        ("exam ple.com/*", '"exam ple.com" is not a host name: it contains " "'),
        ("*127.0.0.1/*", 'an address has no names below it; write "127.0.0.1"'),
        ("[::1/*", "is not a host name"),
        # Accepted by miniflare without a word.
        ("*/*.jpg", _INFIX_PATH + '*/*"'),
        ("example.com/*?", 'must not contain a query string; leave out "?"'),
        ("example.com/*#frag", 'must not contain a fragment; leave out "#frag"'),
        ("example.com/#f?x", 'must not contain a fragment; leave out "#f?x"'),
        ("user@example.com/*", 'must not contain a user; leave out "user@"'),
        ("ftp://example.com/*", 'not for "ftp://"'),
        ("/foo/*", 'there is no host in front of the path; write "example.com/foo/*"'),
        ("https:///foo", "there is no host"),
        ("*.", "the host is empty"),
        ("example.com:8443/*", '"example.com:8443" contains a port; write "example.com"'),
        ("*.example.com:8443/*", '"example.com:8443" contains a port; write "example.com"'),
        ("example.com./*", "a label is empty"),
        ("*..example.com/*", "a label is empty"),
        ("＊.example.com/*", "a wildcard in disguise"),
        ("example.com/* ", "begins or ends with a space"),
        ("exam\tple.com/*", "a control character"),
        ("example.com/\ud800*", "not Unicode text"),
    ],
)
def test_a_pattern_that_cannot_be_meant_is_refused_with_what_would_be_right(text: str, says: str) -> None:
    with pytest.raises(ConfigError) as refused:
        parse_pattern(text)

    message = str(refused.value)
    assert message.startswith('Invalid route pattern "')
    assert says in message
    assert message.isprintable()


def test_a_query_is_told_before_a_wildcard() -> None:
    with pytest.raises(ConfigError, match="query string"):
        parse_pattern("exa*mple.com/*.jpg?x")


def test_where_a_refused_pattern_was_written_comes_first() -> None:
    with pytest.raises(ConfigError, match=r'^wrangler\.toml: routes\[1\]: Invalid route pattern "": '):
        parse_pattern("", "wrangler.toml: routes[1]")


def test_a_pattern_keeps_its_text_and_its_parts() -> None:
    assert parse_pattern("https://*.Example.com/a/*") == Pattern(
        text="https://*.Example.com/a/*",
        scheme="https",
        any_prefix=True,
        host=".example.com",
        path="/a/",
        any_path=True,
        host_score=1,
        path_score=1,
    )
