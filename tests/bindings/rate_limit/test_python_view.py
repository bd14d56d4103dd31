import pytest

from edgeworker.bindings import RateLimitBinding
from tests.runtime.stage import Stage


async def test_a_key_is_counted_for_one_period(stage: Stage) -> None:
    stage.clock.seconds = 600
    stage.add_fetch(
        """
        limited = await self.env.RL.limit({"key": request.headers["key"]})
        other = await self.env.SAME.limit(key="other")
        return Response(f"{limited.success} {other['success']}")
        """,
        RateLimitBinding("RL", "1", limit=2, period_seconds=60),
        RateLimitBinding("SAME", "2", limit=9, period_seconds=60),
    )

    answers = [(await stage.get(headers={"key": key})).text for key in ("a", "a", "a", "b")]
    assert answers == ["True True", "True True", "False True", "True True"]
    stage.clock.advance(59)
    assert (await stage.get(headers={"key": "a"})).text == "False True"
    stage.clock.advance(1)
    assert (await stage.get(headers={"key": "a"})).text == "True True"


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ("", "invalid rate limit options"),
        ("{'id': 1, 'x': 2}", "bad rate limit options: [id,x]"),
        ("{'key': 5}", "invalid key: 5"),
        ("{'key': 'k', 'limit': 'x'}", "limit must be a number: x"),
        ("{'key': 'k', 'period': 'x'}", "period must be a number: x"),
        ("{'key': 'k', 'period': 30}", "unsupported period: 30"),
    ],
)
async def test_options_that_cannot_be_meant_are_an_error(stage: Stage, options: str, error: str) -> None:
    text = await stage.run(
        f"""
        try:
            await self.env.RL.limit({options})
        except Exception as error:
            return Response(str(error))
        """,
        RateLimitBinding("RL", "1", limit=2, period_seconds=60),
    )

    assert text == f"Error: {error}"
