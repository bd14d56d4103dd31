"""The response of an endpoint, before it becomes a Response of the `workers` module."""

from dataclasses import dataclass
from typing import Final

HeaderFields = tuple[tuple[str, str], ...]

NO_STORE: Final[HeaderFields] = (("cache-control", "no-store"), ("pragma", "no-cache"))


@dataclass(frozen=True, slots=True)
class EndpointResponse:
    status: int
    text: str | None = None
    fields: HeaderFields = ()

    def with_fields(self, fields: HeaderFields) -> "EndpointResponse":
        return EndpointResponse(self.status, self.text, (*self.fields, *fields))

    def with_cookies(self, *cookies: str) -> "EndpointResponse":
        """`cookies` are values of `Set-Cookie`."""
        return self.with_fields(tuple(("set-cookie", cookie) for cookie in cookies))
