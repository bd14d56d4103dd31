"""JSON as Python has it. Pure."""

from edgeworker.strict_json import JSON as JSON


def as_json(value: object) -> JSON:
    """A value of a configuration file; a date, which wrangler refuses, is its text."""
    match value:
        case None | bool() | int() | float() | str():
            return value
        case list():
            return [as_json(item) for item in value]
        case dict():
            return {str(key): as_json(item) for key, item in value.items()}
        case _:
            return str(value)
