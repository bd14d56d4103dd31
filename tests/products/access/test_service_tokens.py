"""Service tokens: the forms in which they come, and which are good."""

import json

import pytest

from edgeworker.config import JSON
from edgeworker.messages import Credentials, Headers
from edgeworker.products.access import service_tokens
from edgeworker.products.access.objects import hash_secret, parse_application, parse_service_token
from edgeworker.products.access.service_tokens import (
    MalformedCredential,
    PresentedCredential,
    RefusedToken,
    ValidToken,
    check_credential,
)

APP = parse_application({"name": "a", "domain": "a.com"})
SINGLE = parse_application({"name": "a", "domain": "a.com", "read_service_tokens_from_header": "Authorization"})
GOOD = json.dumps({"cf-access-client-id": "i", "CF-Access-Client-Secret": "s"})
NOW = 1_800_000_000


@pytest.mark.parametrize(
    ("credentials", "fields", "expected"),
    [
        (Credentials(client_id="i", client_secret="s"), [], PresentedCredential("i", "s")),
        (Credentials(), [], None),
        (Credentials(client_id="i"), [], MalformedCredential),
        (Credentials(client_secret="s"), [], MalformedCredential),
        (Credentials(client_id="", client_secret="s"), [], MalformedCredential),
        (Credentials(), [("Authorization", GOOD)], PresentedCredential("i", "s")),
        (Credentials(), [("Authorization", "Basic abc")], None),
        (Credentials(), [("Authorization", "{broken")], MalformedCredential),
        (Credentials(), [("Authorization", "{}")], MalformedCredential),
        (Credentials(), [("Authorization", "{" * 3000)], MalformedCredential),
        (Credentials(), [("Authorization", GOOD), ("Authorization", GOOD)], MalformedCredential),
        (Credentials(client_id="i", client_secret="s"), [("Authorization", GOOD)], MalformedCredential),
    ],
)
def test_how_a_credential_is_shown(credentials: Credentials, fields: list[tuple[str, str]], expected: object) -> None:
    found = service_tokens.read_credential(credentials, Headers(fields), SINGLE)

    assert isinstance(found, expected) if isinstance(expected, type) else found == expected


def test_a_header_that_no_application_names_is_not_looked_at() -> None:
    assert service_tokens.read_credential(Credentials(), Headers([("Authorization", GOOD)]), APP) is None


def _token(**more: JSON) -> dict[str, JSON]:
    return {"id": "t", "name": "ci", "client_id": "i", "client_secret": "new", **more}


@pytest.mark.parametrize(
    ("token", "secret", "trouble"),
    [
        (_token(), "new", None),
        (_token(), "old", "wrong secret"),
        (_token(), "", "wrong secret"),
        (_token(previous_hash=hash_secret("old"), previous_until=NOW + 1), "old", None),
        (_token(previous_hash=hash_secret("old"), previous_until=NOW + 1), "new", None),
        (_token(previous_hash=hash_secret("old"), previous_until=NOW), "old", "wrong secret"),
        (_token(enabled=False), "new", "disabled"),
        (_token(enabled=False, previous_hash=hash_secret("old"), previous_until=NOW + 1), "old", "disabled"),
        (_token(expires_at_seconds=NOW + 1), "new", None),
        (_token(expires_at_seconds=NOW), "new", "expired"),
    ],
)
def test_which_secret_is_good(token: dict[str, JSON], secret: str, trouble: str | None) -> None:
    found = check_credential(PresentedCredential("i", secret), {"i": parse_service_token(token)}, NOW)

    match found:
        case ValidToken():
            assert trouble is None
        case RefusedToken(given):
            assert given == trouble


def test_an_unknown_client_id_is_refused_without_a_token() -> None:
    assert check_credential(PresentedCredential("other", "new"), {}, NOW) == RefusedToken("unknown", None)


def test_a_new_secret_has_the_documented_form_and_is_not_in_any_repr() -> None:
    secret = service_tokens.new_secret()

    assert secret.startswith("cfast_")
    assert len(secret) == 6 + 40 + 8
    assert service_tokens.checksum(secret[6:46]) == secret[46:]
    assert service_tokens.new_client_id().endswith(".access")
    assert "s3cret" not in repr(PresentedCredential("i", "s3cret"))
    assert hash_secret("new") not in repr(parse_service_token(_token()))
