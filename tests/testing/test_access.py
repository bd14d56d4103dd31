"""`edge.access`: sessions, service tokens, rotation and revocation in tests of those who use edgeworker."""

import jwt
import pytest

from edgeworker.config import JSON, Config
from edgeworker.testing.local import LocalEdge
from tests.products.access.stage import SERVICE, SHOP, app, edge_with

OBJECTS = (app("shop", "shop.example.com"), app("api", "api.example.com", SERVICE))
API = "https://api.example.com/"


def test_someone_is_logged_in_without_async() -> None:
    with edge_with(*OBJECTS) as edge:
        ada = edge.access.login("ada@example.com", app="shop", groups=["Sales"])

        assert edge.get(f"{SHOP}/", headers=ada.headers).status == 200
        identity = edge.get(f"{SHOP}/cdn-cgi/access/get-identity", headers=ada.headers).json(dict)
        assert identity["groups"] == ["Sales"]
        assert ada.aud == edge.access.aud("shop.example.com") == edge.access.aud(f"{SHOP}/x")
        assert edge.get(edge.access.certs_url).status == 200
        assert ada.token not in repr(ada)


async def test_someone_is_logged_in_in_an_async_test() -> None:
    async with edge_with(*OBJECTS) as edge:
        ada = edge.access.login("ada@example.com", app="shop", claims={"team": "x"})

        assert (await edge.fetch(f"{SHOP}/", headers=ada.headers)).status == 200
        claims = jwt.decode(ada.token, options={"verify_signature": False})
        assert claims["custom"] == {"department": "R&D", "team": "x"}


def test_who_no_policy_allows_is_not_logged_in() -> None:
    with edge_with(*OBJECTS) as edge:
        with pytest.raises(PermissionError, match=r"no policy of shop allows eve@evil\.test"):
            edge.access.login("eve@evil.test", app="shop")
        with pytest.raises(LookupError, match='there are: "shop", "api"'):
            edge.access.login("ada@example.com", app="shopp")


def test_a_service_token_opens_its_application() -> None:
    with edge_with(*OBJECTS) as edge:
        token = edge.access.service_token()

        assert edge.get(API, headers=token.headers).status == 200
        assert edge.get(API, headers={**token.headers, "CF-Access-Client-Secret": "x"}).status == 403


def test_keys_are_rotated_and_sessions_revoked() -> None:
    with edge_with(*OBJECTS) as edge:
        ada = edge.access.login("ada@example.com", app="shop")
        edge.access.rotate()
        later = edge.access.login("ada@example.com", app="shop")
        assert _kid(ada.token) != _kid(later.token)
        assert edge.get(f"{SHOP}/", headers=ada.headers).status == 200

        edge.access.rotate()
        assert edge.get(f"{SHOP}/", headers=ada.headers).status == 302
        assert edge.get(f"{SHOP}/", headers=later.headers).status == 200

        edge.access.revoke("ada@example.com")
        assert edge.get(f"{SHOP}/", headers=later.headers).status == 302
        again = edge.access.login("ada@example.com", app="shop")
        assert edge.get(f"{SHOP}/", headers=again.headers).status == 200
        edge.access.revoke(app="shop")
        assert edge.get(f"{SHOP}/", headers=again.headers).status == 302


def test_time_passes_for_keys_too() -> None:
    with edge_with(*OBJECTS) as edge:
        first = edge.access.login("ada@example.com", app="shop")
        edge.clock.advance(43 * 86_400)
        second = edge.access.login("ada@example.com", app="shop")
        edge.clock.advance(8 * 86_400)
        third = edge.access.login("ada@example.com", app="shop")

        assert _kid(first.token) != _kid(second.token) == _kid(third.token)
        assert edge.get(f"{SHOP}/", headers=third.headers).status == 200


def _kid(token: str) -> str:
    return str(jwt.get_unverified_header(token)["kid"])


def test_an_edge_without_access_says_so() -> None:
    with LocalEdge(Config()) as edge, pytest.raises(LookupError, match="this edge has no Access"):
        _ = edge.access


def test_policies_see_where_a_login_came_from() -> None:
    office: JSON = {"name": "o", "decision": "allow", "include": [{"ip": "10.0.0.0/8"}]}
    with edge_with(app("shop", "shop.example.com", office)) as edge:
        with pytest.raises(PermissionError):
            edge.access.login("ada@example.com")
        ada = edge.access.login("ada@example.com", ip="10.1.1.1")
        assert edge.get(f"{SHOP}/", headers=ada.headers, ip="10.1.1.1").status == 200
        assert edge.get(f"{SHOP}/", headers=ada.headers, ip="192.0.2.9").status == 403
