"""Users' records and keys."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from issuer import users
from issuer.users import BadUser

HASH = "$argon2id$v=19$m=19456,t=2,p=1$" + "A" * 22 + "$" + "A" * 43


def record(**changes: object) -> dict[str, object]:
    made = users.record(users.new("ann@example.com", HASH, now=1_800_000_000, name="Ann"))
    return made | changes


@pytest.mark.parametrize(
    ("typed", "normal"),
    [
        (" Ann@Example.COM\n", "Ann@example.com"),
        ("ann@STRASSE.example", "ann@strasse.example"),
        ("cafe\u0301@example.com", "caf\u00e9@example.com"),
        ("ann@localhost", "ann@localhost"),
        ("ann+shop@bücher.example", "ann+shop@bücher.example"),
    ],
)
def test_an_address_has_one_spelling(typed: str, normal: str) -> None:
    assert users.normal_email(typed) == normal
    assert users.key(typed) == users.key(normal)


@pytest.mark.parametrize(
    "typed",
    [
        *("", "ann", "@example.com", "ann@", "a b@example.com", "ann@exa mple.com", "a@b@example.com"),
        *("ann@example..com", "ann@.example.com", "ann@example.com.", "ann@-example.com", "<ann@example.com>"),
        *("ann\u202e@example.com", "ann\0@example.com", "ann@exam\u200bple.com", "\ud800@example.com"),
        *("a" * 65 + "@example.com", "ann@" + "a." * 130 + "com", "x" * 1_000_000),
    ],
)
def test_what_is_not_an_address_is_refused(typed: str) -> None:
    with pytest.raises(BadUser, match="email: "):
        users.normal_email(typed)


@given(st.text(max_size=40) | st.emails())
def test_a_normal_address_is_its_own_normal_form(typed: str) -> None:
    try:
        normal = users.normal_email(typed)
    except BadUser:
        return

    assert users.normal_email(normal) == normal


def test_a_record_is_read_as_it_was_written() -> None:
    user = users.parse(record(claims={"locale": "sv"}, email_verified=True, disabled=True))

    assert users.parse(users.record(user)) == user
    assert (user.email_verified, user.disabled, user.claims) == (True, True, {"locale": "sv"})


def test_ids_are_new_each_time_and_look_like_no_client() -> None:
    made = {users.new_id() for _ in range(100)}

    assert len(made) == 100
    assert all(users.is_id(user_id) and user_id.startswith("u_") and len(user_id) == 24 for user_id in made)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("t", "client"), ("t", None), ("id", "shop"), ("id", 5), ("email", "ann"), ("email", None)),
        *(("password", "correct horse"), ("password", None), ("created", -1), ("created", "now"), ("created", True)),
        *(("disabled", "no"), ("email_verified", 1), ("name", "a\nb"), ("name", "x" * 201), ("admin", True)),
        *(("claims", []), ("claims", {"sub": "x"}), ("claims", {"at_hash": "x"}), ("claims", {"email_verified": True})),
    ],
)
def test_a_bad_field_is_named(field: str, value: object) -> None:
    with pytest.raises(BadUser, match=f"^{field}: "):
        users.parse(record(**{field: value}))


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(BadUser) as refused:
        users.parse(record(id="x", created="y", disabled="z"))

    assert [line.partition(":")[0] for line in str(refused.value).splitlines()] == ["id", "created", "disabled"]


def test_no_hash_is_shown() -> None:
    user = users.parse(record())

    assert HASH not in repr(user)
    with pytest.raises(BadUser) as refused:
        users.parse(record(password=HASH + "!"))
    assert HASH not in str(refused.value)
