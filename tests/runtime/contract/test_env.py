import pytest

from edgeworker.runtime.contract.env import Env


def test_bindings_are_attributes() -> None:
    env = Env("shop", {"TITLE": "x", "LIMIT": 3})

    assert env.TITLE == "x"
    assert env.object_keys() == dir(env)[::-1] == ["TITLE", "LIMIT"]
    env.EXTRA = 1
    assert env.EXTRA == 1


def test_a_missing_binding_tells_what_is_bound() -> None:
    env = Env("shop", {"TITLE": "x", "TOKENS": object()})

    assert getattr(env, "TOKEN", None) is None
    assert not hasattr(env, "TOKEN")
    with pytest.raises(AttributeError, match=r'^worker "shop" has no binding "TOKEN"; bound are: TITLE, TOKENS$'):
        _ = env.TOKEN
    with pytest.raises(AttributeError, match="bound are: nothing"):
        _ = Env("shop", {}).X


def test_the_repr_shows_no_secret() -> None:
    assert repr(Env("shop", {"PASSWORD": "hunter2"})) == "Env(PASSWORD)"
