"""What a client may say about itself, and what the edge says instead."""

from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeworker.admission import MAX_LOOPS, Refusal, admit, end_to_end
from edgeworker.messages import URL, Access, Client, Credentials, Headers, InvalidURL, Request, VerifiedToken
from edgeworker.routing import alternative_paths

RAY = "0123456789abcdef-LHR"


def request(*fields: tuple[str, str], method: str = "GET", url: str = "https://a.example/x") -> Request:
    return Request(method, URL.parse(url), Headers(fields), client=Client("198.51.100.7", 4711))


def admitted(*fields: tuple[str, str], url: str = "https://a.example/x") -> Request:
    result = admit(request(*fields, url=url), ray=RAY)
    assert isinstance(result, Request)
    return result


def test_hop_by_hop_fields_and_those_that_connection_names_stay_behind() -> None:
    fields = [
        (b"Connection", b"close, X-Named ,"),
        (b"x-named", b"1"),
        (b"Connection", b"other"),
        (b"Other", b"1"),
        (b"Proxy-Connection", b"keep-alive"),
        (b"Trailer", b"x"),
        (b"Kept", b"1"),
        (b"kept", b"2"),
    ]

    assert end_to_end(fields) == [(b"Kept", b"1"), (b"kept", b"2")]


def test_the_edge_says_who_the_client_is() -> None:
    assert dict(admitted(url="http://a.example/").headers) == {
        "cf-connecting-ip": "198.51.100.7",
        "cf-ray": RAY,
        "cf-visitor": '{"scheme":"http"}',
        "x-forwarded-for": "198.51.100.7",
        "x-forwarded-proto": "http",
        "x-real-ip": "198.51.100.7",
        "cdn-loop": "cloudflare; loops=1",
    }


FORGED = [
    "Cf-Access-Jwt-Assertion",
    "Cf-Access-Authenticated-User-Email",
    "CF-Connecting-IP",
    "CF-Connecting-IPv6",
    "CF-Pseudo-IPv4",
    "CF-IPCountry",
    "Cf-IPCity",
    "Cf-Region-Code",
    "Cf-Timezone",
    "Cf-Bot-Score",
    "Cf-Verified-Bot",
    "Cf-Ja3-Hash",
    "Cf-Client-Cert-Der-Base64",
    "Cf-Client-Cert-Sha256",
    "Cf-Cert-Verified",
    "Cf-Cert-Subject-Dn",
    "Client-Cert",
    "Client-Cert-Chain",
    "CF-Ray",
    "CF-Visitor",
    "CF-Worker",
    "CF-EW-Via",
    "True-Client-IP",
    "X-Real-IP",
    "X-Client-IP",
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Forwarded-Proto",
    "X-Forwarded-Anything",
    "X-Forwarded",
    "X-Original-URL",
    "X-Original-URI",
    "X-Rewrite-URL",
    "Transfer-Encoding",
    "Proxy-Authorization",
    "Proxy",
    "Forwarded",
]


@pytest.mark.parametrize("name", FORGED)
def test_what_only_an_edge_may_say_is_removed_in_every_spelling(name: str) -> None:
    underscored = name.replace("-", "_")

    for spelling in (name, name.upper(), underscored, underscored.lower(), name.replace("-", "_", 1)):
        assert "forged" not in [value for _, value in admitted((spelling, "forged")).headers], spelling


@pytest.mark.parametrize("name", ["Content_Length", "content_type", "CDN_Loop"])
def test_what_frames_a_request_has_no_second_spelling(name: str) -> None:
    assert "forged" not in [value for _, value in admitted((name, "forged")).headers]


@given(st.lists(st.tuples(st.from_regex(r"[A-Za-z][A-Za-z0-9_-]{0,12}", fullmatch=True), st.just("client"))))
def test_every_other_field_is_kept_in_its_order(fields: list[tuple[str, str]]) -> None:
    usual = [
        field
        for field in fields
        if field[0].lower() not in ("te", "upgrade", "trailer", "connection", "forwarded", "proxy")
    ]
    usual = [field for field in usual if field[0].lower() not in ("cookie", "authorization", "keep-alive", "cf-ray")]

    kept = [(name.decode(), value.decode()) for name, value in admitted(*usual).headers.raw if value == b"client"]

    assert kept == [field for field in usual if not field[0].lower().replace("_", "-").startswith("x-forwarded-")]


def test_credentials_are_read_before_the_fields_that_carry_them_are_removed() -> None:
    result = admitted(
        ("Authorization", "Bearer x"),
        ("Cookie", "a=1; CF_Authorization=jwt"),
        ("Cookie", "b=2"),
        ("CF-Access-Client-Id", "id.access"),
        ("CF-Access-Client-Secret", "secret"),
    )

    assert result.credentials == Credentials(
        authorization="Bearer x",
        cookie="a=1; CF_Authorization=jwt; b=2",
        access_cookie="jwt",
        client_id="id.access",
        client_secret="secret",
    )
    assert result.headers.get("authorization") == "Bearer x"
    assert result.headers.get_all("cookie") == ["a=1; CF_Authorization=jwt", "b=2"]
    assert not result.headers.has("cf-access-client-id")


