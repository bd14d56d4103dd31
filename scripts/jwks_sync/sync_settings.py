"""The worker's variables, read once. Pure."""

from dataclasses import dataclass, field
from urllib.parse import urlsplit

API = "https://api.cloudflare.com/client/v4"
MAX_OVERLAP_SECONDS = 30 * 86_400


class WrongSettings(ValueError):
    """A variable that is missing or makes no sense; the text names it."""


@dataclass(frozen=True)
class Settings:
    """`overlap_seconds` is how long a key stays that the identity provider has taken away; it needs the KV binding
    STATE. `sync_token` "": the worker's own URL shows and changes nothing."""

    jwks_url: str
    credentials_url: str
    api_token: str = field(repr=False)
    sync_token: str = field(default="", repr=False)
    overlap_seconds: int = 0


def read_settings(env: object) -> Settings:
    """Raises WrongSettings."""
    jwks_url = _text(env, "JWKS_URL")
    if not _is_safe(jwks_url):
        raise WrongSettings(f'JWKS_URL "{jwks_url}" is not an https URL; keys that anyone can change are worth nothing')
    api = _text(env, "API_URL", API).rstrip("/")
    if not _is_safe(api):
        raise WrongSettings(f'API_URL "{api}" is not an https URL: the API token would be sent in clear')
    zone, config = _text(env, "ZONE_ID"), _text(env, "CONFIG_ID")
    for name, value in (("ZONE_ID", zone), ("CONFIG_ID", config)):
        if not all(char.isalnum() or char in "-_" for char in value):
            raise WrongSettings(f'{name} "{value}" is not an id')
    overlap = _text(env, "OVERLAP_SECONDS", "0")
    if not overlap.isdecimal() or int(overlap) > MAX_OVERLAP_SECONDS:
        raise WrongSettings(f'OVERLAP_SECONDS "{overlap}" is not a number of seconds up to {MAX_OVERLAP_SECONDS}')
    return Settings(
        jwks_url,
        f"{api}/zones/{zone}/token_validation/config/{config}/credentials",
        _text(env, "CF_API_TOKEN"),
        _text(env, "SYNC_TOKEN", ""),
        int(overlap),
    )


def _text(env: object, name: str, default: str | None = None) -> str:
    value = getattr(env, name, default)
    if value is None or (not isinstance(value, str | int)):
        value = default
    if value is None or (default is None and not str(value).strip()):
        raise WrongSettings(f"{name} is missing")
    return str(value).strip()


def _is_safe(url: str) -> bool:
    """https, or http to this machine."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    local = host in ("localhost", "127.0.0.1") or host.endswith(".localhost")
    return bool(host) and parts.username is None and (parts.scheme == "https" or (parts.scheme == "http" and local))
