"""Metadata: every URL is the issuer's, and what it promises is what the server has."""

import re

import pytest

from issuer import clients, keys, metadata, signing
from issuer.auth_router import PAGES
from issuer.authorization_request import PROMPTS, RESPONSE_MODES
from issuer.settings import IssuerSettings
from issuer.token_endpoint import GRANTS
from issuer.users import RESERVED_CLAIMS

SETTINGS = IssuerSettings(
    issuer="https://auth.example.com/tenant", resources=("https://api.example.com",), scopes={"openid": "", "read": ""}
)
KEYS = keys.new(["ES256"], now=0)
SERVER = metadata.server(SETTINGS, KEYS)


def listed(name: str) -> set[str]:
    found = SERVER[name]
    assert isinstance(found, list)
    assert len(found) == len(set(found))
    return set(found)


def test_every_url_is_below_the_issuer() -> None:
    """RFC 8414 section 3.3: the issuer is compared character by character."""
    urls = {name: value for name, value in SERVER.items() if name.endswith(("_endpoint", "_uri"))}

    assert SERVER["issuer"] == "https://auth.example.com/tenant"
    assert len(urls) == 7
    assert all(re.fullmatch(r"https://auth\.example\.com/tenant/\w+", str(url)) for url in urls.values()), urls


def test_pages_that_are_named_exist() -> None:
    for name in ("authorization_endpoint", "end_session_endpoint"):
        assert str(SERVER[name]).removeprefix(SETTINGS.issuer) in PAGES


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("grant_types_supported", set(GRANTS)),
        ("response_modes_supported", set(RESPONSE_MODES)),
        ("prompt_values_supported", set(PROMPTS)),
        ("scopes_supported", {"openid", "read"}),
        ("token_endpoint_auth_methods_supported", set(clients.AUTH_METHODS)),
        ("revocation_endpoint_auth_methods_supported", set(clients.AUTH_METHODS)),
        # RFC 7662 section 2.1: no one may ask without credentials
        ("introspection_endpoint_auth_methods_supported", set(clients.AUTH_METHODS) - {"none"}),
        ("token_endpoint_auth_signing_alg_values_supported", set(signing.CLIENT_ALGORITHMS)),
    ],
)
def test_a_list_names_what_there_is(name: str, values: set[str]) -> None:
    assert listed(name) == values


def test_only_algorithms_that_there_are_keys_of_are_named() -> None:
    assert listed("id_token_signing_alg_values_supported") == {"ES256"}
    both = keys.rotate(KEYS, now=0, overlap_seconds=60)
    assert metadata.server(SETTINGS, both)["id_token_signing_alg_values_supported"] == ["ES256"]


def test_no_claim_that_is_named_can_come_from_a_record() -> None:
    assert listed("claims_supported") <= RESERVED_CLAIMS


def test_what_is_not_supported_is_said() -> None:
    """OpenID Connect Discovery section 3: the default of request_uri_parameter_supported is true."""
    assert SERVER["request_uri_parameter_supported"] is False
    assert SERVER["request_parameter_supported"] is False


@pytest.mark.parametrize("name", ["", "/resource"])
def test_a_resource_names_itself_and_its_server(name: str) -> None:
    """RFC 9728 section 3.3: `resource` is the URL that the document was found for."""
    assert metadata.resource(SETTINGS, name) == {
        "resource": SETTINGS.issuer + name,
        "authorization_servers": [SETTINGS.issuer],
        "jwks_uri": SETTINGS.issuer + "/jwks",
        "scopes_supported": ["openid", "read"],
        "bearer_methods_supported": ["header"],
    }
