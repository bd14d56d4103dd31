"""A form is accepted from the browser, for the purpose and for the request that it was shown for."""

import pytest

from issuer import csrf

TOKEN = csrf.token("secret", "login", "client_id=a")


def test_the_token_of_the_form_is_valid() -> None:
    assert len(TOKEN) == 43
    assert csrf.is_valid(TOKEN, "secret", "login", "client_id=a")


@pytest.mark.parametrize(
    ("given", "secret", "purpose", "query"),
    [
        (TOKEN, "other", "login", "client_id=a"),  # another browser's cookie
        (TOKEN, "secret", "consent", "client_id=a"),  # another form
        (TOKEN, "secret", "login", "client_id=b"),  # another request
        (TOKEN, None, "login", "client_id=a"),
        (TOKEN, "", "login", "client_id=a"),
        (None, "secret", "login", "client_id=a"),
        ("", "secret", "login", "client_id=a"),
        ("\ud800é", "secret", "login", "client_id=a"),
    ],
)
def test_any_other_one_is_not(given: str | None, secret: str | None, purpose: str, query: str) -> None:
    assert not csrf.is_valid(given, secret, purpose, query)


def test_parts_cannot_be_shifted_from_one_to_the_other() -> None:
    assert csrf.token("s", "ab", "c") != csrf.token("s", "a", "bc")
