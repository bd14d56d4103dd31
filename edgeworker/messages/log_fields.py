"""What a line of the log says about the request that it is about, and which lines say the same. Pure."""

from collections.abc import Mapping

from edgeworker.messages.request import Request


def log_fields(request: Request) -> Mapping[str, Mapping[str, str]]:
    """For `extra=` of a logger: who asked, and the ray id under which the access log and the client know the request.

    A request that a worker made for another one has no ray id.
    """
    fields = {"client": request.client.ip, "ray": request.headers.get("cf-ray") or ""}
    return {"fields": {name: value for name, value in fields.items() if value}}


def key_of_traceback(described: str) -> str:
    """For "repeats" in `extra=` of a logger: lines with the same one tell of the same mistake, and the log of `serve`
    has one of them now and then. The frames count, not the message, which may have a text of the request in it.
    """
    lines = described.splitlines()
    return "\n".join(line for line in lines if line[:1].isspace()) or described.partition(":")[0]
