"""Proof that a form was shown by us, to this browser, for this very request. Pure.

A token is an HMAC under the secret of a cookie that no script can read, over what the form is for and the parameters
that it was shown with. Nothing is stored: another page knows no secret, another form's token has another purpose, and a
form for one request does not send off another (consent to what was displayed and nothing else).
"""

import base64
import hashlib
import hmac

from issuer import digests


def token(secret: str, purpose: str, query: str) -> str:
    """43 characters. `secret` is the value of a cookie, `query` the canonical query of the page."""
    message = digests.digest_of_parts("csrf", purpose, query).encode("ascii")
    code = hmac.new(secret.encode("utf-8", "surrogatepass"), message, hashlib.sha256).digest()
    return base64.urlsafe_b64encode(code).rstrip(b"=").decode("ascii")


def is_valid(given: str | None, secret: str | None, purpose: str, query: str) -> bool:
    """False where there is no token or no cookie."""
    if given is None or not secret:
        return False
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), token(secret, purpose, query).encode("ascii"))