@pytest.mark.parametrize(
    ("fields", "tokens"),
    [
        ([("Cf-Access-Token", "a"), ("Cookie", "CF_Authorization=c")], ("a", None, "c")),
        ([("Cf-Access-Jwt-Assertion", "b"), ("Cookie", "CF_Authorization=c; CF_Authorization=d")], (None, "b", "c")),
        ([("Cookie", "xCF_Authorization=no")], (None, None, None)),
        ([("Cookie", "a=b;CF_Authorization=yes")], (None, None, "yes")),
        ([("Cf_Access_Token", "no"), ("Cf_Access_Jwt_Assertion", "no")], (None, None, None)),
        ([], (None, None, None)),
    ],
)
def test_each_place_of_an_access_token_is_read(
    fields: list[tuple[str, str]], tokens: tuple[str | None, str | None, str | None]
) -> None:
    found = admitted(*fields).credentials

    assert (found.access_token, found.access_assertion, found.access_cookie) == tokens


@pytest.mark.parametrize(
    "name", ["Authorization", "CF-Access-Client-Id", "CF-Access-Client-Secret", "Cf-Access-Token", "Cf-Access-X"]
)
def test_a_credential_that_comes_twice_is_refused(name: str) -> None:
    assert admit(request((name, "a"), (name.lower(), "a")), ray=RAY) == Refusal(400, f"{name.lower()} was sent twice.")


@pytest.mark.parametrize("value", ["Bearer \xff", "Bearer a\x01b", "Bearer\ta", "Bearer \x7f"])
def test_an_authorization_that_is_not_printable_is_refused(value: str) -> None:
    result = admit(request(("Authorization", value)), ray=RAY)

    assert isinstance(result, Refusal)
    assert result.status == 400
    assert value not in result.text


@pytest.mark.parametrize("method", ["CONNECT", "TRACE", "TRACK"])
def test_methods_that_speak_to_proxies_are_refused(method: str) -> None:
    assert admit(request(method=method), ray=RAY) == Refusal(405, f"The method {method} is not allowed.")


def test_connection_removes_what_it_names_but_not_what_the_edge_sets() -> None:
    result = admitted(("Connection", "X-Mine, cf-connecting-ip, cf-ray"), ("X-Mine", "1"), ("TE", "trailers"))

    assert result.headers.get("cf-connecting-ip") == "198.51.100.7"
    assert not result.headers.has("x-mine")
    assert not result.headers.has("te")
    assert not result.headers.has("connection")


@pytest.mark.parametrize(
    ("values", "sent"),
    [
        (["cloudflare"], "cloudflare; loops=2"),
        (["cloudflare; subreqs=1"], "cloudflare; loops=2"),
        (["cloudflare; loops=3; subreqs=1"], "cloudflare; loops=4"),
        (["other.example; v=1", "cloudflare; loops=2"], "other.example; v=1, cloudflare; loops=3"),
        (["not-cloudflare"], "not-cloudflare, cloudflare; loops=1"),
        ([""], "cloudflare; loops=1"),
    ],
)
def test_the_way_through_networks_is_added_to(values: list[str], sent: str) -> None:
    assert admitted(*(("CDN-Loop", value) for value in values)).headers.get("cdn-loop") == sent


def test_a_request_that_goes_round_is_stopped() -> None:
    result = admit(request(("CDN-Loop", f"cloudflare; loops={MAX_LOOPS}")), ray=RAY)

    assert isinstance(result, Refusal)
    assert result.status == 508


@pytest.mark.parametrize(
    ("fields", "kept"),
    [
        ([("Connection", "Upgrade"), ("Upgrade", "websocket")], "websocket"),
        ([("Connection", "keep-alive, Upgrade"), ("Upgrade", "WebSocket")], "websocket"),
        ([("Connection", "Upgrade"), ("Upgrade", "h2c")], None),
        ([("Upgrade", "websocket")], None),
    ],
)
def test_only_an_upgrade_to_websocket_is_passed_on(fields: list[tuple[str, str]], kept: str | None) -> None:
    headers = admitted(*fields).headers

    assert (headers.get("upgrade"), headers.get("connection")) == (kept, None)


@given(st.text(alphabet="ab/.%2eE5cCfF3bB;\\0zé", max_size=24))
def test_a_path_that_is_let_in_holds_no_dot_segment_however_it_is_read(text: str) -> None:
    try:
        url = URL.from_target("http", "a.example", "/" + text)
    except InvalidURL:
        return
    result = admit(Request("GET", url), ray=RAY)
    if isinstance(result, Refusal):
        return

    path = result.url.path
    for alternative in (path, *alternative_paths(path)):
        decoded = unquote_to_bytes(alternative)
        assert not {b".", b".."} & set(decoded.replace(b"\\", b"/").split(b"/"))
        assert b"\0" not in decoded
    # It stays what it is, wherever it is read again.
    assert URL.from_target("http", "a.example", path).path == path


def test_what_products_learned_of_another_request_is_not_admitted() -> None:
    request = Request(
        "GET",
        URL.parse("http://example.com/"),
        access=Access("forged", {"email": "root@example.com"}),
        verified_tokens=(VerifiedToken("c", {"sub": "root"}),),
    )

    admitted = admit(request, ray="ray")

    assert isinstance(admitted, Request)
    assert (admitted.access, admitted.verified_tokens) == (None, ())
    assert request.access is not None
