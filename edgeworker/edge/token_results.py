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
    """ "" where no token was shown and none was asked for, or no one has looked at it.

    That is so if the edge itself refused the request, or there were too many.
    """
    authorization = credentials.authorization
    if authorization is not None and authorization[:7].lower() == "bearer ":
        if response.status in (401, 403):
            return REFUSED
        return "" if response.status == 429 or (response.status >= 400 and not response.served_by) else ACCEPTED
    if response.status == 401 and "bearer" in (response.headers.get("www-authenticate") or "").lower():
        return MISSING
    return ""
