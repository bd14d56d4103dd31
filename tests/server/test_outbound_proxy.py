"""HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY."""

import pytest

from edgeworker.config import Outbound
from edgeworker.errors import ConfigError
from edgeworker.server.outbound_proxy import Proxies, Proxy, with_environment_proxies


@pytest.mark.parametrize(
    ("text", "proxy"),
    [
        ("http://proxy.example:3128", Proxy("proxy.example", 3128)),
        ("proxy.example:3128", Proxy("proxy.example", 3128)),
        ("http://proxy.example/", Proxy("proxy.example", 80)),
        ("http://[::1]:3128", Proxy("::1", 3128)),
        # RFC 7617: "Aladdin", "open sesame"
        ("http://Aladdin:open%20sesame@10.0.0.1", Proxy("10.0.0.1", 80, b"Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==")),
        ("http://me@10.0.0.1", Proxy("10.0.0.1", 80, b"Basic bWU6")),
        ("", None),
    ],
)
def test_a_proxy_is_the_url_in_the_variable_of_its_scheme(text: str, proxy: Proxy | None) -> None:
    assert Proxies.from_config(Outbound(https_proxy=text)).proxy_for("https", "a.example", 443) == proxy
    assert Proxies.from_config(Outbound(https_proxy=text)).proxy_for("http", "a.example", 80) is None
    assert Proxies.from_config(Outbound(http_proxy=text)).proxy_for("http", "a.example", 80) == proxy


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("socks5://user:secret@a.example:1080", 'a "socks5" proxy cannot be used'),
        ("https://a.example", 'a "https" proxy cannot be used'),
        ("http://a.example:secret", "its port is not a number"),
        ("http://", "it is not such a URL"),
        ("http://u:secret@a.example/path", "it is not such a URL"),
    ],
)
def test_what_is_not_a_proxy_is_a_configuration_error_without_its_password(text: str, why: str) -> None:
    with pytest.raises(ConfigError, match=rf"^HTTPS_PROXY must be .*, or NO_PROXY be \*; {why}$") as caught:
        Proxies.from_config(Outbound(https_proxy=text))

    assert "secret" not in str(caught.value)


def test_no_password_is_in_a_repr() -> None:
    outbound = Outbound(http_proxy="http://u:secret@a.example", https_proxy="http://u:secret@a.example")

    assert "secret" not in repr(outbound)
    assert "Basic" not in repr(Proxies.from_config(outbound))


@pytest.mark.parametrize(
    ("no_proxy", "host", "port", "direct"),
    [
        ("", "a.example", 80, False),
        ("*", "a.example", 80, True),
        ("b.example, a.example", "a.example", 80, True),
        ("a.example", "x.a.example", 80, True),
        (".a.example", "x.a.example", 80, True),
        ("*.a.example", "x.a.example", 80, True),
        ("A.Example.", "a.example", 80, True),
        ("a.example", "xa.example", 80, False),
        ("a.example", "a.example.evil.test", 80, False),
        ("a.example:8080", "a.example", 8080, True),
        ("a.example:8080", "a.example", 80, False),
        ("10.0.0.0/8", "10.1.2.3", 80, True),
        ("10.0.0.0/8", "11.1.2.3", 80, False),
        ("10.1.2.3", "10.1.2.3", 80, True),
        ("10.1.2.3:81", "10.1.2.3", 80, False),
        ("2001:db8::/32", "2001:db8::1", 80, True),
        ("[2001:db8::1]:81", "2001:db8::1", 81, True),
        # What is on this machine is not what the proxy would find there.
        ("", "localhost", 80, True),
        ("", "x.localhost", 80, True),
        ("", "127.1.2.3", 80, True),
        ("", "::1", 80, True),
    ],
)
def test_no_proxy_lists_what_is_reached_directly(no_proxy: str, host: str, port: int, direct: bool) -> None:
    proxies = Proxies.from_config(Outbound(http_proxy="http://proxy.example:3128", no_proxy=no_proxy))

    assert (proxies.proxy_for("http", host, port) is None) is direct


@pytest.mark.parametrize(
    ("environ", "http", "https", "no_proxy"),
    [
        ({}, "", "", ""),
        ({"HTTP_PROXY": "http://a"}, "http://a", "", ""),
        ({"http_proxy": "http://a"}, "http://a", "", ""),
        ({"HTTPS_PROXY": "http://a", "NO_PROXY": "b"}, "", "http://a", "b"),
        ({"https_proxy": "http://a", "no_proxy": "b"}, "", "http://a", "b"),
        ({"ALL_PROXY": "http://a"}, "http://a", "http://a", ""),
        ({"all_proxy": "http://a", "HTTPS_PROXY": "http://b"}, "http://a", "http://b", ""),
        ({"HTTP_PROXY": "http://a", "http_proxy": "http://b"}, "http://b", "", ""),
        ({"NO_PROXY": "a", "no_proxy": "b"}, "", "", "b"),
        # There and empty: no proxy for this scheme.
        ({"ALL_PROXY": "http://a", "HTTP_PROXY": ""}, "", "http://a", ""),
        ({"HTTP_PROXY": "http://a", "http_proxy": " "}, "", "", ""),
        # https://httpoxy.org/
        ({"HTTP_PROXY": "http://evil", "REQUEST_METHOD": "GET"}, "", "", ""),
        ({"http_proxy": "http://a", "REQUEST_METHOD": "GET"}, "http://a", "", ""),
        ({"HTTPS_PROXY": "http://a", "REQUEST_METHOD": "GET"}, "", "http://a", ""),
    ],
)
def test_the_environment_names_the_proxies(environ: dict[str, str], http: str, https: str, no_proxy: str) -> None:
    wanted = Outbound(("10.0.0.0/8",), http_proxy=http, https_proxy=https, no_proxy=no_proxy)

    assert with_environment_proxies(environ, Outbound(("10.0.0.0/8",))) == wanted


@pytest.mark.parametrize("name", ["HTTP_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"])
def test_the_variable_that_cannot_be_used_is_named_unless_no_proxy_is_to_be_used(name: str) -> None:
    with pytest.raises(ConfigError, match=rf'^{name} must be .*; a "socks5h" proxy cannot be used$'):
        with_environment_proxies({name: "socks5h://127.0.0.1:9050"}, Outbound())

    outbound = with_environment_proxies({name: "socks5h://127.0.0.1:9050", "NO_PROXY": "*"}, Outbound())
    assert Proxies.from_config(outbound) == Proxies()
