"""The limits of KV, what Python adds for a script, and what the REST API answers; see kv_row.py."""

from typing import Final

from tests.conformance.kv_row import API, ARGUMENTS, CODE, KV_REST, REST, RULES, SCRIPT, VIEW, Row


def _limit(name: str, constant: str, right: str, wrong: str, *tests: str) -> Row:
    return Row(
        f"limits: {name}", tests, f"{CODE}rules.py", f"{constant}: Final = {right}", f"{constant}: Final = {wrong}"
    )


def _code(number: int, name: str, *tests: str) -> Row:
    return Row(f"rest: code {number}", tests, f"{API}errors.py", f"{name} = {number}\n", f"{name} = {number + 5000}\n")


LIMITS: Final = (
    _limit("key of 512 bytes", "MAX_KEY_BYTES", "512", "513", "case: a key that is too long"),
    _limit("value of 25 MiB", "MAX_VALUE_BYTES", "25 *", "26 *", f"{RULES}test_a_value_has_at_most_25_mib"),
    _limit("metadata of 1024 bytes", "MAX_METADATA_BYTES", "1024", "1025", "case: metadata that is too large"),
    _limit("TTL of 60 s", "MIN_TTL_SECONDS", "60", "59", "case: expirationTtl that is refused"),
    _limit("cacheTtl of 30 s", "MIN_CACHE_TTL_SECONDS", "30", "29", "case: cacheTtl"),
    _limit("page of 1000 keys", "MAX_LIST_LIMIT", "1000", "1001", "case: the limit of a list"),
    _limit("bulk get of 100 keys", "MAX_BULK_GET_KEYS", "100", "101", "case: how many keys"),
    _limit(
        "bulk get of 25 MiB", "MAX_BULK_GET_BYTES", "25 *", "26 *", f"{RULES}test_a_bulk_get_answers_at_most_25_mib"
    ),
    _limit(
        "bulk of 10,000 pairs",
        "MAX_BULK_PAIRS",
        "10_000",
        "10_001",
        f"{REST}bulk.py::test_a_bulk_call_has_at_most_ten_thousand_items",
    ),
    _limit(
        "bulk of 100 MiB",
        "MAX_BULK_BYTES",
        "100 *",
        "101 *",
        f"{RULES}test_a_bulk_write_has_at_most_10000_pairs_of_100_mib",
    ),
    Row(
        "limits: bulk body of 100 MiB",
        (f"{REST}bulk.py::test_a_bulk_body_over_100_mb_is_refused_before_it_is_read",),
        f"{API}call.py",
        "MAX_JSON_BYTES: Final = 100 *",
        "MAX_JSON_BYTES: Final = 101 *",
    ),
    Row(
        "limits: expiration 60 s ahead",
        ("case: expiration that is refused",),
        f"{CODE}rules.py",
        "if expiration < now + MIN_TTL_SECONDS:",
        "if expiration < now + MIN_TTL_SECONDS - 1:",
    ),
    Row(
        "limits: 1000 namespaces",
        (f"{REST}namespaces.py::test_an_account_has_at_most_a_thousand_namespaces",),
        f"{KV_REST}namespaces.py",
        ">= MAX_NAMESPACES",
        "> MAX_NAMESPACES",
    ),
)

