"""https://developers.cloudflare.com/api/resources/token_validation/subresources/rules/"""

import asyncio

import pytest

from edgeworker.config import JSON
from tests.wrangler_compat.api.api_shield.calls import make_configuration, result_of
from tests.wrangler_compat.api.api_shield.conftest import Shield

PATH = "/token_validation/rules"


def _rule(title: str = "t", expression: str = "ssl", **changes: JSON) -> dict[str, JSON]:
    return {
        "title": title,
        "description": "",
        "action": "log",
        "enabled": True,
        "expression": expression,
        "selector": {"include": None, "exclude": None},
        **changes,
    }


async def _titles(shield: Shield, query: str = "") -> list[JSON]:
    result = (await shield.call("GET", f"{PATH}?{query}")).result
    assert isinstance(result, list)
    return [item["title"] for item in result if isinstance(item, dict)]


async def _ids(shield: Shield, *titles: str) -> list[str]:
    answer = await shield.call("POST", f"{PATH}/bulk", [_rule(title) for title in titles])
    assert isinstance(answer.result, list)
    return [str(item["id"]) for item in answer.result if isinstance(item, dict)]


async def test_a_rule_is_made_shown_changed_and_deleted(shield: Shield) -> None:
    config = await make_configuration(shield)
    selector: dict[str, JSON] = {"include": [{"host": ["V1.example.com"]}], "exclude": [{"operation_ids": ["o1"]}]}
    made = result_of(await shield.call("POST", PATH, _rule(expression=f'is_jwt_valid ("{config}")', selector=selector)))
    path = f"{PATH}/{made['id']}"

    assert made["selector"] == {"include": [{"host": ["v1.example.com"]}], "exclude": [{"operation_ids": ["o1"]}]}
    assert (made["created_at"], made["modified_by"]) == ("2027-01-15T08:00:00.000000Z", "edgeworker")
    assert result_of(await shield.call("GET", path)) == made
    changed = result_of(await shield.call("PATCH", path, {"action": "block", "enabled": False}))
    assert changed == {**made, "action": "block", "enabled": False}
    assert (await shield.call("DELETE", path)).status == 200
    assert (await shield.call("GET", path)).status == 404


async def test_rules_are_reordered_by_index_before_and_after(shield: Shield) -> None:
    a, b, c = await _ids(shield, "a", "b", "c")
    moves: list[tuple[str, dict[str, JSON], str]] = [
        (c, {"index": 1}, "cab"),
        (c, {"index": 2}, "acb"),
        (c, {"index": 99}, "abc"),
        (c, {"before": a}, "cab"),
        (c, {"after": a}, "acb"),
        (a, {"after": b}, "cba"),
        (a, {"before": ""}, "acb"),
        (a, {"after": ""}, "cba"),
    ]
    for id, position, order in moves:
        assert (await shield.call("PATCH", f"{PATH}/bulk", [{"id": id, "position": position}])).status == 200
        assert "".join(str(title) for title in await _titles(shield)) == order
    wrong: list[JSON] = [{"index": 0}, {"index": True}, {"before": "x"}, {"before": a}, {}, {"index": 1, "after": b}, 1]
    for one in wrong:
        answer = await shield.call("PATCH", f"{PATH}/{a}", {"position": one})
        assert answer.status in (400, 404), one


async def test_a_bulk_change_is_all_or_nothing(shield: Shield) -> None:
    a, b = await _ids(shield, "a", "b")

    changed = await shield.call("PATCH", f"{PATH}/bulk", [{"id": b, "title": "B", "position": {"index": 1}}, {"id": a}])
    refused = await shield.call("PATCH", f"{PATH}/bulk", [{"id": a, "title": "A"}, {"id": b, "action": "skip"}])
    unknown = await shield.call("PATCH", f"{PATH}/bulk", [{"id": a, "title": "A"}, {"id": "none"}])
    made = await shield.call("POST", f"{PATH}/bulk", [_rule("c"), _rule("d", "nonsense")])

    assert [answer.status for answer in (changed, refused, unknown, made)] == [200, 400, 404, 400]
    assert await _titles(shield) == ["B", "a"]


