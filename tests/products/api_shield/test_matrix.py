"""The acceptance matrix: every algorithm and every fault, under every choice of the dashboard and every coverage."""

from itertools import product

import pytest

from edgeworker.config import JSON
from edgeworker.products.api_shield.config import Action, ShieldConfig
from edgeworker.products.api_shield.presets import MissingToken, Preset, Validate, expand
from tests.products.api_shield.minting import ALGORITHMS, NOW, MintingKey, key_set, mint, signing_key
from tests.products.api_shield.zones import ShieldedEdge, configuration, operation, rule

# (what a client sends, whether it counts, the reason that an event tells)
CASES = (
    ("valid", True, ""),
    ("valid with Bearer", True, ""),
    ("valid with bearer:", True, ""),
    ("expired 59 s ago", True, ""),
    ("valid in 59 s", True, ""),
    ("expired 61 s ago", False, "expired"),
    ("valid in 61 s", False, "not_yet_valid"),
    ("tampered", False, "bad_signature"),
    ("wrong kid", False, "unknown_kid"),
    ("no kid", False, "no_kid"),
    ("another alg of the family", False, "alg_mismatch"),
    ("garbage", False, "malformed"),
    ("two tokens", False, "malformed"),
    ("missing", None, "missing"),
    ("empty", None, "missing"),
    ("Bearer alone", None, "missing"),
)
_OTHER = {"RS": "PS256", "PS": "RS256", "ES": "ES512", "HS": "HS1"}


def _value(case: str, key: MintingKey) -> str | None:
    times: dict[str, dict[str, JSON]] = {
        "expired 59 s ago": {"exp": NOW - 59},
        "expired 61 s ago": {"exp": NOW - 61},
        "valid in 59 s": {"nbf": NOW + 59},
        "valid in 61 s": {"nbf": NOW + 61},
    }
    token = mint(key, times.get(case))
    head, payload, signature = token.split(".")
    values = {
        "valid with Bearer": f"Bearer {token}",
        "valid with bearer:": f"bearer: {token}",
        "tampered": f"{head}.{payload}.{'A' if signature[0] != 'A' else 'B'}{signature[1:]}",
        "wrong kid": mint(key, header={"kid": "k9"}),
        "no kid": mint(key, header={"kid": None}),
        "another alg of the family": mint(key, header={"alg": _OTHER[key.alg[:2]]}),
        "garbage": "not-a-token",
        "two tokens": f"{token}, {token}",
        "missing": None,
        "empty": "",
        "Bearer alone": "Bearer ",
    }
    return values.get(case, token)


@pytest.mark.parametrize("alg", ALGORITHMS)
async def test_each_fault_under_each_choice(alg: str) -> None:
    key = signing_key(alg)
    missing_choices: tuple[MissingToken, ...] = ("ignore", "mark-as-non-compliant")
    actions: tuple[Action, ...] = ("log", "block")
    wrong = []
    for missing_token, action in product(missing_choices, actions):
        edge = ShieldedEdge(
            ShieldConfig(
                operations=(operation("/users/{id}"), operation("/login")),
                configurations=(configuration("A", key_set(key)),),
                rules=(rule(expand(Preset(("A",), missing_token)), action, excluded=("GET /login",)),),
            )
        )
        for (case, counts, reason), path in product(CASES, ("/users/7", "/login", "/elsewhere")):
            fires = path == "/users/7" and (counts is False or (counts is None and missing_token != "ignore"))
            edge.shield.events.clear()

            status = await edge.status(path, _value(case, key))

            events = [(event.action, event.reasons) for event in edge.shield.events]
            expected = [(action, (reason,))] if fires else []
            # The expression with "ignore" asks for the same configuration twice: it is told once.
            if (status, events) != (403 if fires and action == "block" else 200, expected):
                wrong.append((missing_token, action, case, path, status, events))

    assert wrong == []


VALIDATE: tuple[Validate, ...] = ("all", "any")


@pytest.mark.parametrize("validate", VALIDATE)
@pytest.mark.parametrize("missing_token", ["mark-as-non-compliant", "ignore"])
async def test_two_tokens_of_two_providers_on_one_request(validate: Validate, missing_token: MissingToken) -> None:
    """ "Validate two JWTs with different identity providers on a single request", in a header and in a cookie."""
    one, two = signing_key("RS256", "one"), signing_key("ES256", "two")
    edge = ShieldedEdge(
        ShieldConfig(
            operations=(operation("/users/{id}"),),
            configurations=(
                configuration("A", key_set(one)),
                configuration("B", key_set(two), 'http.request.cookies["session"][0]'),
            ),
            rules=(rule(expand(Preset(("A", "B"), missing_token, validate))),),
        )
    )
    kinds: dict[str, tuple[str | None, str | None]] = {
        "good": (mint(one), mint(two)),
        "bad": (mint(two), mint(one)),
        "missing": (None, None),
    }
    allowed = {"good", "missing"} if missing_token == "ignore" else {"good"}
    wrong = []
    for first, second in product(kinds, kinds):
        headers = {} if kinds[second][1] is None else {"Cookie": f"session={kinds[second][1]}"}
        status = (await edge.get(token=kinds[first][0], headers=headers)).status
        held = [first in allowed, second in allowed]
        passes = all(held) if validate == "all" else any(held)
        if status != (200 if passes else 403):
            wrong.append((first, second, status))

    assert wrong == []


async def test_the_first_of_a_repeated_header_and_of_several_sources_decides() -> None:
    key = signing_key("RS256")
    sources = ('http.request.headers["x-token"][0]', 'http.request.cookies["t"][0]')
    edge = ShieldedEdge(
        ShieldConfig(
            operations=(operation("/users/{id}"),),
            configurations=(configuration("A", key_set(key), *sources),),
            rules=(rule('is_jwt_valid("A")'),),
        )
    )
    good = mint(key)

    async def status(*fields: tuple[str, str]) -> int:
        return (await edge.get(headers=list(fields))).status

    assert await status(("X-Token", good)) == 200
    assert await status(("X-Token", good), ("X-Token", "bad")) == 200
    assert await status(("X-Token", "bad"), ("X-Token", good)) == 403
    assert await status(("X-Token", "bad"), ("Cookie", f"t={good}")) == 403
    assert await status(("X-Token", good), ("Cookie", "t=bad")) == 200
    assert await status(("X-Token", ""), ("Cookie", f"t={good}")) == 200
    assert await status(("Cookie", f"a=1; t={good}; t=bad")) == 200
    assert await status(("Authorization", good)) == 403
