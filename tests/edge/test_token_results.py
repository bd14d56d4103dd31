"""What became of the token that a client showed."""

import pytest

from edgeworker.edge.token_results import token_result
from edgeworker.messages import Credentials, Headers, Response


@pytest.mark.parametrize(
    ("authorization", "status", "challenge", "result"),
    [
        ("Bearer abc", 200, None, "accepted"),
        ("bearer abc", 404, None, "accepted"),
        ("Bearer abc", 401, 'Bearer error="invalid_token"', "refused"),
        ("Bearer abc", 403, None, "refused"),
        ("Bearer abc", 500, None, "accepted"),
        ("Bearer abc", 429, None, ""),  # of a limit, which may come before the token
        (None, 401, "Bearer", "missing"),
        (None, 401, 'Basic realm="x"', ""),
        ("Basic abc", 200, None, ""),
        (None, 200, None, ""),
    ],
)
def test_it_is_told_by_the_answer(authorization: str | None, status: int, challenge: str | None, result: str) -> None:
    headers = Headers() if challenge is None else Headers({"www-authenticate": challenge})
    response = Response(status, headers)
    response.served_by = "origin"

    assert token_result(Credentials(authorization=authorization), response) == result


@pytest.mark.parametrize(("status", "result"), [(308, "accepted"), (404, ""), (530, ""), (403, "refused")])
def test_no_one_accepts_the_token_of_a_request_that_the_edge_itself_refuses(status: int, result: str) -> None:
    assert token_result(Credentials(authorization="Bearer abc"), Response(status)) == result
