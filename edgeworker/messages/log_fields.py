"""What a line of the log says about the request that it is about. Pure."""

from collections.abc import Mapping

from edgeworker.messages.request import Request


def log_fields(request: Request) -> Mapping[str, Mapping[str, str]]:
    """For `extra=` of a logger: who asked, and the ray id under which the access log and the client know the request.

    A request that a worker made for another one has no ray id.
    """
    fields = {"client": request.client.ip, "ray": request.headers.get("cf-ray") or ""}
    return {"fields": {name: value for name, value in fields.items() if value}}
