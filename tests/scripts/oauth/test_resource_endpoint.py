"""/resource/: the user's own record, for tokens that are meant for it."""

import pytest

from issuer.json_responses import OAuthError
from issuer.resource_endpoint import resource
from tests.scripts.oauth.auth_stage import ISSUER
from tests.scripts.oauth.in_memory import document, endpoint_context, token_settings
from tests.scripts.oauth.test_bearer_token import KNOWN, TOKEN, stored
from tests.scripts.oauth.token_stage import API, OTHER_API, START


async def test_the_record_is_shown_as_far_as_the_scope_goes() -> None:
    context = endpoint_context(await stored(), known=KNOWN, path="/resource/orders", authorization=f"Bearer {TOKEN}")

    found = document(await resource(context))

    user = found.pop("user")
    assert found == {"path": "/resource/orders", "client_id": "shop", "scope": "openid email"}
    assert isinstance(user, dict)
    assert set(user) == {"sub", "email", "email_verified", "created"}
    assert user["created"] == START


@pytest.mark.parametrize(
    ("audience", "is_meant"),
    [
        ((API,), True),  # the server's default audience
        ((OTHER_API,), False),
        ((OTHER_API, API), True),
        ((ISSUER,), True),
    ],
)
async def test_only_a_token_for_this_resource_is_accepted(audience: tuple[str, ...], is_meant: bool) -> None:
    """RFC 9700 section 2.3."""
    context = endpoint_context(
        await stored(audience=audience), known=token_settings(), authorization=f"Bearer {TOKEN}", path="/resource"
    )

    if is_meant:
        assert (await resource(context)).status == 200
    else:
        with pytest.raises(OAuthError) as raised:
            await resource(context)
        assert (raised.value.error, raised.value.status) == ("invalid_token", 401)
