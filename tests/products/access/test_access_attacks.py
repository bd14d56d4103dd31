"""Which tests prove that each attack on Access fails.

The codes are those of tests/ATTACKS.md; S-numbers are attacks on SAML. A row is what is done, and the tests in which it
is done to us. Each was seen to fail without its guard.
"""

from pathlib import Path
from typing import Final
from urllib.parse import urlencode

import pytest

from edgeworker.products.access.config import ConfiguredObject, LocalIdentity
from tests.products.access.saml_provider import provider_config
from tests.products.access.stage import PREFIX, SHOP, TEAM, Browser, app, edge_with, form_of, members
from tests.test_attacks import TESTS, proofs_in

HERE: Final = Path(__file__).parent
_FORGED: Final = "test_tokens.py::test_a_forged_or_foreign_token_is_refused"
_VERIFIER: Final = "../../scripts/access_origin/test_access_verifier.py"

ATTACKS: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    "J1": ("alg none", (_FORGED,)),
    "J2": ("HS256 with an encoding of the public key", (_FORGED,)),
    "J3": ("an algorithm of another family", (_FORGED,)),
    "J4": (
        "no kid or a strange one",
        (_FORGED, f"{_VERIFIER}::test_an_unknown_kid_is_looked_for_once_a_minute_at_most"),
    ),
    "J5": ("a key that the token brings along", (_FORGED,)),
    "J6": ("crit, b64", (_FORGED,)),
    "J13": ("base64url in another form", (_FORGED, "test_tokens.py::test_a_signature_has_one_text")),
    "J14": ("parts too many or too few", (_FORGED,)),
    "J15": ("a claim twice", (_FORGED,)),
    "J16": ("exp that is not a time", (_FORGED,)),
    "J17": ("claims that are missing", (_FORGED,)),
    "J18": (
        "aud of another application",
        (_FORGED, "test_gate.py::test_a_genuine_token_of_another_kind_opens_nothing"),
    ),
    "J19": ("another issuer", (_FORGED,)),
    "J20": (
        "clocks",
        (
            _FORGED,
            "test_tokens.py::test_what_is_forged_here_is_good_but_for_what_it_changes",
            "test_tokens.py::test_a_token_ends_at_its_exp_or_when_its_key_is_retired",
        ),
    ),
    "J21": ("deep and long tokens", (_FORGED, "test_strange_requests.py::test_no_request_is_answered_with_a_failure")),
    "J22": (
        "claims that would be header fields or lines of a log",
        (
            "test_oidc_login.py::test_an_id_token_that_is_not_for_this_login_logs_no_one_in",
            "test_saml_login.py::test_an_address_that_is_none_is_refused",
            "test_login.py::test_what_is_not_an_address_gets_the_page_again",
        ),
    ),
    "J23": (
        "a token of another kind: of the organization, meta, match, state, of a client",
        (
            _FORGED,
            "test_gate.py::test_a_genuine_token_of_another_kind_opens_nothing",
            "test_cli_transfer.py::test_a_program_gets_the_tokens_of_who_logs_in_for_it",
        ),
    ),
    "J24": ("zip", (_FORGED,)),
    "J26": (
        "a key set that is none",
        (
            f"{_VERIFIER}::test_a_key_set_that_is_none_leaves_the_last_good_one",
            f"{_VERIFIER}::test_without_any_keys_nothing_passes",
            "test_oidc_login.py::test_a_provider_that_fails_gives_the_page_again",
        ),
    ),
    "J27": (
        "a rotation while tokens are out",
        (
            "test_state.py::test_a_rotation_by_hand_counts_in_every_process_at_once",
            "test_serve.py::test_logins_rotations_and_revocations_hold_in_every_process",
            f"{_VERIFIER}::test_every_kind_of_our_tokens_is_taken_and_every_bad_one_refused",
        ),
    ),
    "J29": (
        "secrets at rest, and their comparison",
        (
            "test_state.py::test_no_secret_is_at_rest_in_the_clear",
            "test_service_tokens.py::test_a_new_secret_has_the_documented_form_and_is_not_in_any_repr",
        ),
    ),
    "O4": (
        "a code or nonce used twice",
        (
            "test_login_attacks.py::test_a_nonce_is_good_once_for_two_minutes_on_its_host",
            "test_managed_oauth.py::test_a_code_counts_once_for_its_client_and_its_verifier",
            "test_saas_oidc.py::test_a_code_counts_once_for_the_client_with_its_secret",
            "test_one_time_pin.py::test_the_code_of_the_log_logs_in_once",
        ),
    ),
    "O7": (
        "login CSRF, forms of another page, consent and logout from elsewhere",
        (
            "test_login_attacks.py::test_a_nonce_counts_once_and_in_the_browser_that_asked",
            "test_login_attacks.py::test_a_form_that_this_browser_was_not_given_is_refused",
            "test_managed_oauth.py::test_a_consent_that_another_page_sends_counts_for_nothing",
            "test_login.py::test_a_picture_on_another_site_logs_no_one_out",
            "test_oidc_login.py::test_a_state_counts_once_in_the_browser_that_left_for_ten_minutes",
            "test_cli_transfer.py::test_nothing_is_given_before_the_person_says_so",
        ),
    ),
    "O8": (
        "a session that was there before the login",
        (
            "test_access_attacks.py::test_a_login_never_goes_on_with_a_session_that_the_browser_brought",
            "test_login.py::test_one_user_keeps_one_id_and_each_login_has_a_session_of_its_own",
        ),
    ),
    "O9": (
        "state, nonce or issuer of another login",
        (
            "test_oidc_login.py::test_an_id_token_that_is_not_for_this_login_logs_no_one_in",
            "test_oidc_login.py::test_a_state_counts_once_in_the_browser_that_left_for_ten_minutes",
        ),
    ),
    "O11": (
        "redirect_url and returnTo that lead elsewhere",
        (
            "test_login_attacks.py::test_a_login_leads_back_to_a_path_of_the_application_and_nowhere_else",
            "test_login_attacks.py::test_a_login_url_for_another_host_or_application_is_refused",
            "test_login.py::test_a_logout_returns_only_to_the_team_domain_and_to_applications",
        ),
    ),
    "O13": (
        "guessing who may log in, and codes",
        (
            "test_one_time_pin.py::test_the_page_does_not_tell_who_may_log_in",
            "test_one_time_pin.py::test_a_code_is_gone_after_ten_minutes_or_five_wrong_tries",
            "test_one_time_pin.py::test_one_client_cannot_ask_for_codes_without_end",
            "test_oidc_login.py::test_one_client_cannot_begin_logins_without_end",
        ),
    ),
    "O14": ("markup in names and addresses", ("test_access_attacks.py::test_nothing_that_others_wrote_is_markup",)),
    "O18": ("the issuer from a Host", ("test_access_attacks.py::test_the_issuer_is_what_is_configured",)),
    "H3": (
        "a credential twice, header and cookie both",
        (
            "test_gate.py::test_two_credentials_leave_one_token_for_the_origin",
            "test_access_attacks.py::test_a_credential_that_comes_twice_is_refused",
            "test_service_tokens.py::test_how_a_credential_is_shown",
        ),
    ),
    "H6": (
        "a path that an origin takes for another one",
        ("test_access_attacks.py::test_a_path_that_an_origin_could_take_for_a_protected_one_is_refused",),
    ),
    "H13": (
        "fields that only Access may set",
        (
            "test_gate.py::test_what_a_client_says_about_itself_is_never_passed_on",
            "test_gate.py::test_what_an_origin_answers_cannot_look_like_access",
        ),
    ),
    "H24": ("a WebSocket without a session", ("test_gate.py::test_the_matrix_of_answers",)),
    "H26": (
        "an origin that sets the cookies of Access",
        ("test_access_attacks.py::test_an_origin_sets_no_cookie_of_access",),
    ),
    "H29": ("secrets in the log", ("test_access_attacks.py::test_no_credential_is_in_the_log",)),
    "S1": (
        "an assertion put around, beside or into a signed one",
        (
            "test_saml_response.py::test_a_forged_assertion_put_around_or_beside_a_signed_one_never_counts",
            "test_saml_response.py::test_a_signature_of_something_else_that_the_provider_signed_does_not_count",
        ),
    ),
    "S2": (
        "no signature, or one of another key, or with SHA-1",
        (
            "test_saml_response.py::test_a_signature_that_is_not_the_providers_is_refused",
            "test_saml_response.py::test_a_signature_with_sha1_is_refused",
        ),
    ),
    "S3": (
        "document types, entities, comments",
        (
            "test_saml_response.py::test_document_types_and_entities_are_refused",
            "test_saml_response.py::test_a_comment_does_not_cut_an_address_short",
        ),
    ),
    "S4": (
        "a response for another audience, address, request or time",
        ("test_saml_response.py::test_a_response_for_someone_or_something_else_is_refused",),
    ),
    "S5": (
        "a response twice, unasked, or in another browser",
        (
            "test_saml_login.py::test_a_response_counts_once",
            "test_saml_login.py::test_a_response_that_no_one_asked_for_is_refused",
            "test_saml_login.py::test_a_login_ends_in_the_browser_that_it_began_in",
        ),
    ),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_the_tests_of_a_row_are_there(attack: str) -> None:
    what, proofs = ATTACKS[attack]

    assert what
    missing = []
    for proof in proofs:
        file, _, name = proof.partition("::")
        path = (HERE / file).resolve()
        assert path.is_relative_to(TESTS)
        if name not in proofs_in(path):
            missing.append(proof)
    assert missing == []


