"""What the server says of itself: RFC 8414, OpenID Connect Discovery, RFC 9728. Pure; every URL is from ISSUER."""

from issuer import clients, signing
from issuer.keys import ServerKeySet
from issuer.settings import IssuerSettings


def server(settings: IssuerSettings, key_set: ServerKeySet) -> dict[str, object]:
    """One document for both well-known names."""
    methods = list(clients.AUTH_METHODS)
    confidential = [method for method in methods if method != "none"]
    signing_algorithms = list(signing.CLIENT_ALGORITHMS)
    algorithms = list(dict.fromkeys(key.alg for key in key_set.keys))
    return {
        "issuer": settings.issuer,
        "authorization_endpoint": settings.url("/authorize"),
        "token_endpoint": settings.url("/token"),
        "jwks_uri": settings.url("/jwks"),
        "userinfo_endpoint": settings.url("/userinfo"),
        "revocation_endpoint": settings.url("/revoke"),
        "introspection_endpoint": settings.url("/introspect"),
        "end_session_endpoint": settings.url("/logout"),
        "scopes_supported": list(settings.scopes),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query", "form_post"],
        "grant_types_supported": list(clients.GRANT_TYPES),
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": True,
        "token_endpoint_auth_methods_supported": methods,
        "token_endpoint_auth_signing_alg_values_supported": signing_algorithms,
        "revocation_endpoint_auth_methods_supported": methods,
        "revocation_endpoint_auth_signing_alg_values_supported": signing_algorithms,
        "introspection_endpoint_auth_methods_supported": confidential,
        "introspection_endpoint_auth_signing_alg_values_supported": signing_algorithms,
        "introspection_signing_alg_values_supported": algorithms,
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": algorithms,
        "prompt_values_supported": ["none", "login", "consent", "select_account"],
        "claims_supported": [
            *("iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "amr", "at_hash"),
            *("email", "email_verified", "name"),
        ],
        "claims_parameter_supported": False,
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,  # OpenID Connect's default is true
        "require_request_uri_registration": False,
    }


def resource(settings: IssuerSettings, name: str) -> dict[str, object]:
    """RFC 9728; `name` is the path of the resource below the issuer: "/resource", or "" for the issuer itself."""
    return {
        "resource": settings.url(name),
        "authorization_servers": [settings.issuer],
        "jwks_uri": settings.url("/jwks"),
        "scopes_supported": list(settings.scopes),
        "bearer_methods_supported": ["header"],
    }
