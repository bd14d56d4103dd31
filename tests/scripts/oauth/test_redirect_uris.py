"""Which redirect URIs may be registered and which a request may name: attacks O1, O2 and O11, and defect 6."""

from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from issuer import redirect_uris
from issuer.redirect_uris import BadRedirectURI

GOOD = "https://app.example.com/callback"

REGISTRABLE = [
    GOOD,
    "https://app.example.com",
    "https://app.example.com:8443/callback?tenant=1&x=%20",
    "https://xn--bcher-kva.example/cb",
    "http://127.0.0.1/cb",
    "http://127.0.0.1:3000/cb",
    "http://[::1]:3000/cb",
    "com.example.app:/callback",
    "com.example.app://callback/path",
]

# What is wrong -> a word of the message that says so.
REFUSED = [
    ("", "not allowed in a URI"),
    ("/callback", "not absolute"),
    ("//app.example.com/callback", "not absolute"),
    ("app.example.com/callback", "not absolute"),
    ("https:/app.example.com/callback", "host"),
    ("https://", "host"),
    ("https:///callback", "host"),
    ("http://app.example.com/callback", "use https"),
    ("http://localhost:3000/cb", "localhost only"),
    ("http://127.0.0.2/cb", "use https"),
    ("http://127.0.0.1.example.com/cb", "use https"),
    ("http://[::2]/cb", "use https"),
    ("https://app.example.com/cb#part", "fragment"),
    ("https://app.example.com/cb#", "fragment"),
    ("https://*.example.com/cb", "wildcard"),
    ("https://app.example.com/*", "wildcard"),
    ("https://ann@app.example.com/cb", "user information"),
    ("https://ann:pw@app.example.com/cb", "user information"),
    ("com.example.app://ann@callback", "user information"),
    ("https://app.example.com\\@evil.example/cb", "not allowed in a URI"),
    ("https://app.example.com/c b", "not allowed in a URI"),
    (" https://app.example.com/cb", "not allowed in a URI"),
    ("https://app.example.com/cb\n", "not allowed in a URI"),
    ("https://app.example.com/\tcb", "not allowed in a URI"),
    ("https://app.example.com/\0cb", "not allowed in a URI"),
    ("https://bücher.example/cb", "not allowed in a URI"),
    ("https://app.example.com/%zz", "not allowed in a URI"),
    ("https://App.example.com/cb", "lower case"),
    ("HTTPS://app.example.com/cb", "lower case"),
    ("https://app.example.com./cb", "host"),
    ("https://app..example.com/cb", "host"),
    ("https://app.example.com:/cb", "host"),
    ("https://app.example.com:0/cb", "host"),
    ("https://app.example.com:65536/cb", "host"),
    ("https://app.example.com:080/cb", "host"),
    ("https://app.example.com/a/../cb", "path"),
    ("https://app.example.com/a/%2E%2e/cb", "path"),
    ("https://app.example.com/a/.", "path"),
    ("https://app.example.com/cb?code=1", "response"),
    ("https://app.example.com/cb?x=1&st%61te=1", "response"),
    ("javascript:alert(1)", "not a place"),
    ("JaVaScRiPt:alert(1)", "not a place"),
    (" javascript:alert(1)", "not allowed in a URI"),
    ("javascript://app.example.com/%0aalert(1)", "not a place"),
    ("data:text/html,x", "not a place"),
    ("vbscript:x", "not a place"),
    ("file:///etc/passwd", "not a place"),
    ("about:blank", "not a place"),
    ("blob:https://app.example.com/1", "not a place"),
    ("myapp:/callback", "reversed domain name"),
    ("https://app.example.com/" + "a" * redirect_uris.MAX_LENGTH, "longer than"),
]


@pytest.mark.parametrize("uri", REGISTRABLE)
def test_these_can_be_registered_and_are_matched(uri: str) -> None:
    redirect_uris.check(uri)

    assert redirect_uris.match(uri, (uri,))


@pytest.mark.parametrize(("uri", "why"), REFUSED)
def test_these_cannot_be_registered_and_match_not_even_themselves(uri: str, why: str) -> None:
    with pytest.raises(BadRedirectURI, match=why):
        redirect_uris.check(uri)

    assert not redirect_uris.match(uri, (uri,)) or "localhost" in uri


def test_localhost_is_only_for_those_who_allow_it() -> None:
    redirect_uris.check("http://localhost:3000/cb", localhost=True)

    assert redirect_uris.match("http://localhost:3000/cb", ("http://localhost:3000/cb",))
    # Its port is not free as that of an address is.
    assert not redirect_uris.match("http://localhost:4000/cb", ("http://localhost:3000/cb",))


