"""A token request of an authenticated client, and what its grant may give at most. Pure except for the storage."""

from dataclasses import dataclass

from issuer import redirect_uris, resource_names
from issuer.clients import RegisteredClient
from issuer.form_parameters import Parameters
from issuer.json_responses import OAuthError
from issuer.keys import ServerKeySet
from issuer.settings import IssuerSettings
from issuer.storage import IssuerStorage


@dataclass(frozen=True, slots=True)
class TokenRequest:
    parameters: Parameters
    client: RegisteredClient
    storage: IssuerStorage
    settings: IssuerSettings
    key_set: ServerKeySet
    now: int

    def required(self, name: str) -> str:
        return require(self.parameters, name)


def require(parameters: Parameters, name: str) -> str:
    """Raises OAuthError if the parameter is missing."""
    value = parameters.get(name)
    if value is None:
        raise OAuthError("invalid_request", f"The parameter {name} is missing")
    return value


def allowed_scope(client: RegisteredClient, settings: IssuerSettings) -> tuple[str, ...]:
    """What the client may have now."""
    return tuple(name for name in client.scope if name in settings.scopes)


def allowed_resources(client: RegisteredClient, settings: IssuerSettings) -> tuple[str, ...]:
    """What the client may have now. At least one, unless every resource was withdrawn."""
    return tuple(name for name in client.resources or settings.resources if name in settings.resources)


def effective_scope(
    requested: str | None, granted: tuple[str, ...], client: RegisteredClient, settings: IssuerSettings
) -> tuple[str, ...]:
    """The scope of a token: what was granted, asked for now, and what the client may still have.

    Unknown scopes are ignored (OpenID Connect Core section 3.1.2.1).

    Raises:
        OAuthError: (invalid_scope) more is asked for than was granted, or nothing remains.
    """
    names = requested_names(requested or "") or granted
    known = tuple(name for name in names if name in settings.scopes or name in granted)
    if any(name not in granted for name in known):
        raise OAuthError("invalid_scope", "The scope is more than was granted")
    remaining = tuple(name for name in known if name in allowed_scope(client, settings))
    if not remaining and names:
        raise OAuthError("invalid_scope", "Nothing remains of the scope: it is unknown, or withdrawn from the client")
    return remaining


def requested_names(scope: str) -> tuple[str, ...]:
    """The names of a scope parameter, each once. Additional spaces mean nothing."""
    return tuple(dict.fromkeys(name for name in scope.split(" ") if name))


def effective_audience(
    requested: tuple[str, ...], granted: tuple[str, ...], client: RegisteredClient, settings: IssuerSettings
) -> tuple[str, ...]:
    """The audience of a token (RFC 8707): what was granted, asked for now, and what the client may still have.

    `granted` is empty if the authorization request named no resource; then the first allowed one is the default.

    Raises:
        OAuthError: (invalid_target) the requested resource was not granted or was withdrawn.
    """
    allowed = allowed_resources(client, settings)
    possible = tuple(name for name in granted if name in allowed) if granted else allowed
    found = resource_names.find_all(requested, possible)
    if found is None or not possible:
        raise OAuthError("invalid_target", "The resource is not one that was granted and that the client may have now")
    return found or (possible if granted else possible[:1])


def check_redirect_uri(redirect_uri: str | None, client: RegisteredClient) -> None:
    """Whether the redirect URI of the grant is still registered. None: a grant of an earlier version.

    Raises:
        OAuthError: (invalid_grant) it was withdrawn.
    """
    if redirect_uri is not None and not redirect_uris.match(redirect_uri, client.redirect_uris):
        raise OAuthError("invalid_grant", "The redirect_uri of this grant is no longer registered for the client")
