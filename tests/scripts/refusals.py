"""Reads the gateway's refusals with a strict parser."""

from werkzeug.datastructures import WWWAuthenticate

from tests.scripts.stage import Got


def challenge(got: Got) -> dict[str, str | None]:
    """The parameters of a Bearer challenge, by a strict parser."""
    parsed = WWWAuthenticate.from_header(got.headers.get("www-authenticate"))
    assert parsed is not None
    assert (parsed.type, parsed.token) == ("bearer", None)
    return dict(parsed.parameters)


def is_refused(got: Got, *, error: str | None) -> bool:
    assert got.status == 401
    assert got.headers.get("cache-control") == "no-store"
    assert got.headers.get("content-type") == "application/problem+json"
    assert got.problem["status"] == 401
    parameters = challenge(got)
    assert parameters["realm"] == "api"
    return parameters.get("error") == error
