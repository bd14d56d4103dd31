"""Keys, sessions and revocations: across restarts and processes, by the edge's clock."""

import sqlite3
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import jwt
import pytest

from edgeworker.products.access.config import DAY_SECONDS, GRACE_SECONDS, access_config
from edgeworker.products.access.directory import Directory
from edgeworker.products.access.json_object import JSONObject
from edgeworker.products.access.sessions import Sessions
from edgeworker.state import FILE_NAME, SQLiteState
from edgeworker.testing.clock import MovableClock
from edgeworker.testing.local import LocalEdge
from tests.products.access.stage import CI_HEADERS, PREFIX, SERVICE, SHOP, TEAM, Browser, app, edge_with, members

OBJECTS = (app("shop", "shop.example.com"), app("api", "api.example.com", SERVICE))


@asynccontextmanager
async def process(folder: Path, clock: MovableClock) -> AsyncIterator[LocalEdge]:
    edge = edge_with(*OBJECTS)
    edge.clock = clock
    state = SQLiteState(folder, clock)
    engine = edge._engine
    engine._clock = clock
    engine.state = state
    try:
        yield edge
    finally:
        await edge.aclose()
        await state.close()


async def _kids(edge: LocalEdge) -> list[str]:
    certs = members(await edge.fetch(f"{TEAM}{PREFIX}certs"))
    return [JSONObject.of(item).text("kid") for item, _ in certs.items("keys")]


def _kid(token: str) -> str:
    return str(jwt.get_unverified_header(token)["kid"])


def _directory(edge: LocalEdge) -> Directory:
    config = access_config(edge.config)
    assert config is not None
    return Directory(config, edge._engine.state.documents("access"), edge.clock)


async def test_the_order_of_the_published_keys_changes() -> None:
    async with edge_with(*OBJECTS) as edge:
        first, second = await _kids(edge), await _kids(edge)

        assert first == second[::-1]
        assert len(set(first)) == 2


async def test_keys_rotate_after_six_weeks_and_the_previous_one_verifies_for_seven_days() -> None:
    shop = app("shop", "shop.example.com", session_duration="720h")
    async with edge_with(shop, organization={"session_duration": "720h"}) as edge:
        edge.clock.advance(41 * DAY_SECONDS)
        early = Browser(edge)
        await early.log_in(f"{SHOP}/")
        before = await _kids(edge)

        edge.clock.advance(DAY_SECONDS)
        after = await _kids(edge)
        late = Browser(edge)
        await late.log_in(f"{SHOP}/")

        assert set(before) == set(after)  # the next key was announced before
        assert _kid(early.token()) != _kid(late.token())
        assert (await early.step("GET", f"{SHOP}/")).status == 200
        edge.clock.advance(GRACE_SECONDS - 1)
        assert (await early.step("GET", f"{SHOP}/")).status == 200
        edge.clock.advance(1)
        assert (await early.step("GET", f"{SHOP}/")).status == 302
        assert (await late.step("GET", f"{SHOP}/")).status == 200
        settled = await _kids(edge)
        assert _kid(early.token()) not in settled
        assert _kid(late.token()) in settled
        assert len(settled) == 2


async def test_a_rotation_by_hand_counts_in_every_process_at_once(tmp_path: Path) -> None:
    clock = MovableClock()
    async with process(tmp_path / "data", clock) as one, process(tmp_path / "data", clock) as two:
        browser = Browser(one)
        await browser.log_in(f"{SHOP}/")
        assert set(await _kids(one)) == set(await _kids(two))

        await _directory(one).rotate()

        other = Browser(two)
        await other.log_in(f"{SHOP}/")
        assert _kid(other.token()) != _kid(browser.token())
        assert _kid(other.token()) in await _kids(one)
        for edge in (one, two):
            assert (await edge.fetch(f"{SHOP}/", headers=_cookie(browser))).status == 200
            assert (await edge.fetch(f"{SHOP}/", headers=_cookie(other))).status == 200

        await _directory(two).rotate()

        assert (await one.fetch(f"{SHOP}/", headers=_cookie(browser))).status == 302  # two slots only
        assert (await one.fetch(f"{SHOP}/", headers=_cookie(other))).status == 200


def _cookie(browser: Browser, host: str = "shop.example.com") -> dict[str, str]:
    return {"Cookie": f"CF_Authorization={browser.token(host)}"}


