"""Both workers and the gateway at once: from the login to the API, and back to nothing."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from edgeworker.bindings import KVBinding
from edgeworker.config import Route, Worker
from edgeworker.host.bundled import script
from edgeworker.testing import Edge, MovableClock
from edgeworker.testing.edge import read
from edgeworker.testing.single import variable_bindings
from issuer import keys, users
from tests.scripts.oauth import auth_stage, token_stage
from tests.scripts.oauth.auth_stage import HASH, ISSUER, SCRIPTS, answered
from tests.scripts.oauth.token_stage import API, RING, basic, bearer, exchanged, form

SECRET = "victorias-secret"


@contextmanager
def system() -> Iterator[tuple[auth_stage.Stage, Edge]]:
    config = read([SCRIPTS / "auth/wrangler.toml", SCRIPTS / "token/wrangler.toml"])
    given = variable_bindings(auth_stage.variables(SIGNING_KEYS=keys.dump(RING)))
    named = {binding.name for binding in given}
    workers = [
        replace(worker, bindings=(*(each for each in worker.bindings if each.name not in named), *given))
        for worker in config.workers
    ]
    gateway = Worker(
        "gateway", script("split_token") / "worker.py", (KVBinding("TOKENS", "00000000000000000000000000000004"),)
    )
    routes = (*config.routes, Route("api.example.com/*", "gateway"))
    clock = MovableClock(1_800_000_000)
    edge = Edge(replace(config, workers=(*workers, gateway), routes=routes), clock=clock)
    try:
        stage = auth_stage.Stage(edge, clock, users.new("ann@example.com", HASH, now=clock.now(), name="Ann"))
        stage.add(stage.ann)
        yield stage, edge
    finally:
        edge.close()


def test_what_a_login_gave_reaches_the_api_and_ends_with_its_replay() -> None:
    with system() as (stage, edge):
        browser = stage.logged_in(auth_stage.request())
        code = answered(browser.submit(decision="allow"))["code"]

        def ask() -> tuple[int, dict[str, str]]:
            headers = {**token_stage.FORM, **basic("victoriasclient", SECRET)}
            reply = edge.post(f"{ISSUER}/token", body=form(exchanged(code)), headers=headers)
            return reply.status, dict(reply.json(dict))

        status, answer = ask()
        assert status == 200, answer
        token = answer["access_token"]
        assert edge.get(f"{API}/orders", headers=bearer(token)).status == 200
        assert edge.get(f"{ISSUER}/userinfo", headers=bearer(token)).json(dict)["sub"] == stage.ann.id
        assert edge.get(f"{ISSUER}/resource/goods", headers=bearer(token)).json(dict)["user"]["sub"] == stage.ann.id

        assert ask()[0] == 400
        assert edge.get(f"{API}/orders", headers=bearer(token)).status == 401
        assert edge.get(f"{ISSUER}/userinfo", headers=bearer(token)).status == 401


@pytest.mark.parametrize("everything", [True, False])
def test_logging_out_of_everything_takes_the_tokens_from_the_gateway(everything: bool) -> None:
    with system() as (stage, edge):
        browser = stage.logged_in(auth_stage.request())
        code = answered(browser.submit(decision="allow"))["code"]
        headers = {**token_stage.FORM, **basic("victoriasclient", SECRET)}
        answer = edge.post(f"{ISSUER}/token", body=form(exchanged(code)), headers=headers).json(dict)

        browser.open("/logout")
        assert browser.submit(action="logout", everywhere="yes" if everything else "").ok

        status = 401 if everything else 200
        assert edge.get(f"{API}/orders", headers=bearer(answer["access_token"])).status == status
