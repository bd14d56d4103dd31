"""The methods that `dataclasses` writes are compiled once for classes that are made again."""

import dataclasses
from collections.abc import Iterator

import pytest

from edgeworker.runtime.python import dataclass_code

_CLASS = """\
from dataclasses import dataclass, field

@dataclass(frozen=True, order=True, slots=True)
class Token:
    prefix: str
    seconds: int = {seconds}
    scopes: tuple[str, ...] = ()
    notes: list[str] = field(default_factory=list, compare=False)
"""


@pytest.fixture(autouse=True)
def _compiled_once() -> Iterator[None]:
    dataclass_code.compile_once()
    yield
    del vars(dataclasses)["exec"]


def _make(source: str) -> dict[str, object]:
    module: dict[str, object] = {"__name__": "tests.of_dataclass_code"}
    exec(source, module)
    return module


def test_a_class_that_is_made_again_is_not_compiled_again() -> None:
    _make(_CLASS.format(seconds=1))
    before = dataclass_code.compiled_texts()

    _make(_CLASS.format(seconds=1))

    after = dataclass_code.compiled_texts()
    assert after.misses == before.misses
    assert after.hits > before.hits


def test_classes_of_the_same_texts_keep_their_own_values() -> None:
    first, second = (_make(_CLASS.format(seconds=seconds))["Token"] for seconds in (1, 2))

    assert callable(first)
    assert callable(second)
    assert repr(first("a")) == "Token(prefix='a', seconds=1, scopes=(), notes=[])"
    assert repr(second("a")) == "Token(prefix='a', seconds=2, scopes=(), notes=[])"
    assert first("a") != second("a")
    assert first("a") == first("a", notes=["b"])
    assert sorted([first("b"), first("a", 7), first("a")]) == [first("a"), first("a", 7), first("b")]
    with pytest.raises(dataclasses.FrozenInstanceError):
        first("a").prefix = "b"


def test_long_texts_are_not_kept() -> None:
    fields = "\n".join(f"    field_{number}: int = 0" for number in range(1000))
    before = dataclass_code.compiled_texts()

    made = _make(f"from dataclasses import dataclass\n@dataclass(repr=False, eq=False)\nclass Long:\n{fields}\n")[
        "Long"
    ]

    assert callable(made)
    assert made(field_999=7).field_999 == 7
    assert dataclass_code.compiled_texts().currsize == before.currsize
