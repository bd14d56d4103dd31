"""SessionStore and consents by themselves, over a store that forgets nothing in time, as KV may."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from issuer import records
from issuer.digests import digest
from issuer.sessions import Consent, LoginSession, SessionStore
from issuer.settings import IssuerSettings
from issuer.store_bindings import GuardedNamespace
from verifier.worker_bindings import KVListPage

SETTINGS = IssuerSettings(issuer="https://auth.example.com", resources=("https://api.example.com",))
IDLE, ABSOLUTE = SETTINGS.session_idle_seconds, SETTINGS.session_absolute_seconds


class FakeKV:
    """A KV namespace whose entries outlive their time."""

    def __init__(self) -> None:
        self.entries: dict[str, str] = {}
        self.ttls: list[int] = []

    async def get(self, key: str, /) -> str | None:
        return self.entries.get(key)

    async def put(self, key: str, value: str, /, **options: int) -> None:
        self.entries[key] = value
        self.ttls.append(options["expirationTtl"])

    async def list(self, **options: str | int) -> KVListPage:
        raise AssertionError

    async def delete(self, key: str, /) -> None:
        self.entries.pop(key, None)


def _store(namespace: FakeKV) -> SessionStore:
    return SessionStore(GuardedNamespace(namespace, "TOKENS"), None, SETTINGS)


async def test_a_session_is_over_at_its_second_even_if_its_entry_is_still_there() -> None:
    sessions = _store(FakeKV())
    session_id, session = await sessions.start("u_ann", login_for="", epoch="", now=1000)

    assert not session.is_over(SETTINGS, 1000 + IDLE - 1)
    assert session.is_over(SETTINGS, 1000 + IDLE)
    assert await sessions.find(session_id, now=1000 + IDLE - 1) is not None
    assert await sessions.find(session_id, now=1000 + 2 * IDLE) is None
    busy = LoginSession("u_ann", 1000, 1000 + ABSOLUTE - 1, 1000)
    assert not busy.is_over(SETTINGS, 1000 + ABSOLUTE - 1)
    assert busy.is_over(SETTINGS, 1000 + ABSOLUTE)


async def test_use_is_noted_now_and_then_and_never_beyond_the_absolute_end() -> None:
    namespace = FakeKV()
    sessions = _store(namespace)
    session_id, _ = await sessions.start("u_ann", login_for="", epoch="", now=0)
    for now in range(0, 300, 10):
        await sessions.find(session_id, now=now)
    assert len(namespace.ttls) == 1 + 4

    for now in range(300, ABSOLUTE, 1000):
        await sessions.find(session_id, now=now)
    assert namespace.ttls[-1] <= max(60, ABSOLUTE - now)
    assert all(60 <= ttl <= IDLE for ttl in namespace.ttls)


async def test_the_store_has_the_hash_of_the_id_alone() -> None:
    namespace = FakeKV()
    session_id, _ = await _store(namespace).start("u_ann", login_for="d", epoch="", now=0)

    assert len(session_id) == 43
    assert session_id not in json.dumps(namespace.entries)
    assert list(namespace.entries) == [records.session_key(digest(session_id))]


@given(
    st.text(max_size=40)
    | st.dictionaries(
        st.sampled_from(["t", "user_id", "created_at", "seen_at", "auth_time", "login_for", "account_for", "scope"]),
        st.none() | st.just("session") | st.integers() | st.text(max_size=3),
    ).map(json.dumps)
)
async def test_what_is_not_a_session_is_none(text: str) -> None:
    namespace = FakeKV()
    namespace.entries[records.session_key(digest("x"))] = text

    found = await _store(namespace).find("x", now=1000)

    assert found is None or json.loads(text)["t"] == "session"


@pytest.mark.parametrize("kind", ["code", "consent", "access", None])
async def test_an_entry_of_another_kind_is_not_a_session(kind: str | None) -> None:
    namespace = FakeKV()
    sessions = _store(namespace)
    session_id, _ = await sessions.start("u_ann", login_for="", epoch="", now=1000)
    key = records.session_key(digest(session_id))
    namespace.entries[key] = json.dumps(json.loads(namespace.entries[key]) | {"t": kind})

    assert await sessions.find(session_id, now=1000) is None


async def test_consent_grows_and_is_one_pairs_own() -> None:
    namespace = FakeKV()
    sessions = _store(namespace)
    empty = await sessions.consent("u_ann", "shop", epoch="")
    assert not empty.covers(("openid",), ())
    await sessions.remember(empty.with_more(("openid",), ()), now=1000)
    await sessions.remember((await sessions.consent("u_ann", "shop", epoch="")).with_more(("email",), ("r",)), now=1001)

    consent = await sessions.consent("u_ann", "shop", epoch="")
    assert consent == Consent("u_ann", "shop", ("openid", "email"), ("r",), 1001)
    assert consent.covers(("email",), ())
    assert not consent.covers(("email",), ("r", "s"))
    assert await sessions.consent("u_ann", "sho", epoch="") == Consent("u_ann", "sho")
    # An operator moved the entry under another pair's key.
    namespace.entries[records.consent_key("u_bob", "shop")] = namespace.entries[records.consent_key("u_ann", "shop")]
    assert await sessions.consent("u_bob", "shop", epoch="") == Consent("u_bob", "shop")


async def test_a_consent_of_a_former_epoch_covers_nothing() -> None:
    sessions = _store(FakeKV())
    for client in ("shop", "other"):
        await sessions.remember(Consent("u_ann", client, ("openid",), epoch="before"), now=1000)

    assert (await sessions.consent("u_ann", "shop", epoch="before")).covers(("openid",), ())
    assert not (await sessions.consent("u_ann", "shop", epoch="after")).covers(("openid",), ())
    assert not (await sessions.consent("u_ann", "other", epoch="after")).covers(("openid",), ())
    await sessions.remember(Consent("u_ann", "shop", ("openid",), epoch="after"), now=1001)
    assert (await sessions.consent("u_ann", "shop", epoch="after")).covers(("openid",), ())


async def test_a_session_that_was_ended_stays_so_if_a_stale_reader_writes_it_back() -> None:
    """On an eventually consistent KV another place may still see the session, and store that it was used."""
    namespace = FakeKV()
    sessions = _store(namespace)
    session_id, session = await sessions.start("u_ann", login_for="", epoch="", now=1000)

    await sessions.end(session_id)
    await sessions.put(session_id, session, now=1001)

    assert await sessions.find(session_id, now=1002) is None
    assert namespace.ttls[-2] >= ABSOLUTE - 1  # the mark outlives the session
