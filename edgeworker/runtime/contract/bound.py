"""What an isolate is given for one name of `env`. It builds the env of its own language out of these."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

Language = Literal["python", "javascript"]


@dataclass(frozen=True, slots=True)
class BoundService:
    """One binding of a worker: the service behind it, and how to make the view of it that a language has.

    A service speaks in values (bytes, str, numbers, Mapping, messages), never in a language's objects. A view is what a
    script of that language finds as `env.<name>`.
    """

    name: str
    service: object
    views: Mapping[Language, Callable[[], object]]
