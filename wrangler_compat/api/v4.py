"""Cloudflare's v4 REST API as a Handler: the authenticator, the router, the envelope."""

import logging
import re
from typing import TYPE_CHECKING, Final

from edgeworker.clock import Clock
from edgeworker.config import Config
from edgeworker.errors import StoreError
from edgeworker.kv.store import KVStore
from edgeworker.messages import RefusalReason, Request, Response
from edgeworker.rest import target
from edgeworker.rest.call import Call
from edgeworker.rest.envelope import API_RULE, failure
from edgeworker.rest.errors import ApiError, GeneralCode, KVCode
from edgeworker.rest.permissions import Principal
from edgeworker.rest.router import EndpointMatch, Router, WrongMethod
from edgeworker.state import MemoryState, State
from wrangler_compat.api.account import account_id, takes_account
from wrangler_compat.api.auth import Authenticator, AuthRefusal

if TYPE_CHECKING:
    from edgeworker.publishing import WorkerPublisher

_log = logging.getLogger(__name__)

ROOT: Final = "/client/v4"
ACCESS_SEGMENT: Final = "/access/"  # stands in the path of each endpoint of Cloudflare Access

# The same KV calls under the path that wrangler's own local explorer has; there is no account in it.
_WORKERS_OF_ACCOUNT: Final = re.compile(rf"{ROOT}/accounts/[^/]+/workers(?:/|$)")
_EXPLORER_ROOT: Final = "/cdn-cgi/local/explorer/api/storage/kv/namespaces"


class V4Api:
    """The API of one edge, over its KV store and its state (by default in memory).

    `config`, which may be replaced, has the account and zones that it shows.

    `relaxed_expiration` lets in entries that expire in less than 60 s (see edgeworker.bindings.kv.rest.expiration).
    """

    def __init__(
        self,
        config: Config,
        store: KVStore,
        authenticator: Authenticator,
        *,
        clock: Clock,
        state: State | None = None,
        relaxed_expiration: bool = False,
        publisher: "WorkerPublisher | None" = None,
    ) -> None:
        self.config = config
        self._store = store
        self._state = state or MemoryState(clock)
        self._authenticator = authenticator
        self._clock = clock
        self._relaxed_expiration = relaxed_expiration
        self._publisher = publisher
        self._usual_router: Router | None = None
        self._whole_router: Router | None = None

    async def fetch(self, request: Request, /) -> Response:
        try:
            principal = await self._authenticator.authorize(request)
            if isinstance(principal, AuthRefusal):
                return _refuse(principal)
            return await self._answer(request, principal)
        except target.UndecodableText as error:
            return failure(400, [(KVCode.ILLEGAL_KEY, str(error))])
        except StoreError as error:
            # The text names a file of this machine: it is for our log.
            _log.error("%s %s: %s", request.method, request.url.path, error, extra={"repeats": str(error)})
            response = failure(503, [(KVCode.UNAVAILABLE, "service unavailable")])
            response.refusal_reason = RefusalReason(API_RULE, ("the store failed; the log has its error",))
            return response

    def _router_for(self, path: str) -> Router:
        """The endpoints take a while to load, and an edge serves before anyone asks its API. Those of Cloudflare Access
        bring 4 MB along, and most edges are never asked for them."""
        if ACCESS_SEGMENT in path:
            if self._whole_router is None:
                from wrangler_compat.api.endpoints import ENDPOINTS

                self._whole_router = Router(ENDPOINTS)
            return self._whole_router
        if self._usual_router is None:
            from wrangler_compat.api.usual_endpoints import USUAL_ENDPOINTS

            self._usual_router = Router(USUAL_ENDPOINTS)
        return self._usual_router

    async def _answer(self, request: Request, principal: Principal) -> Response:
        asked = target.of(request)
        path = self._below_root(asked.path)
        match None if path is None else self._router_for(path).find(request.method, path):
            case None:
                return failure(404, _no_route(asked.path), hint=_describe_instead(asked.path))
            case WrongMethod(allowed):
                text = f"Method {request.method} is not allowed here."
                return failure(405, [(GeneralCode.METHOD_NOT_ALLOWED, text)], headers={"allow": ", ".join(allowed)})
            case EndpointMatch(endpoint, params):
                if not principal.may(endpoint.needs, params.get("namespace")):
                    needed = endpoint.needs.value
                    reason = f'The token "{principal.name}" lacks the permission {needed}.'
                    evidence = f"the token {principal.id} lacks the permission {needed}"
                    return _refuse(AuthRefusal(403, reason, evidence))
                account = params.get("account")
                if account is not None and not takes_account(self.config, account):
                    known = self.config.account_id
                    reason = f'There is no account "{account}" here; this one is "{known}".'
                    return _refuse(AuthRefusal(403, reason, f"account unknown: the one of this edge is {known}"))
                call = Call(
                    request,
                    params,
                    asked.query,
                    principal,
                    self.config,
                    self._store,
                    self._state,
                    self._clock,
                    self._relaxed_expiration,
                    self._publisher,
                )
                try:
                    response = await endpoint.answer(call)
                except ApiError as error:
                    response = failure(error.status, [(error.code, error.text)])
                if response.refusal_reason is not None:
                    # The template says which endpoint it was without a key's name.
                    rule = f"{API_RULE}: {endpoint.method} {endpoint.template}"
                    response.refusal_reason = RefusalReason(rule, response.refusal_reason.evidence)
                return response

    def _below_root(self, path: str) -> str | None:
        if path.startswith(ROOT + "/"):
            return path[len(ROOT) :]
        if path == _EXPLORER_ROOT or path.startswith(_EXPLORER_ROOT + "/"):
            below = path[len(_EXPLORER_ROOT) :]
            return f"/accounts/{account_id(self.config)}/storage/kv/namespaces{below}"
        return None


def _refuse(refusal: AuthRefusal) -> Response:
    if refusal.status == 429:
        errors = [(GeneralCode.TOO_MANY_FAILURES, "Too many authentication failures. Please try again later.")]
        headers = {"retry-after": str(refusal.retry_after_seconds)}
    else:
        # Cloudflare's text first, to the letter; what a person needs to know to mend it stands beside it.
        errors = [(GeneralCode.AUTHENTICATION, "Authentication error")]
        headers = {"www-authenticate": 'Bearer realm="edgeworker API"'} if refusal.status == 401 else {}
    response = failure(refusal.status, errors, hint=refusal.reason, headers=headers)
    response.refusal_reason = RefusalReason(f"{API_RULE}: who may call it", (refusal.evidence,))
    return response


def _describe_instead(path: str) -> str | None:
    """What to use in place of calls of wrangler that an edge does not have."""
    if _WORKERS_OF_ACCOUNT.match(path) is None:
        return None
    return (
        "Workers are published here with `edgeworker publish`, rolled back with `edgeworker rollback` and listed with "
        "`edgeworker versions`; their secrets are the edge's own (environment, NAME_FILE, credentials). Of wrangler, "
        "`wrangler kv` works here."
    )


def _no_route(path: str) -> list[tuple[GeneralCode, str]]:
    shown = path.removeprefix(ROOT) or "/"
    shown = shown if len(shown) <= 200 else shown[:200] + "…"
    return [
        (GeneralCode.NOT_ROUTABLE, f"Could not route to {shown}, perhaps your object identifier is invalid?"),
        (GeneralCode.NO_ROUTE, "No route for that URI"),
    ]
