import pytest

from edgeworker.errors import ConfigError
from edgeworker.messages.hosts import canonical_host, is_address, is_within, parents


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("Example.COM", "example.com"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("example。com", "example.com"),
        ("_dmarc.example.com", "_dmarc.example.com"),
        ("[::0:1]", "[::1]"),
        ("127.1", "127.0.0.1"),
        ("localhost", "localhost"),
    ],
)
def test_a_host_has_one_canonical_form(written: str, canonical: str) -> None:
    assert canonical_host(written) == canonical


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("", "the host is empty"),
        ("a/b", '"a/b" is not a host name: it contains "/"'),
        ("a b", 'contains " "'),
        ("a\tb", "contains '\\t'"),
        ("a%2Ab", 'contains "%"'),
        ("*.a", 'contains "*"'),
        ("＊.a", "a wildcard in disguise"),
        ("a:443", '"a:443" contains a port; write "a"'),
        ("[::1]:80", '"[::1]:80" contains a port; write "[::1]"'),
        ("a.", "a label is empty"),
        (".a", "a label is empty"),
        ("a..b", "a label is empty"),
        ("[::1", "is not a host name"),
        ("::1", '"::1" is not a host name'),
        ("1.2.3.4.5", "is not a host name"),
        ("a\ud800.com", "is not a host name"),
    ],
)
def test_what_is_not_a_bare_host_is_refused_with_the_reason(written: str, says: str) -> None:
    with pytest.raises(ConfigError) as refused:
        canonical_host(written)

    assert says in str(refused.value)


@pytest.mark.parametrize(
    ("host", "address"), [("127.0.0.1", True), ("[::1]", True), ("localhost", False), ("1.example", False)]
)
def test_an_address_is_told_from_a_name(host: str, address: bool) -> None:
    assert is_address(host) is address


def test_the_parents_of_a_host_come_nearest_first() -> None:
    assert list(parents("a.b.example.com")) == ["b.example.com", "example.com", "com"]
    assert list(parents("localhost")) == []
    assert list(parents("[::ffff:1]")) == []


def test_a_domain_holds_itself_and_the_names_below_it() -> None:
    assert is_within("example.com", "example.com")
    assert is_within("a.b.example.com", "example.com")
    assert not is_within("myexample.com", "example.com")
    assert not is_within("com", "example.com")
