import asyncio
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeworker.config import JSON
from edgeworker.rest.json_array import elements

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(st.lists(VALUES), st.sampled_from([None, 1]))
async def test_the_elements_are_the_arrays(values: list[JSON], indent: int | None) -> None:
    content = b" " + json.dumps(values, indent=indent).encode() + b"\n"

    assert [element async for element in elements(content)] == values


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b'"a"',
        b"[",
        b"[1",
        b"[1,",
        b"[1,]",
        b"[,]",
        b"[1 2]",
        b"[1]]",
        b"[1]x",
        b"[NaN]",
        b"[\xff]",
        b"[" * 99_999,
    ],
)
async def test_what_is_not_an_array_raises_value_error(content: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # the text is the parser's
        [element async for element in elements(content)]


async def test_others_get_a_turn_while_a_large_array_is_read() -> None:
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.ensure_future(other())
    async for _ in elements(json.dumps(["x" * 1000] * 1000).encode()):
        pass
    task.cancel()

    assert turns >= 9
