"""Which claims of a user a scope covers. Pure."""

from issuer.users import User


def claims_of(user: User, scope: tuple[str, ...]) -> dict[str, object]:
    """OpenID Connect Core section 5.4. A claim without a value is left out (section 5.3.2)."""
    claims: dict[str, object] = {"sub": user.id}
    if "profile" in scope:
        claims |= {**user.claims, "sub": user.id}
        if user.name:
            claims["name"] = user.name
    if "email" in scope:
        claims |= {"email": user.email, "email_verified": user.email_verified}
    return claims