@pytest.mark.parametrize(
    "asked",
    [
        "https://evil.example/callback",
        "https://evil.app.example.com/callback",
        "https://app.example.com.evil.example/callback",
        "https://app.example.com/callback/",
        "https://app.example.com/callback/evil",
        "https://app.example.com/callbac",
        "https://app.example.com/x/../callback",
        "https://app.example.com/x/%2e%2e/callback",
        "https://app.example.com/%63allback",
        "https://app.example.com/callback?x=1",
        "https://app.example.com/callback?",
        "https://app.example.com/callback#x",
        "https://app.example.com@evil.example/callback",
        "https://evil.example\\@app.example.com/callback",
        "https://app.example.com\t/callback",
        "https://app.example.com/callback\n",
        "https://app.example.com/Callback",
        "https://APP.example.com/callback",
        "https://app.example.com./callback",
        "https://app.example.com:443/callback",
        "https://app.example.com:8443/callback",
        "https://аpp.example.com/callback",  # the first letter is Cyrillic
        "https://xn--pp-7lc.example.com/callback",
        "http://app.example.com/callback",
        "//app.example.com/callback",
        "javascript://app.example.com/callback",
    ],
)
def test_only_the_very_text_matches(asked: str) -> None:
    assert not redirect_uris.match(asked, (GOOD,))


@pytest.mark.parametrize(
    ("asked", "registered", "good"),
    [
        ("http://127.0.0.1:51004/cb", "http://127.0.0.1/cb", True),
        ("http://127.0.0.1/cb", "http://127.0.0.1:3000/cb", True),
        ("http://[::1]:51004/cb?x=1", "http://[::1]:1/cb?x=1", True),
        ("http://127.0.0.1:51004/", "http://127.0.0.1/cb", False),
        ("http://127.0.0.1:51004/cb?x=1", "http://127.0.0.1/cb", False),
        ("http://[::1]:51004/cb", "http://127.0.0.1/cb", False),
        ("http://localhost:51004/cb", "http://127.0.0.1/cb", False),
        ("http://127.0.0.1:99999/cb", "http://127.0.0.1/cb", False),
        ("http://127.0.0.1:@evil.example/cb", "http://127.0.0.1/cb", False),
        ("http://127.0.0.1:80@evil.example/cb", "http://127.0.0.1/cb", False),
        ("https://127.0.0.1:51004/cb", "https://127.0.0.1/cb", False),
    ],
)
def test_only_the_port_of_a_loopback_address_is_free(asked: str, registered: str, good: bool) -> None:
    assert redirect_uris.match(asked, (registered,)) is good


URIS = st.one_of(
    st.text(max_size=60),
    st.from_regex(r"(https?|javascript|com\.app):/{0,3}[a-z0-9.@:\\\[\]]{0,20}(/[ -~]{0,20})?", fullmatch=True),
    st.tuples(st.sampled_from(REGISTRABLE), st.text(max_size=5), st.text(max_size=5)).map(
        lambda parts: parts[1] + parts[0] + parts[2]
    ),
)


@given(URIS, st.sampled_from(REGISTRABLE))
@example("http://127.0.0.1:1\n", "http://127.0.0.1")
def test_what_matches_leads_where_the_registered_one_leads(asked: str, registered: str) -> None:
    if redirect_uris.match(asked, (registered,)) and asked != registered:
        one, other = urlsplit(asked), urlsplit(registered)
        assert one.hostname in ("127.0.0.1", "::1")
        assert one._replace(netloc="") == other._replace(netloc="")
        assert (one.hostname, one.username) == (other.hostname, None)


@given(URIS)
@example("com.example.app://[/callback")
def test_what_may_be_registered_can_be_answered_to(uri: str) -> None:
    try:
        redirect_uris.check(uri)
    except BadRedirectURI:
        return
    location = redirect_uris.with_parameters(uri, {"code": "c", "state": "s"})

    assert location.startswith(uri)
    assert parse_qs(urlsplit(location).query)["code"] == ["c"]
    assert uri.startswith(redirect_uris.form_source(uri))
    assert redirect_uris.name_destination(uri)


@pytest.mark.parametrize(
    ("uri", "location"),
    [
        ("https://a.example/cb", "https://a.example/cb?state=a%0D%0Ab%26c%3Dd%20%23"),
        ("https://a.example/cb?x=1", "https://a.example/cb?x=1&state=a%0D%0Ab%26c%3Dd%20%23"),
        ("https://a.example/cb?", "https://a.example/cb?state=a%0D%0Ab%26c%3Dd%20%23"),
    ],
)
def test_a_state_of_any_characters_stays_one_parameter(uri: str, location: str) -> None:
    assert redirect_uris.with_parameters(uri, {"state": "a\r\nb&c=d #"}) == location


@pytest.mark.parametrize(
    ("uri", "source", "place"),
    [
        ("https://app.example.com:8443/cb?x", "https://app.example.com:8443", "app.example.com:8443"),
        ("http://127.0.0.1:3000", "http://127.0.0.1:3000", "127.0.0.1:3000"),
        ("http://[::1]:3000/cb", "http:", "[::1]:3000"),  # CSP cannot name an IPv6 address
        ("com.example.app:/cb", "com.example.app:", "com.example.app"),
    ],
)
def test_a_policy_and_a_person_are_told_where_it_leads(uri: str, source: str, place: str) -> None:
    assert (redirect_uris.form_source(uri), redirect_uris.name_destination(uri)) == (source, place)


def test_a_policy_names_each_origin_once_and_not_without_end() -> None:
    assert redirect_uris.form_sources(GOOD, (GOOD, "com.example.app:/cb")) == "https://app.example.com com.example.app:"
    many = redirect_uris.form_sources(GOOD, [f"https://h{number}.example.com/" for number in range(100)])
    assert many.startswith("https://app.example.com https://h0.example.com")
    assert len(many.split()) == 20
