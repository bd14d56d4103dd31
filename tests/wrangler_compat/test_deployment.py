"""What works here and does not once it is deployed."""

from datetime import date

import pytest

from edgeworker.bindings import UnsupportedBinding
from edgeworker.config import Config, Route, Worker
from edgeworker.schema.diagnostics import Diagnostics, SourceLocation
from wrangler_compat.deployment import check_deployment

TODAY = date(2026, 11, 28)


def warnings(config: Config) -> list[str]:
    diagnostics = Diagnostics()
    check_deployment(config, TODAY, diagnostics)
    return [message.text for message in diagnostics.of("warning")]


@pytest.mark.parametrize(
    ("patterns", "warned"),
    [
        (["a.com/*"], []),
        (["a.com/about"], []),
        (["a.com"], ['"a.com" matches only the path "/"']),
        (["a.com/"], ['Use "a.com/*"']),
        (["a.com", "a.com/*"], []),
        (["a.com", "b.com/*"], ['"a.com" matches only']),
        (["*.a.com/"], ['Use "*.a.com/*"']),
        (["a.com/:id"], ['"/:id" only', 'Use "a.com/*"']),
        (["a.com/users/{id}/x*"], ['"/{id}" only']),
        (["a.com/b:c/*"], []),
    ],
)
def test_a_route_that_matches_less_than_it_looks_like_is_told(patterns: list[str], warned: list[str]) -> None:
    routes = tuple(Route(pattern, "w", source="wrangler.toml:5 (routes[0])") for pattern in patterns)

    found = warnings(Config(routes=routes))

    assert len(found) == (1 if warned else 0)
    assert all(part in found[0] for part in warned)


@pytest.mark.parametrize(
    ("dated", "count"), [("2026-11-28", 0), ("2026-11-29", 1), ("2199-01-01", 1), (None, 0), ("soon", 0)]
)
def test_a_date_in_the_future_is_told(dated: str | None, count: int) -> None:
    assert len(warnings(Config(workers=(Worker("w", None, compatibility_date=dated),)))) == count


def test_a_binding_that_is_not_emulated_is_told_with_its_file() -> None:
    diagnostics = Diagnostics()
    worker = Worker("w", None, (UnsupportedBinding("BUCKET", "R2 bucket"),), source="a/wrangler.toml")

    check_deployment(Config(workers=(worker,)), TODAY, diagnostics)

    (message,) = diagnostics.messages
    assert "env.BUCKET" in message.text
    assert message.locations == (SourceLocation("a/wrangler.toml"),)
