"""The records of CODES and TOKENS: what was not written as this kind is none."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from issuer import records
from issuer.records import AccessToken, Code, Family, GrantEntry

CODE = Code(
    client_id="shop",
    user_id="u_1",
    grant_id="g",
    redirect_uri="https://shop.example/cb",
    redirect_uri_sent=True,
    scope=("openid",),
    expires_at=100,
    auth_time=40,
)
ACCESS = AccessToken(
    client_id="shop",
    sub="u_1",
    scope=("a", "b"),
    audience=("https://api.example",),
    format="split",
    jti="j",
    issued_at=1,
    expires_at=2,
)
FAMILY = Family(
    grant_id="g",
    client_id="shop",
    user_id="u_1",
    scope=(),
    resource=(),
    seal="seal",
    current="c",
    created=1,
    rotated_at=1,
    auth_time=1,
    expires_at=5,
    absolute_expires_at=9,
)
GRANT = GrantEntry(grant_id="g", client_id="shop", user_id="u_1", scope=("a",), created=1, expires_at=2)


@pytest.mark.parametrize("record", [CODE, ACCESS, FAMILY, GRANT], ids=lambda record: type(record).__name__)
def test_a_record_is_read_as_it_was_written(record: Code | AccessToken | Family | GrantEntry) -> None:
    assert records.load(type(record), records.dump(record)) == record  # type: ignore[type-var]  # one of the four


def test_a_record_of_one_kind_is_none_of_another(caplog: pytest.LogCaptureFixture) -> None:
    assert records.load(AccessToken, records.dump(CODE)) is None
    assert "ALARM" in caplog.text


@pytest.mark.parametrize(
    "changes",
    [
        {"expires_at": "100"},
        {"expires_at": True},
        {"expires_at": None},
        {"scope": "openid"},
        {"scope": [1]},
        {"redirect_uri_sent": 1},
        {"client_id": None},
        {"nonce": 5},
        {"admin": True},
    ],
)
def test_a_member_of_a_wrong_type_or_name_makes_it_no_record(changes: dict[str, object]) -> None:
    assert records.load(Code, json.dumps({**json.loads(records.dump(CODE)), **changes})) is None


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"t":"code"}', "[" * 100_000, '"' + "x" * 70_000 + '"'])
def test_what_is_not_a_record_is_none(text: str) -> None:
    assert records.load(Code, text) is None


@given(st.text())
def test_no_text_makes_reading_fail(text: str) -> None:
    assert records.load(Code, text) is None


def test_neither_a_seal_nor_a_code_is_shown() -> None:
    assert "seal" not in repr(FAMILY).replace("seal=", "")
    assert "secret" not in records.code_key("secret") + records.access_key("secret")


def test_keys_of_different_kinds_never_meet() -> None:
    keys = [
        records.code_key("x"),
        records.access_key("x"),
        records.family_key("x"),
        records.revoked_key("x"),
        records.grant_key("x", "x"),
        records.member_key("x", "x"),
        records.session_key("x"),
        records.consent_key("x", "x"),
    ]

    assert len({key.partition(":")[0] for key in keys}) == len(keys)
