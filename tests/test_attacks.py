"""Which tests prove that each attack on the front door fails. H-numbers are those of the attack list.

A row is what an attacker does, and the tests in which it is done to us, as `file::test`. The files are below tests/.
"""

import ast
import re
from functools import lru_cache
from pathlib import Path
from typing import Final

import pytest

TESTS: Final = Path(__file__).parent

ATTACKS: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    "H1": (
        "requests whose framing two parsers read in two ways",
        (
            "server/test_received_request.py::test_h1_h2_what_is_not_exactly_http_is_a_400_and_the_connection_ends",
            "server/test_received_request.py::test_h1_a_broken_chunk_ends_the_connection_and_is_never_a_whole_body",
            "server/test_differential.py::test_no_other_parser_sees_another_request",
            "server/test_front_door.py"
            "::test_h1_what_an_origin_does_not_read_of_a_body_is_not_put_before_the_next_request",
            "server/test_vectors.py::test_h1_a_request_line_is_method_target_and_version_and_nothing_else",
            "server/test_vectors.py::test_h1_a_field_is_a_token_a_colon_and_a_value_on_one_line",
            "server/test_vectors.py::test_h1_a_content_length_is_one_decimal_number",
            "server/test_vectors.py::test_h1_the_only_transfer_encoding_is_chunked",
            "server/test_vectors.py::test_h1_a_chunk_is_a_size_in_hexadecimal_and_as_many_bytes",
        ),
    ),
    "H2": (
        "HTTP/1.0 with Transfer-Encoding",
        ("server/test_received_request.py::test_h1_h2_what_is_not_exactly_http_is_a_400_and_the_connection_ends",),
    ),
    "H3": (
        "a credential or a Host that comes twice",
        (
            "server/test_received_request.py::test_h3_a_credential_that_comes_twice_is_refused",
            "test_admission.py::test_a_credential_that_comes_twice_is_refused",
        ),
    ),
    "H4": (
        "an absolute target with another host",
        ("server/test_received_request.py::test_h4_h5_the_host_is_exactly_one_name",),
    ),
    "H5": (
        "a Host that is none, or another one to the next reader",
        (
            "server/test_received_request.py::test_h4_h5_the_host_is_exactly_one_name",
            "messages/test_url.py::test_what_is_not_a_host_is_refused",
            "messages/test_url.py::test_a_host_that_is_let_in_has_characters_of_names_and_addresses_only",
        ),
    ),
    "H6": (
        "a path that is another one to the next reader",
        (
            "server/test_one_path.py::test_h6_h7_routes_script_and_origin_see_one_path",
            "server/test_one_path.py::test_h6_h7_a_path_that_two_readers_would_take_for_different_ones_is_refused",
            "server/test_front_door.py::test_h6_one_canonical_path_is_what_everybody_sees",
            "test_admission.py::test_a_path_that_is_let_in_holds_no_dot_segment_however_it_is_read",
        ),
    ),
    "H7": (
        "a path that goes past a protected prefix",
        (
            "server/test_one_path.py::test_h6_h7_routes_script_and_origin_see_one_path",
            "server/test_one_path.py"
            "::test_h7_no_one_gets_past_a_worker_or_the_edge_by_a_path_that_the_origin_takes_for_another",
        ),
    ),
    "H8": (
        "CONNECT, TRACE and methods that are none",
        ("server/test_received_request.py::test_h8_methods_for_proxies_are_refused",),
    ),
    "H9": (
        "CR, LF or NUL in what a script writes into a header",
        (
            "server/test_response_writer.py::test_h9_a_response_cannot_be_split",
            "server/http1/test_heads.py::test_a_head_cannot_be_split",
        ),
    ),
    "H10": (
        "header bytes beyond ASCII",
        (
            "server/test_front_door.py::test_h10_bytes_above_ascii_go_through_as_they_are",
            "server/test_front_door.py::test_h10_an_authorization_with_such_bytes_is_refused",
        ),
    ),
    "H11": (
        "Connection that names what the edge or an API relies on",
        ("server/test_front_door.py::test_h11_hop_by_hop_fields_stay_behind_and_cannot_remove_what_the_edge_sets",),
    ),
    "H12": (
        "trailers that carry credentials",
        (
            "server/test_received_request.py::test_h12_trailers_are_dropped",
            "server/test_received_request.py::test_h12_a_trailer_does_not_become_a_field_of_the_next_request",
        ),
    ),
    "H13": (
        "forged identity and proxy headers",
        (
            "server/test_front_door.py::test_h13_what_only_an_edge_may_say_is_set_by_the_edge",
            "test_admission.py::test_what_only_an_edge_may_say_is_removed_in_every_spelling",
            "server/test_proxies.py::test_only_a_listed_proxy_may_name_the_client",
            "server/test_proxies.py::test_a_client_that_a_proxy_header_names_cannot_name_another",
        ),
    ),
    "H14": (
        "large targets, fields, and many of them",
        (
            "server/test_client_connection.py::test_h14_each_limit_has_its_status",
            "server/test_client_connection.py::test_h14_many_fields_that_come_one_by_one_are_limited_together",
        ),
    ),
    "H15": (
        "bodies that are too large, endless, or shorter than they say",
        (
            "server/test_received_request.py::test_h15_an_endless_chunked_body_is_stopped_at_the_limit",
            "server/test_received_request.py::test_h15_a_body_shorter_than_its_length_is_not_a_whole_one",
        ),
    ),
    "H16": (
        "a request that inflates",
        (
            "server/test_received_request.py::test_h16_a_compressed_body_is_passed_on_as_it_is",
            "runtime/webapi/test_body_init.py::test_h16_a_body_is_not_read_beyond_what_an_isolate_may_hold",
            "runtime/webapi/test_body_init.py::test_h16_a_piece_is_inflated_a_little_at_a_time",
        ),
    ),
    "H17": (
        "an answer that inflates, or is not what its fields say",
        ("server/test_front_door.py::test_h17_a_compressed_answer_is_passed_on_as_it_is",),
    ),
    "H18": (
        "clients that are slow on purpose",
        (
            "server/test_client_connection.py::test_h18_fields_that_come_too_slowly_are_a_408",
            "server/test_client_connection.py::test_h18_trickling_does_not_help",
            "server/test_client_connection.py::test_h18_a_body_that_comes_too_slowly_is_a_408",
            "server/test_client_connection.py::test_h18_an_idle_connection_is_closed",
            "server/test_client_connection.py::test_h18_a_client_that_does_not_read_is_cut",
            "server/test_client_connection.py::test_h18_one_address_has_a_limited_number_of_connections",
            "server/test_listener_state.py::test_h18_a_client_is_counted_whatever_address_of_its_own_it_comes_from",
            "server/test_tls.py::test_who_never_finishes_the_handshake_is_cut",
        ),
    ),
    "H19": (
        "a flood of requests on one connection",
        (
            "server/test_client_connection.py::test_h19_a_flood_of_requests_on_one_connection_is_answered_without_being_queued",
        ),
    ),
    "H20": (
        "fetches of what is private",
        (
            "server/test_ssrf.py::test_h20_no_spelling_of_a_private_address_is_fetched",
            "server/test_ssrf.py::test_h20_only_http_is_fetched",
            "server/test_ssrf.py::test_h20_each_hop_of_a_redirect_is_checked",
            "server/test_outbound.py::test_what_is_on_the_public_internet",
            "server/test_outbound.py::test_h20_a_connection_to_an_origin_does_not_serve_a_script",
            "server/test_tunnel.py::test_h20_what_a_script_may_not_reach_is_not_asked_of_a_proxy_either",
            "server/test_tunnel.py"
            "::test_h20_a_name_that_turns_private_between_two_questions_is_connected_to_where_it_was_checked",
            "server/test_tunnel.py"
            "::test_h20_of_a_name_that_is_public_and_private_only_the_public_address_is_connected_to",
        ),
    ),
    "H21": (
        "loops between workers, and between an edge and its origin",
        (
            "server/test_front_door.py::test_h21_a_request_that_came_through_the_edge_too_often_ends",
            "server/test_front_door.py::test_h21_an_origin_that_asks_the_edge_again_ends_as_a_loop",
            "edge/test_chain.py::test_workers_that_call_each_other_forever_end_as_a_loop",
        ),
    ),
    "H22": (
        "redirects that are followed with a credential",
        (
            "server/test_front_door.py::test_h22_a_redirect_of_the_origin_goes_to_the_client",
            "server/test_ssrf.py::test_h22_credentials_do_not_follow_a_redirect_to_another_origin",
        ),
    ),
    "H23": (
        "answers from a cache that were made for someone else, or by an attacker",
        (
            "server/test_caching.py::test_h23_the_edge_keeps_nothing_by_itself_whatever_a_path_looks_like",
            "server/test_caching.py::test_h23_what_is_private_or_an_error_is_not_kept",
            "server/test_caching.py::test_h23_the_answer_to_a_token_is_kept_only_if_it_says_that_it_is_for_everybody",
            "server/test_caching.py::test_h23_an_answer_that_varies_is_for_the_same_fields_only",
            "server/test_caching.py::test_h23_what_an_answer_could_be_poisoned_with_does_not_reach_the_origin",
            "server/test_caching.py::test_h23_the_edges_own_refusals_are_not_to_be_kept",
            "server/test_caching.py::test_h23_what_the_parser_refuses_is_not_to_be_kept",
        ),
    ),
    "H24": (
        "a WebSocket without a token (a page of another site has none: it is a header, and no cookie counts)",
        ("server/test_upgraded.py::test_without_a_token_there_is_no_101",),
    ),
    "H25": (
        "answers of an origin that split, never end, or are too large",
        (
            "server/test_front_door.py::test_h25_hop_by_hop_fields_of_the_origin_stay_behind",
            "server/test_front_door.py::test_h25_an_answer_that_the_origin_does_not_complete_does_not_look_complete",
            "server/test_origin_connection.py::test_an_answer_that_is_not_http_is_a_520",
            "server/test_origin_connection.py::test_an_origin_that_says_nothing_more_is_a_524",
        ),
    ),
    "H26": (
        "cookies of the edge, set by an origin or a script",
        (
            "server/test_cookies.py::test_h26_a_cookie_of_the_edge_set_by_an_origin_or_a_script_is_left_out",
            "server/test_cookies.py::test_h26_every_other_cookie_is_passed_on",
        ),
    ),
    "H27": (
        "the REST API without a token, by a guess, from a web page, under a rebound name",
        (
            "wrangler_compat/api/test_auth.py::test_without_the_token_the_answer_is_401",
            "wrangler_compat/api/test_auth.py::test_a_foreign_name_is_dns_rebinding_and_refused_even_with_the_token",
            "wrangler_compat/api/test_auth.py::test_a_call_from_another_origins_page_is_refused_even_with_the_token",
            "wrangler_compat/api/test_auth.py::test_no_answer_has_a_cors_header",
            "wrangler_compat/api/test_auth.py::test_a_publishers_token_can_write_its_namespace_and_do_nothing_else",
            "wrangler_compat/api/test_raw_clients.py::test_a_rebound_name_and_a_web_page_are_refused_on_the_wire",
            "wrangler_compat/api/test_attempts.py"
            "::test_h27_after_too_many_wrong_tokens_none_of_that_address_is_looked_at",
        ),
    ),
    "H28": (
        "a configuration that was made to do harm",
        (
            "wrangler_compat/test_hostile_files.py::test_h28_a_huge_file_is_not_read_to_its_end",
            "wrangler_compat/test_hostile_files.py::test_h28_what_never_ends_or_never_begins_is_not_a_configuration",
            "wrangler_compat/test_hostile_files.py::test_h28_what_no_program_should_choke_on_is_a_clear_error",
            "wrangler_compat/test_hostile_files.py::test_h28_nothing_of_the_environment_gets_into_a_configuration",
            "wrangler_compat/test_hostile_files.py::test_h28_a_script_is_a_file_of_this_machine_with_a_known_ending",
            "wrangler_compat/test_hostile_files.py::test_h28_variables_that_refer_to_each_other_do_not_fill_the_memory",
        ),
    ),
    "H29": (
        "secrets in logs, pages and files, and log lines that a client makes up",
        (
            "cli/test_redaction.py::test_no_log_page_or_file_of_a_run_holds_a_secret",
            "cli/test_redaction.py::test_no_message_about_a_bad_configuration_holds_a_secret",
            "cli/test_redaction.py::test_options_that_hold_secrets_are_not_repeated",
            "cli/test_request_log.py::test_what_a_client_sends_cannot_break_out_of_its_member",
        ),
    ),
    "H30": (
        "files that others read or replace, and what the binary unpacks and imports",
        (
            "cli/test_binary.py::test_h30_only_its_owner_reads_what_an_edge_keeps_whatever_the_umask_is",
            "cli/test_binary.py::test_h30_no_one_else_can_put_code_where_the_binary_unpacks_itself",
            "cli/test_binary.py::test_h30_the_binary_imports_nothing_from_where_it_is_started",
            "host/test_datadir.py::test_a_directory_that_others_can_write_is_refused",
        ),
    ),
}


@lru_cache
def proofs_in(file: Path) -> frozenset[str]:
    """The names of its tests; none where there is no such file."""
    if not file.exists():
        return frozenset()
    tree = ast.parse(file.read_text(encoding="utf-8"))
    functions = (node for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return frozenset(node.name for node in functions if node.name.startswith("test_"))


def test_every_attack_of_the_list_has_a_row() -> None:
    assert list(ATTACKS) == [f"H{number}" for number in range(1, 31)]


@pytest.mark.parametrize("attack", ATTACKS)
def test_the_tests_of_a_row_are_there(attack: str) -> None:
    what, proofs = ATTACKS[attack]

    assert what
    assert proofs
    missing = []
    for proof in proofs:
        file, _, name = proof.partition("::")
        if name not in proofs_in(TESTS / file):
            missing.append(proof)
    assert missing == []


def test_every_test_that_is_named_after_an_attack_is_of_one_in_the_list() -> None:
    named = {
        f"H{number}"
        for file in TESTS.rglob("test_*.py")
        for name in proofs_in(file)
        for number in re.findall(r"(?<=_)h([0-9]+)(?=_)", name)
    }

    assert named <= ATTACKS.keys()
