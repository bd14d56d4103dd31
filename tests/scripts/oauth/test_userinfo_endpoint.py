"""/userinfo: what a scope covers of a user, and nothing else."""

import pytest

from issuer.json_responses import OAuthError
from issuer.userinfo_endpoint import claims_of, userinfo
from tests.scripts.oauth.in_memory import ann, document, endpoint_context
from tests.scripts.oauth.test_bearer_token import KNOWN, TOKEN, stored

ANN = ann(claims={"locale": "sv"})


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        # OpenID Connect Core section 5.4
        (("openid",), {}),
        (("openid", "email"), {"email": "ann@example.com", "email_verified": True}),
        (("openid", "profile"), {"name": "Ann Larsson", "locale": "sv"}),
        (("orders.read",), {}),
    ],
)
def test_a_scope_covers_its_claims(scope: tuple[str, ...], expected: dict[str, object]) -> None:
    assert claims_of(ANN, scope) == {"sub": ANN.id, **expected}


def test_a_claim_without_a_value_is_left_out() -> None:
    """OpenID Connect Core section 5.3.2."""
    assert "name" not in claims_of(ann(name=""), ("profile",))


async def test_the_claims_of_the_tokens_scope_are_answered() -> None:
    context = endpoint_context(await stored(), known=KNOWN, authorization=f"Bearer {TOKEN}")

    assert set(document(await userinfo(context))) == {"sub", "email", "email_verified"}


async def test_the_scope_openid_is_needed() -> None:
    context = endpoint_context(await stored(scope=("email",)), known=KNOWN, authorization=f"Bearer {TOKEN}")

    with pytest.raises(OAuthError) as raised:
        await userinfo(context)

    assert (raised.value.error, raised.value.scope) == ("insufficient_scope", "openid")