PYTHON: Final = (
    Row(
        "python: keywords",
        (f"{VIEW}test_results_have_items_and_attributes",),
        ARGUMENTS,
        "return [*args, dict(keywords)] if keywords else [*args]",
        "return [*args]",
    ),
    Row(
        "python: attributes",
        (f"{VIEW}test_results_have_items_and_attributes",),
        SCRIPT,
        "_value(found.value, kind), as_js(found.metadata)",
        "_value(found.value, kind), found.metadata",
    ),
    Row(
        "python: many keys are a dict",
        ("case: many keys",),
        SCRIPT,
        "return {name: None if item is None else _bulk_value(item, kind) for name, item in found.items()}",
        "return [None if item is None else _bulk_value(item, kind) for name, item in found.items()]",
    ),
    Row(
        "python: bytes are put",
        (f"{VIEW}test_bytes_of_any_kind_can_be_put",),
        SCRIPT,
        "case bytes() | bytearray() | memoryview():\n            return value",
        "case bytes() | memoryview():\n            return value",
    ),
    Row(
        "python: options of None",
        (f"{VIEW}test_options_of_none_are_absent",),
        ARGUMENTS,
        "if not (value is None or isinstance(value, JsNull))}",
        "}",
    ),
    Row(
        "python: keys of a list",
        (f"{VIEW}test_results_have_items_and_attributes",),
        SCRIPT,
        "    @property\n    def keys",
        "    def keys",
    ),
    Row(
        "python: exception's text",
        (f"{VIEW}test_an_exception_has_javascripts_name_and_text",),
        SCRIPT,
        'f"KV {verb} failed: {error.status} {error}"',
        'f"KV {verb} failed: {error}"',
    ),
    Row(
        "python: not iterable",
        (f"{VIEW}test_a_namespace_is_true_and_nothing_to_walk_over",),
        SCRIPT,
        "\"'KvNamespace' object is not iterable\"",
        "\"'KVView' object is not iterable\"",
    ),
    Row(
        "python: true",
        (f"{VIEW}test_a_namespace_is_true_and_nothing_to_walk_over",),
        SCRIPT,
        "def __bool__(self) -> bool:\n        return True",
        "def __bool__(self) -> bool:\n        return False",
    ),
)

