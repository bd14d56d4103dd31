"""Takes the split tokens of a user or a client away from the gateway, which knows KV keys and no marks.

The mark that ends a user's sessions is compared by the server's workers only. What they published for the gateway is
therefore deleted one by one, as far as it is listed: by `storage.revoke` in the worker, and here for the operator. The
same is true of a client that is disabled.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

from edgeworker.bindings import KVBinding
from edgeworker.cli.kv.target import KVTarget, every_page
from edgeworker.config import Config
from edgeworker.errors import EdgeworkerError
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
    configured_clients: frozenset[str] = frozenset()

    @property
    def can_withdraw(self) -> bool:
        return self.split_namespace is not None

    @property
    def longest_life(self) -> str:
        """Of an access token."""
        return f"{self.ttl_seconds} seconds (ACCESS_TOKEN_TTL_SECONDS)"

    def knows_client(self, client_id: str) -> bool:
        """Whether the client is one of the variable CLIENTS."""
        return client_id in self.configured_clients

    async def withdraw(self, user_id: str) -> int:
        """Deletes what is published of the user's tokens; how many entries. Raises an EdgeworkerError."""
        if self.split_namespace is None:
            return 0
        keys, published = TokenKeys(), set[str]()
        prefix = keys.grant(user_id, "")
        for grant in await self._names(prefix):
            members = await self._entries(await self._names(keys.members(grant.removeprefix(prefix))))
            published |= {text for text in members.values() if text}
        await self._delete(self.split_namespace, sorted(published))
        return len(published)

    async def withdraw_of_client(self, client_id: str) -> int:
        """Deletes all access tokens of a client, those that it has in its own name among them, and what is published of
        them; how many were published. Raises an EdgeworkerError."""
        if self.split_namespace is None:
            return 0
        keys, published, own = TokenKeys(), set[str](), list[str]()
        async for page in every_page(self.place, self.tokens_namespace, prefix=keys.access_prefix):
            for name, text in (await self._entries([key.name for key in page.keys])).items():
                record = keys.access(text)
                if record is not None and record.client_id == client_id:
                    own.append(name)
                    published |= {record.publish_key} if record.publish_key else set()
        # What the gateway believes goes first.
        await self._delete(self.split_namespace, sorted(published))
        await self._delete(self.tokens_namespace, own)
        return len(published)

    async def _entries(self, keys: Sequence[str]) -> dict[str, str]:
        """Those of `keys` in TOKENS that have an entry still."""
        found: dict[str, str] = {}
        for start in range(0, len(keys), _VALUES_AT_ONCE):
            values = await self.place.values(self.tokens_namespace, keys[start : start + _VALUES_AT_ONCE])
            found |= {key: value.decode("utf-8", "replace") for key, value in values.items() if value is not None}
        return found

    async def _delete(self, namespace: str, keys: Sequence[str]) -> None:
        for start in range(0, len(keys), MAX_BULK_PAIRS):
            await self.place.delete_many(namespace, keys[start : start + MAX_BULK_PAIRS])

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
            return PublishedTokens(
                place, bound["TOKENS"], split, settings.access_token_ttl_seconds, frozenset(settings.clients)
            )
    return None


async def describe_withdrawal(
    published: PublishedTokens | None, withdraw: Callable[[PublishedTokens], Awaitable[int]]
) -> str:
    """Withdraws, and says what was withdrawn and what goes on for how long; it continues a sentence."""
    bound = "ACCESS_TOKEN_TTL_SECONDS of the server" if published is None else published.longest_life
    if published is None or not published.can_withdraw:
        return f"; access tokens go on until they expire, within {bound}"
    try:
        count = await withdraw(published)
    except EdgeworkerError as error:  # what ends them is written, so there is nothing to undo
        return f", but split tokens could not be withdrawn from the gateway ({error}) and go on for at most {bound}"
    return describe_withdrawn(count, published)


def describe_withdrawn(count: int, published: PublishedTokens) -> str:
    withdrawn = f"{count} split token{'' if count == 1 else 's'} withdrawn from the gateway"
    return f", {withdrawn}; a whole JWT that an API verifies by itself goes on for at most {published.longest_life}"
