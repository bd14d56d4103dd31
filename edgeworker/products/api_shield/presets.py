"""The choices of the dashboard, and the expressions that they stand for. Pure.

Source: https://developers.cloudflare.com/api-shield/security/jwt-validation/ ("Validation behavior").
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

MissingToken = Literal["ignore", "mark-as-non-compliant"]
Validate = Literal["all", "any"]


@dataclass(frozen=True, slots=True)
class Preset:
    """`configurations` are ids. `pass_preflight`: requests with the method OPTIONS pass, as browsers need it for
    CORS."""

    configurations: tuple[str, ...]
    missing_token: MissingToken = "mark-as-non-compliant"
    validate: Validate = "all"
    pass_preflight: bool = False


def expand(preset: Preset) -> str:
    """The expression of a validation rule."""
    parts = [
        _one(each, preset.missing_token, is_only=len(preset.configurations) == 1) for each in preset.configurations
    ]
    expression = (" and " if preset.validate == "all" else " or ").join(parts)
    if not preset.pass_preflight:
        return expression
    inner = f"({expression})" if preset.validate == "all" and len(parts) > 1 else expression
    return f'{inner} or http.request.method eq "OPTIONS"'


def _one(configuration_id: str, missing: MissingToken, *, is_only: bool) -> str:
    valid = f'is_jwt_valid("{configuration_id}")'
    if missing == "mark-as-non-compliant":
        return valid
    either = f'{valid} or not is_jwt_present("{configuration_id}")'
    return either if is_only else f"({either})"


def combine(expressions: Sequence[str]) -> str:
    """One expression that holds where any of `expressions` does: what several rules on one operation need, since only
    one of them decides."""
    return " or ".join(f"({expression})" for expression in expressions)
