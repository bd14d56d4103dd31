"""Takes a user's split tokens away from the gateway, which knows KV keys and no marks.

The mark that ends a user's sessions is compared by the server's workers only. What they published for the gateway is
therefore deleted one by one, as far as it is listed: by `storage.revoke` in the worker, and here for the operator.
"""

from dataclasses import dataclass
from typing import Final

from edgeworker.bindings import KVBinding
from edgeworker.cli.kv.target import KVTarget, every_page
from edgeworker.config import Config
from edgeworker.host.issuer_scripts import TokenKeys, settings_of
from edgeworker.kv.rules import MAX_BULK_PAIRS

_VALUES_AT_ONCE: Final = 100


@dataclass(frozen=True, slots=True)
class PublishedTokens:
    """Where the server lists the access tokens of a grant, and where it publishes the split ones. `ttl_seconds` is how
    long an access token lives at most."""

    place: KVTarget
    tokens_namespace: str
    split_namespace: str | None
    ttl_seconds: int

    @property
    def can_withdraw(self) -> bool:
        return self.split_namespace is not None

    async def withdraw(self, user_id: str) -> int:
        """Deletes what is published of the user's tokens; how many entries. Raises an EdgeworkerError."""
        if self.split_namespace is None:
            return 0
        keys, published = TokenKeys(), set[str]()
        prefix = keys.grant(user_id, "")
        for grant in await self._names(prefix):
            members = await self._names(keys.members(grant.removeprefix(prefix)))
            for start in range(0, len(members), _VALUES_AT_ONCE):
                values = await self.place.values(self.tokens_namespace, members[start : start + _VALUES_AT_ONCE])
                published |= {value.decode("utf-8", "replace") for value in values.values() if value}
        ordered = sorted(published)
        for start in range(0, len(ordered), MAX_BULK_PAIRS):
            await self.place.delete_many(self.split_namespace, ordered[start : start + MAX_BULK_PAIRS])
        return len(ordered)

    async def _names(self, prefix: str) -> list[str]:
        pages = every_page(self.place, self.tokens_namespace, prefix=prefix)
        return [key.name async for page in pages for key in page.keys]


def published_tokens(config: Config, place: KVTarget, *, users_namespace: str, binding: str) -> PublishedTokens | None:
    """Of the server whose users are in that namespace; None where the configuration has none.

    Raises ValueError, which names the variable, for settings that cannot be used.
    """
    settings = settings_of(config)
    for worker in config.workers:
        bound = {binding.name: binding.namespace_id for binding in worker.bindings if isinstance(binding, KVBinding)}
        if settings is not None and bound.get(binding) == users_namespace and "TOKENS" in bound:
            split = bound.get("SPLIT") if settings.publish == "binding" else None
            return PublishedTokens(place, bound["TOKENS"], split, settings.access_token_ttl_seconds)
    return None