REST_CALLS: Final = (
    Row(
        "rest: namespaces in pages",
        (f"{REST}namespaces.py::test_a_pager_by_number_sees_each_namespace_once_and_then_an_empty_page",),
        f"{KV_REST}namespaces.py",
        "namespaces[page.start : page.start + page.per_page]",
        "namespaces[page.start :]",
    ),
    Row(
        "rest: order",
        (f"{REST}namespaces.py::test_namespaces_are_listed_in_the_asked_order",),
        f"{KV_REST}namespaces.py",
        "key=lambda namespace: namespace.title",
        "key=lambda namespace: namespace.id",
    ),
    Row(
        "rest: direction",
        (f"{REST}namespaces.py::test_namespaces_are_listed_in_the_asked_order",),
        f"{KV_REST}namespaces.py",
        "namespaces.reverse()",
        "pass",
    ),
    Row(
        "rest: ids of 32 hex digits",
        (f"{REST}namespaces.py::test_a_namespace_is_made_renamed_and_deleted_with_its_keys",),
        f"{KV_REST}namespaces.py",
        "secrets.token_hex(16)",
        "secrets.token_hex(8)",
    ),
    Row(
        "rest: rename",
        (f"{REST}namespaces.py::test_a_namespace_is_made_renamed_and_deleted_with_its_keys",),
        f"{KV_REST}namespaces.py",
        'return success(_show_namespace(Namespace(call.params["namespace"], title)))',
        "return success(None)",
    ),
    Row(
        "rest: delete a namespace",
        (f"{REST}namespaces.py::test_a_namespace_is_made_renamed_and_deleted_with_its_keys",),
        f"{KV_REST}namespaces.py",
        'await call.store.namespaces.delete(call.params["namespace"])',
        "pass",
    ),
    Row(
        "rest: the last page's cursor",
        (f"{REST}keys.py::test_a_cursor_leads_through_all_pages_until_it_is_empty",),
        f"{KV_REST}keys.py",
        'page.cursor or ""',
        'page.cursor or "end"',
    ),
    Row(
        "rest: list limit of 10",
        (f"{REST}keys.py::test_a_list_that_cannot_be_made_has_its_code",),
        f"{KV_REST}keys.py",
        "_MIN_LIMIT: Final = 10\n",
        "_MIN_LIMIT: Final = 9\n",
    ),
    Row(
        "rest: list limit of 1000",
        (f"{REST}keys.py::test_a_list_that_cannot_be_made_has_its_code",),
        f"{KV_REST}keys.py",
        "_MAX_LIMIT: Final = 1000\n",
        "_MAX_LIMIT: Final = 10001\n",
    ),
    Row(
        "rest: a value is raw bytes",
        (f"{REST}values.py::test_a_value_is_answered_raw_with_its_expiry_in_a_header",),
        f"{KV_REST}values.py",
        '"application/octet-stream", "cache',
        '"text/plain", "cache',
    ),
    Row(
        "rest: header expiration",
        (f"{REST}values.py::test_a_value_is_answered_raw_with_its_expiry_in_a_header",),
        f"{KV_REST}values.py",
        'headers.set("expiration"',
        'headers.set("expires"',
    ),
    Row(
        "rest: form with metadata",
        (f"{REST}values.py::test_a_form_has_the_value_and_its_metadata",),
        f"{KV_REST}values.py",
        'return whole, _metadata(b"".join(parts.get("metadata", ())))',
        "return whole, None",
    ),
    Row(
        "rest: form without value",
        (f"{REST}values.py::test_a_form_that_is_not_right_is_refused_and_writes_nothing",),
        f"{KV_REST}values.py",
        'if "value" not in parts:',
        'if parts.setdefault("value", []) is None:',
    ),
    Row(
        "rest: raw body of any type",
        (f"{REST}values.py::test_a_raw_body_is_the_value_whatever_its_type_says",),
        f"{API}multipart.py",
        'if kind == "multipart/form-data" else None',
        'if "form" in kind else None',
    ),
    Row(
        "rest: delete a key",
        (f"{REST}values.py::test_a_key_is_the_rest_of_the_raw_target_decoded_once",),
        f"{KV_REST}values.py",
        'await namespace.delete(call.params["key"])',
        "pass",
    ),
    Row(
        "rest: metadata",
        (f"{REST}values.py::test_a_form_has_the_value_and_its_metadata",),
        f"{KV_REST}values.py",
        "return success(found.metadata)",
        "return success(None)",
    ),
    Row(
        "rest: bulk put of base64",
        (f"{REST}bulk.py::test_a_bulk_put_writes_values_expiry_and_metadata",),
        f"{KV_REST}bulk.py",
        '_is_base64(item.get("base64"), where), where)',
        "False, where)",
    ),
    Row(
        "rest: bulk delete in both forms",
        (f"{REST}bulk.py::test_both_forms_of_bulk_delete_remove_and_do_not_mind_missing_keys",),
        f"{KV_REST}bulk.py",
        "await namespace.delete_many(keys)",
        "pass",
    ),
    Row(
        "rest: bulk get with metadata",
        (f"{REST}bulk.py::test_a_bulk_get_answers_each_key_once_and_null_for_a_missing_one",),
        f"{KV_REST}bulk.py",
        "with_metadata=with_metadata is True",
        "with_metadata=False",
    ),
    Row(
        "rest: a plus in a key is a plus",
        (f"{REST}values.py::test_a_key_is_the_rest_of_the_raw_target_decoded_once",),
        f"{API}target.py",
        "unquote_to_bytes(text.encode",
        'unquote_to_bytes(text.replace("+", " ").encode',
    ),
    Row(
        "rest: a key is all of the rest",
        (f"{REST}values.py::test_a_key_is_the_rest_of_the_raw_target_decoded_once",),
        f"{API}router.py",
        "'.*' if place[2]",
        "'[^/]+' if place[2]",
    ),
    Row(
        "rest: a key may hold a newline",
        (f"{REST}values.py::test_a_key_is_the_rest_of_the_raw_target_decoded_once",),
        f"{API}target.py",
        'surrogateescape")).decode()',
        'surrogateescape")).decode().replace(chr(10), "")',
    ),
    Row(
        "rest: a key comes from the raw target",
        (f"{REST}values.py::test_a_key_is_the_rest_of_the_raw_target_decoded_once",),
        f"{API}target.py",
        "raw = request.url.target if request.raw_target is None else request.raw_target",
        "raw = request.url.target",
    ),
    Row(
        "rest: a key is UTF-8",
        (f"{REST}values.py::test_a_key_that_kv_refuses_has_its_code",),
        f"{API}target.py",
        'surrogateescape")).decode()',
        'surrogateescape")).decode("latin-1")',
    ),
    Row(
        "rest: the SDK's JSON bug is told",
        (f"{REST}values.py::test_the_json_bug_of_an_sdk_is_told_in_the_log_without_the_value",),
        f"{KV_REST}values.py",
        'headers.has("x-stainless-lang")',
        'headers.has("x-stainless")',
    ),
    Row(
        "rest: status of a long key",
        (f"{REST}values.py::test_a_key_that_kv_refuses_has_its_code",),
        f"{KV_REST}answers.py",
        '"key length": (414,',
        '"key length": (400,',
    ),
    Row(
        "rest: status of a large value",
        (f"{REST}values.py::test_a_value_of_25_mib_streams_in_and_one_byte_more_is_refused",),
        f"{KV_REST}answers.py",
        '"value length": (413,',
        '"value length": (400,',
    ),
    Row(
        "rest: wording of a refusal",
        (f"{REST}values.py::test_an_unknown_namespace_is_10013",),
        f"{KV_REST}answers.py",
        "f\"{action}: '{text}'\"",
        'f"{action}: {text}"',
    ),
    _code(10007, "MALFORMED_PAGE", f"{REST}namespaces.py::test_a_list_that_cannot_be_made_has_its_code"),
    _code(10008, "MALFORMED_PER_PAGE", f"{REST}namespaces.py::test_a_list_that_cannot_be_made_has_its_code"),
    _code(10009, "KEY_NOT_FOUND", f"{REST}values.py::test_a_missing_key_is_10009"),
    _code(10012, "MALFORMED_BODY", f"{REST}bulk.py::test_one_wrong_pair_and_nothing_is_written"),
    _code(10013, "NAMESPACE_NOT_FOUND", f"{REST}values.py::test_an_unknown_namespace_is_10013"),
    _code(10014, "TITLE_EXISTS", f"{REST}namespaces.py::test_two_namespaces_cannot_have_one_title"),
    _code(10018, "TOO_MANY_NAMESPACES", f"{REST}namespaces.py::test_an_account_has_at_most_a_thousand_namespaces"),
    _code(10019, "TITLE_MISSING", f"{REST}namespaces.py::test_a_namespace_needs_a_title"),
    _code(10024, "TOO_LARGE", f"{REST}bulk.py::test_a_bulk_body_over_100_mb_is_refused_before_it_is_read"),
    _code(10028, "INVALID_LIMIT", f"{REST}keys.py::test_a_list_that_cannot_be_made_has_its_code"),
    _code(10029, "INVALID_REQUEST", f"{REST}bulk.py::test_a_bulk_get_that_cannot_be_made_has_its_code"),
    _code(10030, "KEY_TOO_LONG", f"{REST}values.py::test_a_key_that_kv_refuses_has_its_code"),
    _code(10033, "INVALID_EXPIRATION", f"{REST}values.py::test_an_expiry_that_is_too_near_or_no_number_is_refused"),
    _code(10034, "INVALID_EXPIRATION_TTL", f"{REST}values.py::test_an_expiry_that_is_too_near_or_no_number_is_refused"),
    _code(10041, "INVALID_CURSOR", f"{REST}keys.py::test_a_list_that_cannot_be_made_has_its_code"),
    _code(10042, "ILLEGAL_KEY", f"{REST}values.py::test_a_key_that_kv_refuses_has_its_code"),
    _code(10043, "INVALID_ORDER", f"{REST}namespaces.py::test_a_list_that_cannot_be_made_has_its_code"),
    _code(10044, "INVALID_DIRECTION", f"{REST}namespaces.py::test_a_list_that_cannot_be_made_has_its_code"),
    _code(10046, "TOO_MANY_KEYS", f"{REST}bulk.py::test_a_bulk_get_that_cannot_be_made_has_its_code"),
    _code(10047, "INVALID_METADATA", f"{REST}values.py::test_a_form_that_is_not_right_is_refused_and_writes_nothing"),
)
