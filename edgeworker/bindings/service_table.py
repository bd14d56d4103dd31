"""One of `services` in wrangler's configuration: a worker, or the service that stands for atomic operations. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from edgeworker.schema.json_value import JSON
from edgeworker.schema.wrangler_shape import BOOLEAN, UNCHECKED_OBJECT, member, required

_SHOULD: Final = '"{at}" bindings should have a string "{name}" field but got {got}.'


@dataclass(frozen=True, slots=True)
class ServiceTable:
    """[[services]]"""

    binding: str = field(metadata=required())
    service: str = field(metadata=required())
    environment: str | None = member(None, text=_SHOULD)
    entrypoint: str | None = member(None, text=_SHOULD)
    remote: bool = member(False, BOOLEAN)
    props: Mapping[str, JSON] | None = member(None, UNCHECKED_OBJECT)