async def test_rules_are_filtered(shield: Shield) -> None:
    config = await make_configuration(shield)
    selector: JSON = {"include": [{"host": ["a.test", "b.test"]}]}
    await shield.call("POST", PATH, _rule("one", f'is_jwt_valid("{config}")', selector=selector))
    await shield.call("POST", PATH, _rule("two", action="block", enabled=False))
    (id,) = await _ids(shield, "three")

    assert await _titles(shield, f"token_configuration={config}") == ["one"]
    assert await _titles(shield, "action=block") == await _titles(shield, "enabled=false") == ["two"]
    assert await _titles(shield, "host=b.test") == await _titles(shield, "hostname=a.test") == ["one"]
    assert await _titles(shield, f"id={id}") == await _titles(shield, f"rule_id={id}") == ["three"]
    assert await _titles(shield, "per_page=2&page=2") == ["three"]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"expression": 'is_jwt_valid("nowhere")'}, 'there is no token configuration "nowhere"'),
        ({"expression": 'is_jwt_valid("a"'}, 'expected literal ")" (line 1, column 17)'),
        ({"expression": "cf.waf.score > 3"}, 'the field "cf.waf.score" has no value here (line 1, column 1)'),
        ({"expression": ""}, "expected identifier character"),
        ({"expression": 1}, "expression is missing"),
        ({"expression": "ssl" + " " * 5000}, "longer than 4096"),
        ({"action": "challenge"}, "action is missing"),
        ({"enabled": "yes"}, "enabled is missing"),
        ({"title": "x" * 51}, "at most 50"),
        ({"selector": None}, "selector is not a JSON object"),
        ({"selector": {"include": [{"host": "a"}]}}, "include[0].host is not a JSON array"),
        ({"selector": {"include": {}}}, "include is not a JSON array"),
        ({"selector": {"includes": []}}, '"includes"'),
        ({"selector": {"exclude": [{"operations": []}]}}, '"operations"'),
        ({"unknown": 1}, '"unknown"'),
    ],
)
async def test_what_is_not_a_rule_is_refused(shield: Shield, changes: dict[str, JSON], reason: str) -> None:
    answer = await shield.call("POST", PATH, _rule(**{"title": "t", **changes}))  # type: ignore[arg-type]  # JSON

    assert answer.status == 400
    assert reason in answer.message


@pytest.mark.parametrize("missing", ["title", "description", "action", "enabled", "expression", "selector"])
async def test_a_new_rule_has_every_member(shield: Shield, missing: str) -> None:
    body = {name: value for name, value in _rule().items() if name != missing}

    assert (await shield.call("POST", PATH, body)).message == f"{missing} is missing"


@pytest.mark.parametrize("method", ["POST", "PUT"])
async def test_a_preview_shows_what_a_selector_covers(shield: Shield, method: str) -> None:
    hosts = ["v1.test", "v2.test", "v3.test"]
    bodies: list[JSON] = [
        {"method": "GET", "host": host, "endpoint": endpoint} for host in hosts for endpoint in ("/login", "/x")
    ]
    made = (await shield.call("POST", "/api_gateway/operations", bodies)).result
    assert isinstance(made, list)
    excluded: list[JSON] = [item["operation_id"] for item in made[:3:2] if isinstance(item, dict)]

    selector: JSON = {"include": [{"host": hosts[:2]}], "exclude": [{"operation_ids": excluded}]}  # type: ignore[dict-item]  # JSON
    result = result_of(await shield.call(method, f"{PATH}/preview", selector))
    nothing = result_of(await shield.call(method, f"{PATH}/preview", {}))

    assert {name: result[name] for name in ("total", "included", "excluded", "ignored")} == {
        "total": 6,
        "included": 2,
        "excluded": 2,
        "ignored": 2,
    }
    assert sorted(str(host) for host in result["selected_hosts"] or []) == hosts[:2]  # type: ignore[union-attr]  # a list
    assert sorted(str(host) for host in nothing["available_hosts"] or []) == hosts  # type: ignore[union-attr]  # a list
    assert (nothing["ignored"], nothing["included"]) == (6, 0)


async def test_what_the_file_has_comes_first_and_is_not_changed(written: Shield) -> None:
    await written.call("POST", PATH, _rule("mine"))

    assert await _titles(written) == ["rule rule-in-file", "mine"]
    answer = await written.call("PATCH", f"{PATH}/rule-in-file", {"enabled": False})
    assert (answer.status, "edge.toml:1" in answer.message) == (409, True)


async def test_of_changes_at_once_each_is_kept_or_refused(shield: Shield) -> None:
    """Two that read the same order do not undo each other."""
    answers = await asyncio.gather(*(shield.call("POST", PATH, _rule(f"r{number}")) for number in range(8)))

    kept = [answer for answer in answers if answer.status == 200]
    assert {answer.status for answer in answers} <= {200, 409}
    assert len(await _titles(shield)) == len(kept) >= 1