_MARKUP: Final = "<img src=x onerror=alert(1)>"


async def test_nothing_that_others_wrote_is_markup() -> None:
    provider = ConfiguredObject("identity_provider", "idp-1", {**provider_config(), "name": _MARKUP})
    identity = LocalIdentity("ada@example.com", _MARKUP, (_MARKUP,))
    shop = app(_MARKUP, "shop.example.com", custom_deny_message=_MARKUP)
    async with edge_with(provider, shop, identities=(identity,), organization={"name": _MARKUP}) as edge:
        browser = Browser(edge)
        login = await browser.go(f"{SHOP}/")
        again = await browser.submit(login, "local", email=f'"{_MARKUP}')
        pin = await browser.submit(await browser.go(f"{SHOP}/"), "onetimepin", email="eve@evil.test")
        denied = await browser.log_in(f"{SHOP}/", "eve@evil.test")
        failed = await browser.step("POST", f"{TEAM}{PREFIX}callback", body=urlencode({"SAMLResponse": _MARKUP}))
        out = await browser.go(f"{SHOP}{PREFIX}logout")

    for page in (login, again, pin, denied, failed, out):
        assert "<img" not in page.text
        policy = page.headers.get("content-security-policy") or ""
        assert "default-src 'none'" in policy
        assert "script-src" not in policy
    assert denied.text.count("&lt;img") >= 2


