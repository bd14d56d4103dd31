"""Verifies JWT access tokens (RFC 9068) in a worker: copy this folder beside your script and it deploys with it.

    from verifier import access_token, remote
    from verifier.access_token import Expected, InvalidToken
    from verifier.keys import KeysUnavailable
    from workers import fetch

    EXPECTED = Expected(issuer="https://auth.example.com", audience=frozenset({"https://api.example.com"}))
    KEYS = remote.keys_at("https://auth.example.com/jwks", fetch)      # one for the isolate: it remembers

    try:
        token = await access_token.verify(text, KEYS, EXPECTED, now=time.time())
    except InvalidToken as error: ...       # 401; str(error) may be told to the client
    except KeysUnavailable as error: ...    # 503; error.retry_after_seconds
    if token.missing({"orders.read"}): ...  # 403

`access_token` is the whole check; `claims` and `keys` are its parts (`keys` alone needs PyJWT); `remote` fetches and
keeps the issuer's keys; `answers` words refusals (RFC 6750, RFC 9457, RFC 9728) and CORS; `variables` reads settings.
No module imports `workers`: what fetches is passed in, so a service binding serves as well (`env.ISSUER.fetch`).

scripts/protected_api and scripts/split_token carry the same files, and a test holds them the same.
"""
