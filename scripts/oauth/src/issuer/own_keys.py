"""The issuer's own public keys, for the auth worker: fetched from the token worker, which has the private ones."""

from issuer.id_token_hint import ALGORITHMS
from verifier import keys, remote
from verifier.claims import Claims
from verifier.keys import KeysUnavailable
from verifier.remote import FetchFunction


class OwnKeySignatures:
    """One per isolate: it caches the keys."""

    def __init__(self, url: str, fetch: FetchFunction) -> None:
        self._keys = remote.remote_keys(url, fetch, frozenset(ALGORITHMS))

    async def check(self, token: str, header: Claims, *, now: float) -> None:
        try:
            await keys.check_token_signature(token, header, self._keys, now=now)
        except KeysUnavailable as error:
            raise OSError(str(error)) from None
