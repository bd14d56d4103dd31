import pytest

from edgeworker.errors import ConfigError
from edgeworker.rest.permissions import Need, Permission, Principal, parse


@pytest.mark.parametrize(
    ("text", "permission"),
    [
        ("everything", Permission(Need.EVERYTHING)),
        ("account:read", Permission(Need.ACCOUNT_READ)),
        ("kv:read", Permission(Need.KV_READ)),
        ("kv:admin", Permission(Need.KV_ADMIN)),
        ("kv:write:abc", Permission(Need.KV_WRITE, "abc")),
        ("kv:read:with:colon", Permission(Need.KV_READ, "with:colon")),
    ],
)
def test_a_permission_is_written_as_it_is_read(text: str, permission: Permission) -> None:
    assert parse(text) == permission
    assert str(permission) == text


@pytest.mark.parametrize(
    "text", ["", "any", "kv", "kv:", "kv:read:", "kv:admin:ns", "account:read:ns", "everything:ns", "KV:READ"]
)
def test_another_text_is_not_a_permission(text: str) -> None:
    with pytest.raises(ConfigError, match="is not a permission; there are: everything"):
        parse(text)


@pytest.mark.parametrize(
    ("held", "need", "namespace", "may"),
    [
        ("everything", Need.KV_WRITE, "a", True),
        ("everything", Need.EVERYTHING, None, True),
        ("kv:read", Need.KV_READ, "a", True),
        ("kv:read", Need.KV_READ, None, True),
        ("kv:read", Need.KV_WRITE, "a", False),
        ("kv:write", Need.KV_READ, "a", False),
        ("kv:write:a", Need.KV_WRITE, "a", True),
        ("kv:write:a", Need.KV_WRITE, "b", False),
        ("kv:read:a", Need.KV_READ, None, False),
        ("kv:write", Need.KV_ADMIN, "a", False),
        ("kv:admin", Need.KV_WRITE, "a", False),
        ("account:read", Need.ACCOUNT_READ, None, True),
        ("account:read", Need.EVERYTHING, None, False),
        ("kv:write:a", Need.ANY_TOKEN, None, True),
    ],
)
def test_a_permission_allows_what_it_says_and_nothing_else(
    held: str, need: Need, namespace: str | None, may: bool
) -> None:
    assert Principal("id", "name", (parse(held),)).may(need, namespace) is may


def test_without_permissions_only_the_token_itself_can_be_asked_about() -> None:
    assert Principal("id", "name", ()).may(Need.ANY_TOKEN, None)
    assert not Principal("id", "name", ()).may(Need.KV_READ, "a")