async def test_a_login_never_goes_on_with_a_session_that_the_browser_brought() -> None:
    """Session fixation: a cookie that someone else planted, their own session or one that was made up."""
    async with edge_with(app("shop", "shop.example.com")) as edge:
        attacker, victim = Browser(edge), Browser(edge)
        await attacker.log_in(f"{SHOP}/", "mallory@example.com")
        planted = attacker.cookies["acme.cloudflareaccess.com"]["CF_Authorization"]
        page = await victim.go(f"{SHOP}/")
        victim.cookies["acme.cloudflareaccess.com"]["CF_Authorization"] = planted

        await victim.submit(page, "local", email="ada@example.com")

        after = victim.cookies["acme.cloudflareaccess.com"]["CF_Authorization"]
        assert after != planted
        found = members(await attacker.step("GET", f"{TEAM}{PREFIX}get-identity"))
        assert found.text("email") == "mallory@example.com"
        await attacker.go(f"{SHOP}{PREFIX}logout")
        assert (await victim.step("GET", f"{SHOP}/")).status == 200


async def test_the_issuer_is_what_is_configured() -> None:
    async with edge_with(app("shop", "shop.example.com")) as edge:
        for headers in (
            {"X-Forwarded-Host": "evil.test"},
            {"X-Forwarded-Proto": "http"},
            {"Forwarded": "host=evil.test;proto=http"},
        ):
            location = (await edge.fetch(f"{SHOP}/", headers=headers)).headers.get("location") or ""
            assert location.startswith(f"{TEAM}{PREFIX}login/shop.example.com?")


@pytest.mark.parametrize("name", ["Cf-Access-Jwt-Assertion", "Cf-Access-Token", "CF-Access-Client-Id", "Authorization"])
async def test_a_credential_that_comes_twice_is_refused(name: str) -> None:
    async with edge_with(app("shop", "shop.example.com")) as edge:
        token = edge.access.login("ada@example.com").token
        value = token if "Jwt" in name or "Token" in name else "x"

        reply = await edge.fetch(f"{SHOP}/", headers=[(name, value), (name, value)])

        assert reply.status == 400
        assert edge.origin.requests == []


@pytest.mark.parametrize("path", ["//admin", "/;a/admin", "/x/..%2Fadmin", "/./admin", "/x/%2e%2e/admin", "/admin%2Fx"])
async def test_a_path_that_an_origin_could_take_for_a_protected_one_is_refused(path: str) -> None:
    async with edge_with(app("shop", "shop.example.com/admin")) as edge:
        assert (await edge.fetch(f"{SHOP}{path}")).status in (302, 400)
        assert edge.origin.requests == []


@pytest.mark.parametrize("name", ["CF_Authorization", "CF_AppSession", "CF_Session", "CF_Binding", "CF_Device"])
async def test_an_origin_sets_no_cookie_of_access(name: str) -> None:
    async with edge_with(app("shop", "shop.example.com")) as edge:
        ada = edge.access.login("ada@example.com")
        fields = [f"{name}=evil; Domain=example.com; Path=/", f" {name} =evil", "theme=dark"]
        edge.origin.on("*", headers=[("Set-Cookie", field) for field in fields])

        for headers in (ada.headers, {}):
            host = SHOP if headers else "https://open.example.com"
            reply = await edge.fetch(f"{host}/", headers=headers)
            assert reply.headers.get_set_cookie() == ["theme=dark"]


async def test_no_credential_is_in_the_log() -> None:
    async with edge_with(app("shop", "shop.example.com")) as edge:
        browser = Browser(edge)
        page = await browser.go(f"{SHOP}/")
        await browser.submit(page, "local", email="ada@example.com")
        secrets = {value for jar in browser.cookies.values() for value in jar.values()}
        secrets.add(form_of(page, "local")[1]["csrf"])
        headers = {"CF-Access-Client-Id": "ci.access", "CF-Access-Client-Secret": "not-the-secret-of-ci"}
        await edge.fetch(f"{SHOP}/", headers=headers)

        text = "\n".join(line.text for line in edge.logs)
        assert "wrong secret" in text
        assert not [secret for secret in {*secrets, "not-the-secret-of-ci"} if secret in text]
