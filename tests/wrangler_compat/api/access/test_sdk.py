"""Cloudflare's own Python SDK against Access: what it makes decides with the next request."""

import datetime

import cloudflare
import jwt
import pytest

from edgeworker.products.access.objects import made_up_uuid
from tests.products.access.stage import PREFIX, SHOP, TEAM, Browser, members
from tests.wrangler_compat.api.access.conftest import ACCOUNT, Stage


async def test_an_application_is_made_changed_listed_and_deleted(stage: Stage) -> None:
    apps = stage.sdk.zero_trust.access.applications
    wiki = "https://wiki.example.com/"
    assert (await stage.edge.fetch(wiki)).status == 200

    made = await apps.create(
        account_id=ACCOUNT,
        type="self_hosted",
        domain="wiki.example.com",
        name="Wiki",
        session_duration="30m",
        extra_body={"policies": [{"name": "p", "decision": "allow", "include": [{"email_domain": "example.com"}]}]},
    )
    assert made is not None
    assert made.id is not None
    assert len(str(made.aud)) == 64
    assert (await stage.edge.fetch(wiki)).status == 302
    assert (await Browser(stage.edge).log_in(wiki)).status == 200

    got = await apps.get(made.id, account_id=ACCOUNT)
    assert got is not None
    shown = got.to_dict()
    assert (shown["name"], shown["domain"], shown["session_duration"]) == ("Wiki", "wiki.example.com", "30m")
    assert [item.name async for item in apps.list(account_id=ACCOUNT)] == ["shop", "written", "Wiki"]
    assert [item.name async for item in apps.list(account_id=ACCOUNT, domain="wiki")] == ["Wiki"]

    await apps.update(
        made.id, account_id=ACCOUNT, type="self_hosted", domain="wiki.example.com", name="Wiki", session_duration="1h"
    )
    changed = await apps.get(made.id, account_id=ACCOUNT)
    assert changed is not None
    after = changed.to_dict()
    assert (after["aud"], after["session_duration"]) == (str(made.aud), "1h")
    assert len(changed.policies or []) == 1

    await apps.delete(made.id, account_id=ACCOUNT)
    assert (await stage.edge.fetch(wiki)).status == 200
    with pytest.raises(cloudflare.NotFoundError, match="not_found"):
        await apps.get(made.id, account_id=ACCOUNT)


async def test_policies_of_an_application_keep_their_order(stage: Stage) -> None:
    access = stage.sdk.zero_trust.access
    made = await access.applications.create(
        account_id=ACCOUNT, type="self_hosted", domain="wiki.example.com", name="Wiki"
    )
    assert made is not None
    assert made.id is not None
    policies = stage.sdk.zero_trust.access.applications.policies
    allow = await policies.create(
        made.id,
        account_id=ACCOUNT,
        extra_body={"name": "all", "decision": "allow", "include": [{"everyone": {}}]},
    )
    await policies.create(
        made.id,
        account_id=ACCOUNT,
        precedence=1,
        extra_body={"name": "not eve", "decision": "deny", "include": [{"email": {"email": "eve@example.com"}}]},
    )

    assert [item.name async for item in policies.list(made.id, account_id=ACCOUNT)] == ["not eve", "all"]
    assert (await Browser(stage.edge).log_in("https://wiki.example.com/", "eve@example.com")).status == 403
    assert (await Browser(stage.edge).log_in("https://wiki.example.com/", "bob@other.test")).status == 200
    assert allow is not None
    await policies.delete(str(allow.id), account_id=ACCOUNT, app_id=made.id)
    assert (await stage.edge.fetch("https://wiki.example.com/")).status == 403  # no one can log in any more


async def test_reusable_policies_and_groups(stage: Stage) -> None:
    access = stage.sdk.zero_trust.access
    group = await access.groups.create(account_id=ACCOUNT, name="Eng", include=[{"email": {"email": "eng@other.test"}}])
    assert group is not None
    policy = await access.policies.create(
        account_id=ACCOUNT, name="Engineers", decision="allow", include=[{"group": {"id": str(group.id)}}]
    )
    assert policy is not None
    app = await access.applications.create(
        account_id=ACCOUNT, type="self_hosted", domain="wiki.example.com", name="Wiki", policies=[str(policy.id)]
    )
    assert app is not None

    assert (await Browser(stage.edge).log_in("https://wiki.example.com/", "eng@other.test")).status == 200
    assert (await Browser(stage.edge).log_in("https://wiki.example.com/")).status == 403
    with pytest.raises(cloudflare.BadRequestError, match="is used by the application"):
        await access.policies.delete(str(policy.id), account_id=ACCOUNT)
    await access.groups.update(
        str(group.id), account_id=ACCOUNT, name="Eng", include=[{"email": {"email": "ada@example.com"}}]
    )
    assert (await Browser(stage.edge).log_in("https://wiki.example.com/")).status == 200


