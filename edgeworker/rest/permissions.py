"""What a token may do, and what an endpoint needs. Pure.

A permission is written `everything`, `account:read`, `access:read`, `access:edit`, `workers:read`, `workers:edit`,
`kv:read`, `kv:write`, `kv:admin`, or, for one namespace only, `kv:read:<namespace id>` and `kv:write:<namespace id>`.
Writing does not include reading: a
token publisher's token can put tokens in and cannot take them out.
"""

from dataclasses import dataclass
from enum import Enum

from edgeworker.errors import ConfigError


class Need(Enum):
    """What an endpoint asks of its caller; the value is how the permission that grants it is written."""

    ANY_TOKEN = "any"  # what a token may ask about itself
    EVERYTHING = "everything"
    ACCOUNT_READ = "account:read"
    ACCESS_READ = "access:read"
    ACCESS_EDIT = "access:edit"  # Cloudflare Access: what is configured, keys, sessions
    KV_READ = "kv:read"
    KV_WRITE = "kv:write"
    KV_ADMIN = "kv:admin"  # creating, renaming and deleting namespaces
    API_SHIELD_READ = "api_shield:read"
    API_SHIELD_EDIT = "api_shield:edit"
    WORKERS_READ = "workers:read"
    WORKERS_EDIT = "workers:edit"  # publishing: what is published runs with the rights of the edge's own process


_SCOPED = (Need.KV_READ, Need.KV_WRITE)
_WRITTEN = {need.value: need for need in Need if need is not Need.ANY_TOKEN}


@dataclass(frozen=True, slots=True)
class Permission:
    """`namespace` is the only KV namespace it holds for; None is all of them."""

    need: Need
    namespace: str | None = None

    def __str__(self) -> str:
        return self.need.value if self.namespace is None else f"{self.need.value}:{self.namespace}"

    def allows(self, need: Need, namespace: str | None) -> bool:
        """Whether this is enough for an endpoint about this namespace; None: about all or about none."""
        if self.need is Need.EVERYTHING:
            return True
        return self.need is need and (self.namespace is None or self.namespace == namespace)


def parse(text: str) -> Permission:
    """Raises ConfigError for what is not a permission."""
    action = ":".join(text.split(":", 2)[:2])
    namespace = text[len(action) + 1 :] or None
    need = _WRITTEN.get(action)
    if need is None or text.endswith(":") or (namespace is not None and need not in _SCOPED):
        raise ConfigError(
            f'"{text}" is not a permission; there are: {", ".join(_WRITTEN)}, and kv:read:<namespace id>, '
            "kv:write:<namespace id> for one namespace only"
        )
    return Permission(need, namespace)


@dataclass(frozen=True, slots=True)
class Principal:
    """Who calls, as the door established it. `id` and `name` are the token's; neither is a secret."""

    id: str
    name: str
    permissions: tuple[Permission, ...]

    def may(self, need: Need, namespace: str | None) -> bool:
        return need is Need.ANY_TOKEN or any(permission.allows(need, namespace) for permission in self.permissions)
