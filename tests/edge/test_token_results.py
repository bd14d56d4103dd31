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
        (None, 401, "Bearer", "missing"),
        (None, 401, 'Basic realm="x"', ""),
        ("Basic abc", 200, None, ""),
        (None, 200, None, ""),
    ],
)
def test_it_is_told_by_the_answer(authorization: str | None, status: int, challenge: str | None, result: str) -> None:
    headers = Headers() if challenge is None else Headers({"www-authenticate": challenge})

    assert token_result(Credentials(authorization=authorization), Response(status, headers)) == result