async def test_a_service_tokens_life(stage: Stage) -> None:
    access = stage.sdk.zero_trust.access
    made = await access.service_tokens.create(account_id=ACCOUNT, name="job", duration="8760h")
    assert made is not None
    token_id, secret = str(made.id), str(made.client_secret)
    assert secret.startswith("cfast_")
    api = "https://written.example.com/"

    async def status(secret: str) -> int:
        headers = {"CF-Access-Client-Id": str(made.client_id), "CF-Access-Client-Secret": secret}
        return (await stage.edge.fetch(api, headers=headers)).status

    assert await status(secret) == 200
    assert await status("wrong") == 403
    shown = await access.service_tokens.get(token_id, account_id=ACCOUNT)
    assert shown is not None
    assert secret not in shown.to_json()

    rotated = await access.service_tokens.rotate(token_id, account_id=ACCOUNT)
    assert rotated is not None
    second = str(rotated.client_secret)
    assert (await status(secret), await status(second)) == (403, 200)

    until = stage.edge.clock.now() + 7200
    third = await stage.client.call(
        "POST",
        f"/client/v4/accounts/{ACCOUNT}/access/service_tokens/{token_id}/rotate",
        {"previous_client_secret_expires_at": _rfc3339(until)},
    )
    assert isinstance(third.result, dict)
    newest = str(third.result["client_secret"])
    assert (await status(second), await status(newest)) == (200, 200)
    stage.edge.clock.advance(7200)
    assert (await status(second), await status(newest)) == (403, 200)

    await stage.client.call(
        "PUT", f"/client/v4/accounts/{ACCOUNT}/access/service_tokens/{token_id}", {"enabled": False}
    )
    assert await status(newest) == 403
    await stage.client.call("PUT", f"/client/v4/accounts/{ACCOUNT}/access/service_tokens/{token_id}", {"enabled": True})
    assert await status(newest) == 200
    stage.edge.clock.advance(366 * 86_400)
    assert await status(newest) == 403
    await access.service_tokens.refresh(token_id, account_id=ACCOUNT)
    assert await status(newest) == 200
    await access.service_tokens.delete(token_id, account_id=ACCOUNT)
    assert await status(newest) == 403


def _rfc3339(moment: int) -> str:
    return datetime.datetime.fromtimestamp(moment, datetime.UTC).isoformat()


async def test_a_client_id_where_the_uuid_belongs_is_refused(stage: Stage) -> None:
    access = stage.sdk.zero_trust.access
    made = await access.service_tokens.create(account_id=ACCOUNT, name="job")
    assert made is not None
    with pytest.raises(cloudflare.BadRequestError, match=r"access\.api\.error\.invalid_request: invalid 'include'"):
        await access.policies.create(
            account_id=ACCOUNT,
            name="p",
            decision="non_identity",
            include=[{"service_token": {"token_id": str(made.client_id)}}],
        )


async def test_keys_are_shown_and_rotated(stage: Stage) -> None:
    keys = stage.sdk.zero_trust.access.keys
    before = await keys.get(account_id=ACCOUNT)
    assert before is not None
    assert (before.key_rotation_interval_days, before.days_until_next_rotation) == (42, 42)
    first = Browser(stage.edge)
    await first.log_in(f"{SHOP}/")

    stage.edge.clock.advance(86_400 - 10)
    after = await keys.rotate(account_id=ACCOUNT)

    assert after is not None
    assert after.last_key_rotation_at != before.last_key_rotation_at
    certs = members(await stage.edge.fetch(f"{TEAM}{PREFIX}certs"))
    second = Browser(stage.edge)
    await second.log_in(f"{SHOP}/")
    assert certs.inner("public_cert").text("kid") == _kid(second.token())
    assert _kid(first.token()) != _kid(second.token())
    assert (await first.step("GET", f"{SHOP}/")).status == 200
    changed = await keys.update(account_id=ACCOUNT, key_rotation_interval_days=30)
    assert changed is not None
    assert changed.days_until_next_rotation == 30


