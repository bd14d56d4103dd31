"""Which tests prove that each attack on the OAuth server fails (O1 to O20), and that the original's defects are cured.

A row is what is done, and the tests in which it is done to us, as `file::test`. The files are beside this one.
"""

from pathlib import Path
from typing import Final

import pytest

from tests.scripts.oauth.auth_stage import ISSUER, set_up
from tests.test_attacks import proofs_in

HERE: Final = Path(__file__).parent

ATTACKS: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    "O1": (
        "a redirect URI that only looks registered",
        (
            "test_redirect_uris.py::test_only_the_very_text_matches",
            "test_redirect_uris.py::test_what_matches_leads_where_the_registered_one_leads",
            "test_authorize_endpoint.py::test_an_address_that_is_not_registered_gets_no_redirect",
            "test_authorize_endpoint.py::test_client_and_address_are_there_once",
        ),
    ),
    "O2": (
        "a redirect URI that runs something",
        (
            "test_redirect_uris.py::test_these_cannot_be_registered_and_match_not_even_themselves",
            "test_authorize_endpoint.py::test_an_address_that_is_not_registered_gets_no_redirect",
        ),
    ),
    "O3": (
        "PKCE left out, weakened or mixed up",
        (
            "test_authorize_endpoint.py::test_what_else_is_wrong_is_told_to_the_client",
            "test_authorize_endpoint.py::test_pkce_can_be_left_out_by_a_confidential_client_that_may",
            "test_authorization_code_grant.py::test_a_check_that_fails_does_not_use_up_the_code",
            "test_authorization_code_grant.py::test_a_verifier_without_a_challenge_is_a_downgrade",
        ),
    ),
    "O4": (
        "a code used twice, at once, by another client, too late",
        (
            "test_authorization_code_grant.py::test_a_replay_revokes_what_the_code_gave",
            "test_authorization_code_grant.py::test_fifty_uses_at_once_have_one_success",
            "test_authorization_code_grant.py::test_another_client_does_not_affect_the_grant",
            "test_authorization_code_grant.py::test_a_code_is_good_until_its_second",
        ),
    ),
    "O5": (
        "a refresh token used twice, at once, by another client, for more scope",
        (
            "test_refresh_token_grant.py::test_reuse_revokes_the_whole_grant_however_old_the_token_is",
            "test_refresh_token_grant.py::test_fifty_refreshes_at_once_have_one_success_and_end_the_grant",
            "test_refresh_token_grant.py::test_a_check_that_fails_does_not_use_up_the_token",
            "test_refresh_token_grant.py::test_another_clients_token_is_not_affected",
            "test_refresh_token_grant.py::test_who_knows_a_grants_id_cannot_end_it",
        ),
    ),
    "O6": (
        "client authentication twice, by another method, in the query, malformed",
        (
            "test_client_authentication.py::test_two_methods_or_two_clients_in_one_request_are_refused",
            "test_client_authentication.py::test_without_the_registered_method_no_one_is_a_client",
            "test_client_authentication.py::test_credentials_in_the_url_are_refused",
            "test_client_authentication.py::test_malformed_or_wrong_basic_is_challenged",
            "test_client_authentication.py::test_basic_is_form_decoded_so_a_secret_may_hold_colon_and_percent",
        ),
    ),
    "O7": (
        "forms sent from elsewhere, framed pages, consent to something else than was shown",
        (
            "test_consent_endpoint.py::test_consent_without_the_forms_own_token_is_none",
            "test_consent_endpoint.py::test_consent_to_one_request_is_none_to_another",
            "test_consent_endpoint.py::test_the_form_of_another_session_is_none",
            "test_consent_endpoint.py::test_a_form_that_another_site_sends_is_none",
            "test_consent_endpoint.py::test_a_login_form_of_another_browser_is_none",
            "test_logout_endpoint.py::test_a_form_of_another_page_ends_nothing",
            "test_login_endpoint.py::test_every_page_has_the_fields_that_protect_it",
        ),
    ),
    "O8": (
        "a session that was planted, a cookie from a subdomain",
        (
            "test_login_endpoint.py::test_an_id_that_was_planted_before_is_worth_nothing_after_the_login",
            "test_login_endpoint.py::test_a_second_cookie_of_the_name_makes_both_worth_nothing",
            "test_login_endpoint.py::test_a_cookie_without_the_prefix_is_not_read_on_https",
        ),
    ),
    "O9": (
        "an answer that a client cannot place",
        (
            "test_authorize_endpoint.py::test_a_state_comes_back_as_it_was",
            "test_authorize_endpoint.py::test_of_two_states_none_is_echoed",
            "test_authorize_endpoint.py::test_what_else_is_wrong_is_told_to_the_client",
            "test_real_clients.py::test_an_id_token_does_not_validate_with_another_access_token_or_nonce",
        ),
    ),
    "O10": (
        "a password that is posted on by a redirect",
        ("test_login_endpoint.py::test_after_a_login_and_after_consent_the_redirect_is_303",),
    ),
    "O11": (
        "an open redirect by login, logout or an error",
        (
            "test_login_endpoint.py::test_nothing_in_the_address_decides_where_a_login_leads",
            "test_logout_endpoint.py::test_it_leads_nowhere_that_is_not_registered",
            "test_authorize_endpoint.py::test_no_query_is_answered_with_a_fault_of_ours_or_leads_elsewhere",
        ),
    ),
    "O12": (
        "a token request of another form",
        (
            "test_client_authentication.py::test_other_methods_are_405_with_allow",
            "test_client_authentication.py::test_another_media_type_is_refused",
            "test_client_authentication.py::test_what_is_not_a_form_is_refused_and_never_an_error_of_ours",
            "test_authorize_endpoint.py::test_a_body_that_cannot_be_read_is_refused",
        ),
    ),
    "O13": (
        "finding out accounts, guessing passwords, filling the memory with hashes",
        (
            "test_login_endpoint.py::test_who_cannot_log_in_is_told_the_same_whatever_the_reason",
            "test_login_endpoint.py::test_a_password_is_hashed_for_an_account_that_is_not_there_too",
            "test_login_endpoint.py::test_who_guesses_waits_longer_each_time",
            "test_login_endpoint.py::test_many_tries_at_once_are_not_all_free",
            "test_passwords.py::test_a_password_that_is_too_long_is_not_even_hashed",
            "test_login_backoff.py::test_only_a_few_passwords_are_hashed_at_once_and_not_many_wait",
        ),
    ),
    "O14": (
        "markup, turned text and header fields in names, scopes, hints and states",
        (
            "test_login_endpoint.py::test_what_comes_from_outside_is_text",
            "test_pages.py::test_any_text_is_only_text",
            "test_authorize_endpoint.py::test_a_state_comes_back_as_it_was",
        ),
    ),
    "O15": (
        "a client whose id is a user's",
        (
            "test_refresh_token_grant.py::test_a_client_is_not_a_user",
            "test_clients.py::test_a_record_that_describes_no_client_is_refused",
        ),
    ),
    "O16": (
        "introspection and revocation without a client, and of others' tokens",
        (
            "test_introspection_endpoint.py::test_without_a_client_nothing_is_revoked_or_told",
            "test_introspection_endpoint.py::test_another_clients_token_and_an_unknown_one_are_200_without_effect",
        ),
    ),
    "O17": (
        "registering a client by oneself: there is no such endpoint, and nothing of a client is fetched",
        ("test_oauth_attacks.py::test_no_one_registers_a_client_alone",),
    ),
    "O18": (
        "an issuer out of Host or X-Forwarded-Host",
        (
            "test_authorize_endpoint.py::test_the_issuer_is_what_is_configured",
            "test_authorize_endpoint.py::test_another_host_that_leads_here_changes_nothing",
            "test_token_router.py::test_the_metadata_is_the_issuers_whatever_the_client_says",
        ),
    ),
    "O19": (
        "prompt=none, max_age=0 and the hint of another user",
        (
            "test_consent_endpoint.py::test_prompt_none_never_shows_a_page",
            "test_consent_endpoint.py::test_a_login_that_is_asked_for_has_to_be_made_for_this_request",
            "test_real_clients.py::test_the_hint_of_another_user_needs_that_user",
            "test_id_token_hint.py::test_what_no_published_key_signed_is_not_believed",
        ),
    ),
    "O20": (
        "unknown parameters, request objects",
        (
            "test_authorize_endpoint.py::test_unknown_parameters_change_nothing",
            "test_authorize_endpoint.py::test_what_else_is_wrong_is_told_to_the_client",
            "test_client_authentication.py::test_unknown_parameters_are_ignored",
        ),
    ),
}

