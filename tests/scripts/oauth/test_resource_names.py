"""Resource indicators are compared as URLs."""

import pytest

from issuer import resource_names

KNOWN = ("https://api.example.com", "https://api.example.com/v2", "urn:example:api")


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("https://api.example.com", "https://api.example.com"),
        ("https://api.example.com/", "https://api.example.com"),  # as every URL class writes it
        ("HTTPS://API.example.com:443/", "https://api.example.com"),
        ("https://api.example.com/v2", "https://api.example.com/v2"),
        ("https://api.example.com/v2/", None),
        ("https://api.example.com/V2", None),
        ("http://api.example.com", None),
        ("https://api.example.com:444", None),
        ("https://api.example.com/#x", None),
        ("https://me@api.example.com", None),
        ("urn:example:api", "urn:example:api"),
        ("urn:example:API", None),
        ("", None),
    ],
)
def test_a_resource_is_found_in_its_registered_spelling(name: str, found: str | None) -> None:
    assert resource_names.find(name, KNOWN) == found


def test_several_are_found_once_each_or_not_at_all() -> None:
    assert resource_names.find_all(["https://api.example.com/", "https://api.example.com"], KNOWN) == (KNOWN[0],)
    assert resource_names.find_all(["https://api.example.com", "https://evil.example"], KNOWN) is None
    assert resource_names.find_all([], KNOWN) == ()
