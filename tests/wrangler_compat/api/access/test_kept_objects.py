"""Tags, custom pages, bookmarks and the log of logins, with Cloudflare's own SDK."""

import cloudflare
import pytest

from tests.products.access.stage import SHOP, Browser
from tests.wrangler_compat.api.access.conftest import ACCOUNT, Stage


async def test_tags_are_made_counted_renamed_and_deleted(stage: Stage) -> None:
    tags = stage.sdk.zero_trust.access.tags
    made = await tags.create(account_id=ACCOUNT, name="internal")
    assert made is not None
    await stage.sdk.zero_trust.access.applications.create(
        account_id=ACCOUNT, type="self_hosted", domain="wiki.example.com", name="Wiki", tags=["internal"]
    )

    found = await tags.get("internal", account_id=ACCOUNT)
    assert found is not None
    assert found.to_dict()["app_count"] == 1
    with pytest.raises(cloudflare.BadRequestError, match="already"):
        await tags.create(account_id=ACCOUNT, name="internal")
    await tags.update("internal", account_id=ACCOUNT, name="external")
    assert [tag.name async for tag in tags.list(account_id=ACCOUNT)] == ["external"]
    await tags.delete("external", account_id=ACCOUNT)
    with pytest.raises(cloudflare.NotFoundError):
        await tags.get("external", account_id=ACCOUNT)


async def test_custom_pages_are_kept(stage: Stage) -> None:
    pages = stage.sdk.zero_trust.access.custom_pages
    made = await pages.create(account_id=ACCOUNT, name="No", type="forbidden", custom_html="<h1>No</h1>")
    assert made is not None
    page_id = str(made.uid)

    await pages.update(page_id, account_id=ACCOUNT, name="Never", type="forbidden", custom_html="<h1>Never</h1>")

    found = await pages.get(page_id, account_id=ACCOUNT)
    assert found is not None
    assert (found.name, found.custom_html) == ("Never", "<h1>Never</h1>")
    assert [page.name async for page in pages.list(account_id=ACCOUNT)] == ["Never"]
    with pytest.raises(cloudflare.BadRequestError, match="not a type of page"):
        await pages.create(account_id=ACCOUNT, name="x", type="other", custom_html="")  # type: ignore[arg-type]
    await pages.delete(page_id, account_id=ACCOUNT)
    assert [page.name async for page in pages.list(account_id=ACCOUNT)] == []


@pytest.mark.filterwarnings("ignore:deprecated:DeprecationWarning")  # the SDK says so of all bookmarks
async def test_bookmarks_are_kept(stage: Stage) -> None:
    bookmarks = stage.sdk.zero_trust.access.bookmarks
    base = f"/accounts/{ACCOUNT}/access/bookmarks"
    made = await stage.sdk.post(base, cast_to=object, body={"name": "Docs", "domain": "docs.example.com"})
    assert isinstance(made, dict)
    identifier = made["result"]["id"]

    found = await bookmarks.get(identifier, account_id=ACCOUNT)
    assert found is not None
    assert found.domain == "docs.example.com"
    await stage.sdk.put(f"{base}/{identifier}", cast_to=object, body={"name": "Docs", "domain": "d.example.com"})
    assert [item.domain async for item in bookmarks.list(account_id=ACCOUNT)] == ["d.example.com"]
    await bookmarks.delete(identifier, account_id=ACCOUNT)
    assert [item.domain async for item in bookmarks.list(account_id=ACCOUNT)] == []


async def test_logins_are_listed_the_newest_first(stage: Stage) -> None:
    await Browser(stage.edge).log_in(f"{SHOP}/")
    stage.edge.clock.advance(10)
    assert (await Browser(stage.edge, ip="192.0.2.9").log_in(f"{SHOP}/", "eve@evil.test")).status == 403

    logs = stage.sdk.zero_trust.access.logs.access_requests
    found = await logs.list(account_id=ACCOUNT) or []
    assert [(item.user_email, item.allowed, item.ip_address) for item in found] == [
        ("eve@evil.test", False, "192.0.2.9"),
        ("ada@example.com", True, "192.0.2.1"),
    ]
    assert {(item.action, item.app_domain, item.connection) for item in found} == {
        ("login", "shop.example.com", "local")
    }
    assert all(item.rayid for item in found)
    first = await logs.list(account_id=ACCOUNT, direction="asc", limit=1) or []
    assert [item.user_email for item in first] == ["ada@example.com"]
    evil = await logs.list(account_id=ACCOUNT, email="EVIL.test") or []
    assert [item.user_email for item in evil] == ["eve@evil.test"]
    assert not await logs.list(account_id=ACCOUNT, email="evil.test", email_op="eq")
    late = await logs.list(account_id=ACCOUNT, until="2000-01-01T00:00:00Z")
    assert not late
    stage.edge.clock.advance(8 * 86_400)
    assert not await logs.list(account_id=ACCOUNT)
