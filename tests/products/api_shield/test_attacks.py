"""Which tests prove that each attack on a token fails in front of an API that API Shield protects.

J-numbers are those of the attack list. Rules say who may issue a token and for whom (J17 to J19, J23): a configuration
alone takes every token that its keys sign, and `edgeworker shield lint` tells where no rule asks for more.
"""

from typing import Final

import pytest

from tests.test_attacks import TESTS, proofs_in

FOLDER: Final = TESTS / "products" / "api_shield"
ATTACKS: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    "J1": ('alg "none"', ("test_verification.py::test_what_is_not_signed_by_the_key_does_not_count",)),
    "J2": (
        "HMAC with the public key as its secret",
        (
            "test_verification.py::test_a_public_key_is_not_a_secret",
            "test_verification.py::test_what_is_not_signed_by_the_key_does_not_count",
        ),
    ),
    "J3": ("another algorithm", ("test_verification.py::test_another_algorithm_of_the_family_does_not_count",)),
    "J4": (
        "no kid, an unknown one, or one that is no text",
        (
            "test_verification.py::test_a_kid_is_compared_whole",
            "test_verification.py::test_a_header_that_changes_the_rules_does_not_count",
            "test_verification.py::test_a_token_of_each_algorithm_counts_and_a_changed_one_does_not",
        ),
    ),
    "J5": ("a key in the header", ("test_verification.py::test_keys_within_a_header_are_not_looked_at",)),
    "J6": ("crit and b64", ("test_verification.py::test_a_header_that_changes_the_rules_does_not_count",)),
    "J7": (
        "a short secret",
        ("test_keys.py::test_a_secret_has_a_least_length", "test_keys.py::test_a_secret_is_base64url"),
    ),
    "J8": ("a weak RSA key", ("test_keys.py::test_a_key_that_cannot_verify_is_left_out_and_told",)),
    "J9": ("a key that is for something else", ("test_keys.py::test_a_key_that_cannot_verify_is_left_out_and_told",)),
    "J10": ("a kid twice", ("test_keys.py::test_a_set_has_at_most_sixteen_keys_and_no_two_of_one_name",)),
    "J12": ("a point off the curve", ("test_keys.py::test_a_key_that_cannot_verify_is_left_out_and_told",)),
    "J13": ("a second text of one token", ("test_verification.py::test_there_is_one_text_of_a_token",)),
    "J14": ("another number of segments", ("test_verification.py::test_there_is_one_text_of_a_token",)),
    "J15": (
        "a claim twice",
        ("test_verification.py::test_a_payload_that_can_be_read_in_two_ways_or_none_does_not_count",),
    ),
    "J16": ("a time that is no number", ("test_verification.py::test_a_time_that_is_not_a_number_is_not_a_time",)),
    "J17": (
        "no exp, and no iss or aud that a rule asks for",
        (
            "test_verification.py::test_a_configuration_may_ask_for_an_expiry",
            "test_linting.py::test_claims_that_no_rule_checks_are_told",
        ),
    ),
    "J20": ("the edges of time", ("test_verification.py::test_times_are_taken_with_sixty_seconds_of_skew",)),
    "J21": (
        "a huge or deeply nested token",
        (
            "test_verification.py::test_a_payload_that_can_be_read_in_two_ways_or_none_does_not_count",
            "test_verification.py::test_there_is_one_text_of_a_token",
        ),
    ),
    "J22": (
        "claims that break header fields or the log",
        (
            "test_handler.py::test_what_a_claim_holds_cannot_break_a_header",
            "test_handler.py::test_no_token_and_no_line_break_gets_into_the_log",
            "test_explaining.py::test_values_are_shown_so_that_no_terminal_acts_on_them",
        ),
    ),
    "J24": ("compressed", ("test_verification.py::test_a_header_that_changes_the_rules_does_not_count",)),
    "J25": ("psychic signatures", ("test_verification.py::test_an_ecdsa_signature_is_two_numbers_of_one_length",)),
    "J28": ("a private key among public ones", ("test_keys.py::test_a_private_key_is_refused",)),
    "H6": ("another path to the next reader", ("test_handler.py::test_the_canonical_path_decides",)),
    "H13": (
        "a header field that only the edge sets",
        ("test_handler.py::test_a_claim_becomes_a_header_that_no_client_can_send",),
    ),
    "H29": ("a line break in the log", ("test_handler.py::test_no_token_and_no_line_break_gets_into_the_log",)),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_the_tests_of_a_row_are_there(attack: str) -> None:
    what, proofs = ATTACKS[attack]

    assert what
    assert [
        proof for proof in proofs if proof.partition("::")[2] not in proofs_in(FOLDER / proof.partition("::")[0])
    ] == []
