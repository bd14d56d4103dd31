"""The functions, called in expressions: https://developers.cloudflare.com/ruleset-engine/rules-language/functions/"""

import hashlib

import pytest

from edgeworker.expressions import CUSTOM_RULES, RequestFacts, compile_expression, parse
from edgeworker.messages import URL, Client, Headers, Request

_HEADERS = Headers({"x-a": " Hello%20World+! ", "x-b": "a,b,c", "x-c": "aGVsbG8", "x-q": "a=1&b=2&c=3", "x-j": "{"})
_SHA256 = "".join(f"\\x{byte:02x}" for byte in hashlib.sha256(b"a,b,c").digest())
_SHA512 = "".join(f"\\x{byte:02x}" for byte in hashlib.sha512(b"a,b,c").digest())


@pytest.mark.parametrize(
    "expression",
    [
        'lower(http.request.headers["x-b"][0]) eq "a,b,c"',
        'upper(http.request.headers["x-b"][0]) eq "A,B,C"',
        'url_decode(trim(http.request.headers["x-a"][0])) eq "Hello World !"',
        'trim(concat("--", http.host, "-"), "-") eq "example.com"',
        'trim_start(concat("  ", http.host, " ")) eq "example.com "',
        'trim_end(concat("  ", http.host, " ")) eq "  example.com"',
        'ends_with(http.host, ".com") and starts_with(http.host, "ex") and contains(http.host, "mple")',
        'substring(http.host, 0, 2) eq "ex"',
        'substring(http.host, -3, 11) eq "com"',
        'remove_bytes(http.request.headers["x-b"][0], ",a") eq "bc"',
        'to_string(len(http.host)) eq "11"',
        'split(http.request.headers["x-b"][0], ",", 2)[1] eq "b,c"',
        'join(split(http.request.headers["x-b"][0], ",", 9), "-") eq "a-b-c"',
        'decode_base64(http.request.headers["x-c"][0]) eq "hello"',
        'encode_base64(http.request.headers["x-b"][0]) eq "YSxiLGM"',
        'encode_base64(concat(http.host, "?"), "up") eq "ZXhhbXBsZS5jb20_"',
        'remove_query_args(http.request.headers["x-q"][0], "a", "c") eq "b=2"',
        f'sha256(http.request.headers["x-b"][0]) eq "{_SHA256}"',
        f'sha512(http.request.headers["x-b"][0]) eq "{_SHA512}"',
        "cidr(ip.src, 16, 32) eq 192.0.0.0",
        "cidr6(ip.src, 16) eq 192.0.2.7",
        'ip_in_range(ip.src, "192.0.2.0/24")',
        'wildcard(http.host, "EX*com")',
        'has_value(http.request.headers["x-b"], "a,b,c")',
        'concat(http.request.headers["x-b"], http.request.headers["x-c"])[1] eq "aGVsbG8"',
    ],
)
def test_a_function_gives_what_is_documented(expression: str) -> None:
    request = Request("GET", URL.parse("https://example.com/"), _HEADERS, client=Client("192.0.2.7"))

    assert compile_expression(parse(expression, CUSTOM_RULES))(RequestFacts(request, now_ms=0, tokens={}))


@pytest.mark.parametrize(
    "expression",
    [
        'decode_base64(http.request.headers["x-b"][0]) ne "a"',
        'lookup_json_string(http.request.headers["x-j"][0], "a") ne "a"',
        'lookup_json_integer(http.request.headers["x-b"][0], 0) ne 1',
        'split(http.request.headers["x-b"][0], "", 2)[0] ne "x"',
        'split(http.request.headers["x-b"][0], ",", 129)[0] ne "x"',
        "cidr(ip.src, 33, 32) ne 1.2.3.4",
        'ip_in_range(ip.src, "nowhere")',
        'wildcard(http.host, "a**")',
    ],
)
def test_an_argument_that_makes_no_sense_gives_a_missing_value(expression: str) -> None:
    request = Request("GET", URL.parse("https://example.com/"), _HEADERS, client=Client("192.0.2.7"))

    assert not compile_expression(parse(expression, CUSTOM_RULES))(RequestFacts(request, now_ms=0, tokens={}))