async def test_a_session_survives_a_restart_and_so_does_its_revocation(tmp_path: Path) -> None:
    clock = MovableClock()
    async with process(tmp_path / "data", clock) as edge:
        browser = Browser(edge)
        await browser.log_in(f"{SHOP}/")
        kids = set(await _kids(edge))

    async with process(tmp_path / "data", clock) as edge:
        assert set(await _kids(edge)) == kids
        assert (await edge.fetch(f"{SHOP}/", headers=_cookie(browser))).status == 200
        await edge.fetch(f"{SHOP}{PREFIX}logout", headers=_cookie(browser))

    async with process(tmp_path / "data", clock) as edge:
        assert (await edge.fetch(f"{SHOP}/", headers=_cookie(browser))).status == 302


@pytest.mark.parametrize("how", ["log out", "user", "application"])
async def test_a_revocation_holds_with_the_next_request_in_every_process(tmp_path: Path, how: str) -> None:
    clock = MovableClock()
    async with process(tmp_path / "data", clock) as one, process(tmp_path / "data", clock) as two:
        browser = Browser(one)
        await browser.log_in(f"{SHOP}/")
        for edge in (one, two, two):  # so that both have it in memory
            assert (await edge.fetch(f"{SHOP}/", headers=_cookie(browser))).status == 200

        sessions = Sessions(_directory(one), clock)
        if how == "log out":
            await one.fetch(f"{SHOP}{PREFIX}logout", headers=_cookie(browser))
        elif how == "user":
            identity = members(await one.fetch(f"{SHOP}{PREFIX}get-identity", headers=_cookie(browser)))
            await sessions.revoke_user(identity.text("user_uuid"))
        else:
            await sessions.revoke_application("id-shop")

        for edge in (two, one):
            assert (await edge.fetch(f"{SHOP}/", headers=_cookie(browser))).status == 302
        again = Browser(two)
        again.cookies = {host: dict(jar) for host, jar in browser.cookies.items()}
        if how == "application":
            assert (await again.go(f"{SHOP}/")).status == 200  # the login stands
            assert again.trail[-1] == f"{SHOP}/"
        else:
            assert (await again.go(f"{SHOP}/")).text.count("Log in to shop")
            await again.log_in(f"{SHOP}/")  # a new login may begin at once
            assert (await again.step("GET", f"{SHOP}/")).status == 200


async def test_a_service_tokens_cookie_ends_with_its_application_and_with_the_token(tmp_path: Path) -> None:
    clock = MovableClock()
    async with process(tmp_path / "data", clock) as edge:
        browser = Browser(edge)
        await browser.step("GET", "https://api.example.com/", headers=CI_HEADERS)
        assert (await browser.step("GET", "https://api.example.com/")).status == 200

        await Sessions(_directory(edge), clock).revoke_application("id-api")

        assert (await browser.step("GET", "https://api.example.com/")).status == 403
        clock.advance(1)
        assert (await browser.step("GET", "https://api.example.com/", headers=CI_HEADERS)).status == 200
        assert (await browser.step("GET", "https://api.example.com/")).status == 200


async def test_two_processes_that_start_at_once_have_the_same_keys(tmp_path: Path) -> None:
    clock = MovableClock()
    async with process(tmp_path / "data", clock) as one, process(tmp_path / "data", clock) as two:
        assert set(await _kids(one)) == set(await _kids(two))


async def test_no_one_else_can_read_the_keys(tmp_path: Path) -> None:
    clock = MovableClock()
    async with process(tmp_path / "data", clock) as edge:
        await _kids(edge)
        file = tmp_path / "data" / FILE_NAME

        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        for sibling in file.parent.iterdir():
            assert stat.S_IMODE(sibling.stat().st_mode) & 0o077 == 0


async def test_no_secret_is_at_rest_in_the_clear(tmp_path: Path) -> None:
    clock = MovableClock()
    async with process(tmp_path / "data", clock) as edge:
        browser = Browser(edge)
        await browser.log_in(f"{SHOP}/")
        await browser.step("GET", "https://api.example.com/", headers=CI_HEADERS)
        app_session = browser.cookies["shop.example.com"]["CF_AppSession"]

    with closing(sqlite3.connect(tmp_path / "data" / FILE_NAME)) as connection:
        text = "\n".join(connection.iterdump())
    for secret in (browser.token(), CI_HEADERS["CF-Access-Client-Secret"], app_session):
        assert secret not in text