# Of Cloudflare's article of 2019, in the order of scripts/oauth/README.md.
DEFECTS: Final[dict[int, tuple[str, str]]] = {
    1: ("paths that only hold the name", "test_authorize_endpoint.py::test_only_the_path_itself_is_the_endpoint"),
    2: ("consent by a link", "test_consent_endpoint.py::test_consent_is_a_posted_form_and_no_link"),
    3: (
        "a code that can be guessed",
        "test_authorize_endpoint.py::test_a_request_is_answered_after_consent_with_code_state_and_issuer_alone",
    ),
    4: (
        "codes under keys that never meet",
        "test_authorize_endpoint.py::test_a_code_is_kept_as_its_hash_with_all_that_it_stands_for_and_not_for_long",
    ),
    5: ("codes for ever", "test_authorization_code_grant.py::test_a_code_is_good_until_its_second"),
    6: ("any redirect URI", "test_authorize_endpoint.py::test_an_address_that_is_not_registered_gets_no_redirect"),
    7: ("a client id taken for a URL", "test_authorize_endpoint.py::test_an_unknown_client_gets_no_redirect"),
    8: (
        "answers with response_type, and the text of an exception",
        "test_authorize_endpoint.py::test_no_query_is_answered_with_a_fault_of_ours_or_leads_elsewhere",
    ),
    9: ("secrets in the query", "test_client_authentication.py::test_credentials_in_the_url_are_refused"),
    10: (
        "tokens that a client can forge",
        "test_authorization_code_grant.py::test_the_api_gets_an_access_token_of_rfc_9068",
    ),
    11: (
        "the session as refresh token",
        "test_refresh_token_grant.py::test_a_refresh_gives_a_new_pair_and_a_split_token_again",
    ),
    12: ("a cookie with the token", "test_token_router.py::test_neither_a_cookie_nor_a_query_carries_a_token"),
    13: ("tokens in plain text in KV", "test_authorization_code_grant.py::test_nothing_that_was_given_out_is_in_kv"),
    14: ("the cookie before the header", "test_token_router.py::test_neither_a_cookie_nor_a_query_carries_a_token"),
    15: ("users that register by a login", "test_signup_endpoint.py::test_no_one_signs_up_unless_that_is_on"),
    16: ("secrets in the source", "test_clients.py::test_each_hash_of_a_secret_fits_and_nothing_else"),
}


def _missing(proofs: tuple[str, ...]) -> list[str]:
    parts = [(proof, *proof.split("::")) for proof in proofs]
    return [proof for proof, file, name in parts if name not in proofs_in(HERE / file)]


def test_every_attack_and_every_defect_has_a_row() -> None:
    assert list(ATTACKS) == [f"O{number}" for number in range(1, 21)]
    assert list(DEFECTS) == list(range(1, 17))


@pytest.mark.parametrize("attack", ATTACKS)
def test_the_tests_of_an_attack_are_there(attack: str) -> None:
    what, proofs = ATTACKS[attack]

    assert what
    assert proofs
    assert _missing(proofs) == []


@pytest.mark.parametrize("defect", DEFECTS)
def test_the_test_of_a_defect_is_there(defect: int) -> None:
    assert _missing((DEFECTS[defect][1],)) == []


def test_no_one_registers_a_client_alone() -> None:
    body = '{"redirect_uris": ["https://evil.example/cb"], "logo_uri": "http://169.254.169.254/"}'
    with set_up() as stage:
        reply = stage.edge.post(ISSUER + "/register", headers={"Content-Type": "application/json"}, body=body)

        assert reply.status == 404
        assert "evil" not in stage.stored()