def _kid(token: str) -> str:
    return str(jwt.get_unverified_header(token)["kid"])


async def test_tokens_of_an_application_and_sessions_of_a_user_are_revoked(stage: Stage) -> None:
    sdk = stage.sdk.zero_trust
    browser = Browser(stage.edge)
    await browser.log_in(f"{SHOP}/")

    await sdk.access.applications.revoke_tokens("id-shop", account_id=ACCOUNT)
    assert (await browser.step("GET", f"{SHOP}/")).status == 302
    assert (await browser.go(f"{SHOP}/")).status == 200

    assert await sdk.organizations.revoke_users(account_id=ACCOUNT, email="ada@example.com") is True
    assert (await browser.step("GET", f"{SHOP}/")).status == 302
    page = await browser.go(f"{SHOP}/")
    assert "Log in to shop" in page.text


async def test_a_second_rotation_within_seven_days_says_what_it_ends(stage: Stage) -> None:
    for expected in ([], ["tokens of the key before it are void now"]):
        answer = await stage.sdk.post(f"/accounts/{ACCOUNT}/access/keys/rotate", cast_to=object)
        assert isinstance(answer, dict)
        assert [told["message"].partition(": ")[2] for told in answer["messages"]] == expected


async def test_users_and_their_sessions_are_shown(stage: Stage) -> None:
    users = stage.sdk.zero_trust.access.users
    browser = Browser(stage.edge)
    await browser.log_in(f"{SHOP}/")
    await Browser(stage.edge).log_in(f"{SHOP}/", "eve@evil.test")

    found = {user.email: user async for user in users.list(account_id=ACCOUNT)}
    ada = found["ada@example.com"]
    sessions = [item async for item in users.active_sessions.list(str(ada.id), account_id=ACCOUNT)]
    assert len(sessions) == 1
    one = await users.active_sessions.get(str(sessions[0].name), account_id=ACCOUNT, user_id=str(ada.id))
    assert one is not None
    assert (one.email, one.is_active) == ("ada@example.com", True)
    seen = await users.last_seen_identity.get(str(ada.id), account_id=ACCOUNT)
    assert seen is not None
    assert seen.email == "ada@example.com"
    eve = found["eve@evil.test"]
    assert len([item async for item in users.failed_logins.list(str(eve.id), account_id=ACCOUNT)]) == 1


async def test_a_user_that_was_created_has_the_same_id_after_the_first_login(stage: Stage) -> None:
    users = stage.sdk.zero_trust.access.users
    made = await users.create(account_id=ACCOUNT, email="Ada@Example.com", name="Ada")
    assert made is not None
    assert (made.email, made.name, made.last_successful_login) == ("ada@example.com", "Ada", None)
    with pytest.raises(cloudflare.ConflictError, match="already"):
        await users.create(account_id=ACCOUNT, email="ada@example.com")
    renamed = await users.update(str(made.id), account_id=ACCOUNT, email="ada@example.com", name="Ada L.")
    assert renamed is not None
    assert (renamed.id, renamed.name) == (made.id, "Ada L.")
    for email in ("eve@example.com", "no address", ""):
        with pytest.raises(cloudflare.BadRequestError):
            await users.update(str(made.id), account_id=ACCOUNT, email=email, name="x")

    await Browser(stage.edge).log_in(f"{SHOP}/")

    (seen,) = [user async for user in users.list(account_id=ACCOUNT)]
    assert (seen.id, seen.email) == (made.id, "ada@example.com")
    assert seen.last_successful_login is not None


