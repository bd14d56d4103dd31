"""Sessions and consents by themselves, over a store that forgets nothing in time, as KV may."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from issuer import records
from issuer.sessions import Consent, Session, Sessions
from issuer.settings import Settings

SETTINGS = Settings(issuer="https://auth.example.com", resources=("https://api.example.com",))
IDLE, ABSOLUTE = SETTINGS.session_idle_seconds, SETTINGS.session_absolute_seconds


class Namespace:
    """A KV namespace whose entries outlive their time."""

    def __init__(self) -> None:
        self.entries: dict[str, str] = {}
        self.ttls: list[int] = []

    async def get(self, key: str) -> str | None:
        return self.entries.get(key)

    async def put(self, key: str, value: str, *, expirationTtl: int) -> None:
        self.entries[key] = value
        self.ttls.append(expirationTtl)

    async def delete(self, key: str) -> None:
        self.entries.pop(key, None)


async def test_a_session_is_over_at_its_second_even_if_its_entry_is_still_there() -> None:
    sessions = Sessions(Namespace(), SETTINGS)
    session_id, session = await sessions.start("u_ann", login_for="", now=1000)

    assert not session.is_over(SETTINGS, 1000 + IDLE - 1)
    assert session.is_over(SETTINGS, 1000 + IDLE)
    assert await sessions.find(session_id, now=1000 + IDLE - 1) is not None
    assert await sessions.find(session_id, now=1000 + 2 * IDLE) is None
    busy = Session("u_ann", 1000, 1000 + ABSOLUTE - 1, 1000)
    assert not busy.is_over(SETTINGS, 1000 + ABSOLUTE - 1)
    assert busy.is_over(SETTINGS, 1000 + ABSOLUTE)


async def test_use_is_noted_now_and_then_and_never_beyond_the_absolute_end() -> None:
    namespace = Namespace()
    sessions = Sessions(namespace, SETTINGS)
    session_id, _ = await sessions.start("u_ann", login_for="", now=0)
    for now in range(0, 300, 10):
        await sessions.find(session_id, now=now)
    assert len(namespace.ttls) == 1 + 4

    for now in range(300, ABSOLUTE, 1000):
        await sessions.find(session_id, now=now)
    assert namespace.ttls[-1] <= max(60, ABSOLUTE - now)
    assert all(60 <= ttl <= IDLE for ttl in namespace.ttls)


async def test_the_store_has_the_hash_of_the_id_alone() -> None:
    namespace = Namespace()
    session_id, _ = await Sessions(namespace, SETTINGS).start("u_ann", login_for="d", now=0)

    assert len(session_id) == 43
    assert session_id not in json.dumps(namespace.entries)
    assert list(namespace.entries) == [records.session_key(session_id)]


@given(
    st.text(max_size=40)
    | st.dictionaries(
        st.sampled_from(["t", "user_id", "created_at", "seen_at", "auth_time", "login_for", "account_for", "scope"]),
        st.none() | st.just("session") | st.integers() | st.text(max_size=3),
    ).map(json.dumps)
)
async def test_what_is_no_session_is_none(text: str) -> None:
    namespace = Namespace()
    namespace.entries[records.session_key("x")] = text

    found = await Sessions(namespace, SETTINGS).find("x", now=1000)

    assert found is None or json.loads(text)["t"] == "session"


@pytest.mark.parametrize("kind", ["code", "consent", "access", None])
async def test_an_entry_of_another_kind_is_no_session(kind: str | None) -> None:
    namespace = Namespace()
    sessions = Sessions(namespace, SETTINGS)
    session_id, _ = await sessions.start("u_ann", login_for="", now=1000)
    key = records.session_key(session_id)
    namespace.entries[key] = json.dumps(json.loads(namespace.entries[key]) | {"t": kind})

    assert await sessions.find(session_id, now=1000) is None


async def test_consent_grows_and_is_one_pairs_own() -> None:
    namespace = Namespace()
    sessions = Sessions(namespace, SETTINGS)
    empty = await sessions.consent("u_ann", "shop")
    assert not empty.covers(("openid",), ())
    await sessions.remember(empty.with_more(("openid",), ()), now=1000)
    await sessions.remember((await sessions.consent("u_ann", "shop")).with_more(("email",), ("r",)), now=1001)

    consent = await sessions.consent("u_ann", "shop")
    assert consent == Consent("u_ann", "shop", ("openid", "email"), ("r",), 1001)
    assert consent.covers(("email",), ())
    assert not consent.covers(("email",), ("r", "s"))
    assert await sessions.consent("u_ann", "sho") == Consent("u_ann", "sho")
    # Somebody moved the entry under another pair's key.
    namespace.entries[records.consent_key("u_bob", "shop")] = namespace.entries[records.consent_key("u_ann", "shop")]
    assert await sessions.consent("u_bob", "shop") == Consent("u_bob", "shop")


async def test_all_consents_of_a_user_end_at_once() -> None:
    sessions = Sessions(Namespace(), SETTINGS)
    for client in ("shop", "other"):
        await sessions.remember(Consent("u_ann", client, ("openid",)), now=1000)
    await sessions.remember(Consent("u_bob", "shop", ("openid",)), now=1000)

    await sessions.forget_consents("u_ann", now=1000)

    assert not (await sessions.consent("u_ann", "shop")).covers(("openid",), ())
    assert not (await sessions.consent("u_ann", "other")).covers(("openid",), ())
    assert (await sessions.consent("u_bob", "shop")).covers(("openid",), ())
    await sessions.remember(Consent("u_ann", "shop", ("openid",)), now=1001)
    assert (await sessions.consent("u_ann", "shop")).covers(("openid",), ())
