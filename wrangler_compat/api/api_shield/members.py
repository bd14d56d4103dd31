"""Reads the members of a body's objects. Pure."""

from collections.abc import Mapping, Sequence

from edgeworker.config import JSON
from edgeworker.products.api_shield.config import Action
from wrangler_compat.api.api_shield.shielded_zone import invalid

JSONObject = Mapping[str, JSON]


def as_object(value: JSON, name: str) -> dict[str, JSON]:
    if not isinstance(value, dict):
        raise invalid(f"{name} is not a JSON object")
    return value


def as_list(value: JSON, name: str) -> list[JSON]:
    if not isinstance(value, list):
        raise invalid(f"{name} is not a JSON array")
    return value


def read_text(value: JSONObject, name: str, *, longest: int, may_be_empty: bool = False) -> str:
    found = value.get(name)
    if not isinstance(found, str) or not (found.strip() or may_be_empty):
        raise invalid(f"{name} is missing or not a text")
    if len(found) > longest:
        raise invalid(f"{name} has {len(found)} characters; at most {longest} are allowed")
    if any("\ud800" <= character <= "\udfff" for character in found):
        raise invalid(f"{name} holds a lone surrogate, which is not a character")
    return found


def read_texts(value: JSON, name: str) -> list[str]:
    found = as_list(value, name)
    if not all(isinstance(item, str) for item in found):
        raise invalid(f"{name} is not an array of texts")
    return [item for item in found if isinstance(item, str)]


def read_bool(value: JSONObject, name: str) -> bool:
    found = value.get(name)
    if not isinstance(found, bool):
        raise invalid(f"{name} is missing or not true or false")
    return found


def read_action(value: JSONObject) -> Action:
    match value.get("action"):
        case "log":
            return "log"
        case "block":
            return "block"
        case _:
            raise invalid('action is missing or neither "log" nor "block"')


def refuse_unknown(value: JSONObject, known: Sequence[str], name: str) -> None:
    unknown = [key for key in value if key not in known]
    if unknown:
        raise invalid(f'{name} has "{unknown[0][:100]}", which is not one of {", ".join(known)}')