async def test_the_settings_of_an_application_have_an_endpoint_of_their_own(stage: Stage) -> None:
    apps = stage.sdk.zero_trust.access.applications
    made = await apps.create(account_id=ACCOUNT, type="self_hosted", domain="wiki.example.com", name="Wiki")
    assert made is not None
    app_id = str(made.to_dict()["id"])

    await apps.settings.update(app_id, account_id=ACCOUNT, allow_iframe=True)
    edited = await apps.settings.edit(app_id, account_id=ACCOUNT, skip_interstitial=True)

    assert edited is not None
    assert (edited.allow_iframe, edited.skip_interstitial) == (True, True)
    found = await apps.get(app_id, account_id=ACCOUNT)
    assert found is not None
    shown = found.to_dict()
    assert (shown["name"], shown["allow_iframe"], shown["skip_interstitial"]) == ("Wiki", True, True)
    replaced = await apps.settings.update(app_id, account_id=ACCOUNT, allow_iframe=False)
    assert replaced is not None
    assert (replaced.allow_iframe, replaced.skip_interstitial) == (False, False)


async def test_the_organization_and_its_identity_providers(stage: Stage) -> None:
    sdk = stage.sdk.zero_trust
    organization = await sdk.organizations.list(account_id=ACCOUNT)
    assert organization is not None
    assert (organization.auth_domain, organization.session_duration) == ("acme.cloudflareaccess.com", "24h")
    updated = await sdk.organizations.update(account_id=ACCOUNT, session_duration="1h", name="Acme")
    assert updated is not None
    assert (updated.session_duration, updated.name) == ("1h", "Acme")

    made = await stage.client.call(
        "POST",
        f"/client/v4/accounts/{ACCOUNT}/access/identity_providers",
        {
            "name": "Company",
            "type": "oidc",
            "config": {
                "client_id": "c",
                "client_secret": "never-shown",
                "auth_url": "https://i/a",
                "token_url": "https://i/t",
                "certs_url": "https://i/c",
            },
        },
    )
    assert b"never-shown" not in made.content
    names = [item.name async for item in sdk.identity_providers.list(account_id=ACCOUNT)]
    assert names == ["Company", "Local identities", "One-time PIN"]


async def test_what_edge_toml_has_is_read_only_and_says_where_it_is_written(stage: Stage) -> None:
    access = stage.sdk.zero_trust.access
    with pytest.raises(cloudflare.ConflictError, match=r"edge\.toml:1"):
        await access.applications.delete("id-shop", account_id=ACCOUNT)
    with pytest.raises(cloudflare.ConflictError, match=r"edge\.toml:1"):
        await access.applications.update(
            "id-shop", account_id=ACCOUNT, type="self_hosted", domain="evil.example.com", name="x"
        )
    with pytest.raises(cloudflare.ConflictError, match=r"edge\.toml:2"):
        await access.service_tokens.rotate("id-ci", account_id=ACCOUNT)
    shown = await access.service_tokens.get("id-ci", account_id=ACCOUNT)
    assert shown is not None
    assert "s3cret" not in shown.to_json()


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({}, "has no"),
        ({"domain": "a.com:80"}, "has a port"),
        ({"domain": "a.com", "type": "bookmark"}, "is not one of"),
        ({"domain": "a.com", "session_duration": "1 day"}, "is not a duration"),
        ({"domain": "a.com", "policies": ["unknown"]}, "is not a reusable policy"),
        ({"domain": "a.com", "policies": [{"decision": "allow", "include": []}]}, "needs at least one rule"),
        (
            {"domain": "a.com", "policies": [{"decision": "allow", "include": [{"emial": {}}]}]},
            "is not a rule of Access",
        ),
        ({"domain": 7}, "must be a text"),
        ([], "the body is not an object"),
    ],
)
async def test_a_bad_application_is_a_400_that_says_why(stage: Stage, body: object, text: str) -> None:
    answer = await stage.client.call("POST", f"/client/v4/accounts/{ACCOUNT}/access/apps", body)  # type: ignore[arg-type]

    assert (answer.status, answer.code) == (400, 12130)
    assert text in answer.message


async def test_the_endpoints_of_a_zone_are_those_of_the_account(stage: Stage) -> None:
    here = await stage.client.get("/client/v4/zones/z1/access/apps")
    elsewhere = await stage.client.get("/client/v4/zones/zz/access/apps")

    assert isinstance(here.result, list)
    assert len(here.result) == 2
    assert elsewhere.status == 404


def test_ids_of_edge_toml_objects_stay_the_same() -> None:
    assert made_up_uuid("app", "Shop") == made_up_uuid("app", "Shop")
    assert made_up_uuid("app", "Shop") != made_up_uuid("app", "Wiki")
