"""What became of the token that a client showed, in one word for logs and counts. Pure.

A product that looks at tokens says it itself ("expired", "bad_signature"). Else it is told by the answer: tokens that a
script checks are known to the script only.
"""

from typing import Final

from edgeworker.messages import Credentials, Response

ACCEPTED: Final = "accepted"
REFUSED: Final = "refused"
MISSING: Final = "missing"


def token_result(credentials: Credentials, response: Response) -> str:
    """ "" where no token was shown and none was asked for."""
    authorization = credentials.authorization
    if authorization is not None and authorization[:7].lower() == "bearer ":
        return REFUSED if response.status in (401, 403) else ACCEPTED
    if response.status == 401 and "bearer" in (response.headers.get("www-authenticate") or "").lower():
        return MISSING
    return ""
