import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeworker.config import JSON
from edgeworker.errors import KVError, KVTypeError
from edgeworker.kv import rules

NOW = 1_700_000_000


@pytest.mark.parametrize("key", ["a", "...", "a/b", " ", "\n", "\x00", "k" * 512, "é" * 256, "😀" * 128])
def test_a_key_of_up_to_512_bytes_is_allowed(key: str) -> None:
    rules.check_key(key)


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("", "Key name cannot be empty."),
        (".", '"." is not allowed as a key name.'),
        ("..", '".." is not allowed as a key name.'),
    ],
)
def test_some_names_are_not_keys(key: str, text: str) -> None:
    with pytest.raises(KVTypeError) as caught:
        rules.check_key(key)

    assert (str(caught.value), caught.value.status, caught.value.rule) == (text, 400, "key name")


@pytest.mark.parametrize(("key", "size"), [("k" * 513, 513), ("é" * 257, 514), ("k" * 10_000, 10_000)])
def test_a_key_is_measured_in_bytes(key: str, size: int) -> None:
    with pytest.raises(KVError) as caught:
        rules.check_key(key)

    assert str(caught.value) == f"UTF-8 encoded length of {size} exceeds key length limit of 512."
    assert (caught.value.status, caught.value.rule) == (414, "key length")


def test_a_key_is_well_formed() -> None:
    assert rules.check_key("\ud83d\ude00") == "😀"
    with pytest.raises(KVError, match=r"^Could not URL-decode key name$") as caught:
        rules.check_key("a\ud800")

    assert (caught.value.status, caught.value.rule) == (400, "key name")


@pytest.mark.parametrize(
    ("key", "status", "text"),
    [
        ("", 400, "Key names must not be empty"),
        ("..", 400, 'Illegal key name "..". Please use a different name.'),
        ("k" * 513, 414, "UTF-8 encoded length of 513 exceeds key length limit of 512."),
    ],
)
def test_a_bulk_get_has_texts_of_its_own(key: str, status: int, text: str) -> None:
    assert rules.check_bulk_key("k") == "k"
    with pytest.raises(KVError) as caught:
        rules.check_bulk_key(key)

    assert (caught.value.status, str(caught.value)) == (status, text)


@pytest.mark.parametrize(("expiration", "ttl"), [(2**53, None), (None, 2**53 - NOW), (10**400, None)])
def test_an_expiry_beyond_all_numbers_of_javascript_is_refused(expiration: int | None, ttl: int | None) -> None:
    with pytest.raises(KVError, match="Please specify a smaller integer") as caught:
        rules.expires_at(now=NOW, expiration=expiration, expiration_ttl=ttl)

    assert caught.value.status == 400


@pytest.mark.parametrize(
    ("expiration", "ttl", "expected"),
    [
        (None, None, None),
        (None, 60, NOW + 60),
        (NOW + 60, None, NOW + 60),
        (NOW + 3600, 60, NOW + 60),  # the duration wins
        (1, 60, NOW + 60),  # and then the moment is not even looked at
    ],
)
def test_the_expiry_is_a_moment(expiration: int | None, ttl: int | None, expected: int | None) -> None:
    assert rules.expires_at(now=NOW, expiration=expiration, expiration_ttl=ttl) == expected


@pytest.mark.parametrize(
    ("expiration", "ttl", "text"),
    [
        (None, 59, "Invalid expiration_ttl of 59. Expiration TTL must be at least 60."),
        (None, 0, "Invalid expiration_ttl of 0. Please specify integer greater than 0."),
        (None, -1, "Invalid expiration_ttl of -1. Please specify integer greater than 0."),
        (
            NOW,
            None,
            f"Invalid expiration of {NOW}. "
            "Please specify integer greater than the current number of seconds since the UNIX epoch.",
        ),
        (
            NOW + 59,
            None,
            f"Invalid expiration of {NOW + 59}. Expiration times must be at least 60 seconds in the future.",
        ),
    ],
)
def test_an_expiry_is_at_least_a_minute_ahead(expiration: int | None, ttl: int | None, text: str) -> None:
    with pytest.raises(KVError) as caught:
        rules.expires_at(now=NOW, expiration=expiration, expiration_ttl=ttl)

    assert (str(caught.value), caught.value.status) == (text, 400)
    assert caught.value.rule == ("expiration" if ttl is None else "expiration_ttl")


@pytest.mark.parametrize(
    ("metadata", "text"),
    [
        (None, None),
        ({}, "{}"),
        ({"a": [1, "é"]}, '{"a":[1,"é"]}'),
        ("\ud800", '"\\ud800"'),  # as JSON.stringify writes a lone surrogate
        ("x" * 1022, '"' + "x" * 1022 + '"'),
    ],
)
def test_metadata_is_kept_as_json_text(metadata: JSON, text: str | None) -> None:
    assert rules.metadata_text(metadata) == text


@pytest.mark.parametrize(("metadata", "size"), [("x" * 1023, 1025), ("é" * 512, 1026)])
def test_metadata_has_at_most_1024_bytes_of_text(metadata: str, size: int) -> None:
    with pytest.raises(KVError, match=rf"^Metadata length of {size} exceeds limit of 1024\.$") as caught:
        rules.metadata_text(metadata)

    assert (caught.value.status, caught.value.rule) == (413, "metadata")


def test_metadata_that_json_cannot_hold_is_refused() -> None:
    with pytest.raises(KVError, match="Metadata is not JSON") as caught:
        rules.metadata_text({"a": float("nan")})

    assert caught.value.status == 400


def test_a_value_has_at_most_25_mib() -> None:
    rules.check_value_length(26_214_400)
    with pytest.raises(KVError, match=r"^Value length of 26214401 exceeds limit of 26214400\.$") as caught:
        rules.check_value_length(26_214_401)

    assert (caught.value.status, caught.value.rule) == (413, "value length")


def test_a_bulk_get_asks_for_1_to_100_keys() -> None:
    rules.check_bulk_get(1)
    rules.check_bulk_get(100)
    with pytest.raises(KVError, match=r"^You can request a maximum of 100 keys$"):
        rules.check_bulk_get(101)
    with pytest.raises(KVError, match=r"^You must request a minimum of 1 key$"):
        rules.check_bulk_get(0)


def test_a_bulk_get_answers_at_most_25_mib() -> None:
    rules.check_bulk_get_size(26_214_400)
    with pytest.raises(KVError, match=r"^Total size of request exceeds the limit of 25MB$") as caught:
        rules.check_bulk_get_size(26_214_401)

    assert caught.value.status == 413


def test_a_bulk_write_has_at_most_10000_pairs_of_100_mib() -> None:
    rules.check_bulk_pairs(10_000)
    rules.check_bulk_size(100 * 1024 * 1024)
    with pytest.raises(KVError, match="maximum of 10000 keys"):
        rules.check_bulk_pairs(10_001)
    with pytest.raises(KVError, match="the limit of 100MB"):
        rules.check_bulk_size(100 * 1024 * 1024 + 1)


def test_a_cache_ttl_is_at_least_30_seconds() -> None:
    rules.check_cache_ttl(30)
    with pytest.raises(KVError, match=r"^Invalid cache_ttl of 29\. Cache TTL must be at least 30\.$"):
        rules.check_cache_ttl(29)


@pytest.mark.parametrize(("limit", "expected"), [(None, 1000), (1, 1), (1000, 1000)])
def test_a_page_has_1000_keys_unless_fewer_are_wanted(limit: int | None, expected: int) -> None:
    assert rules.list_limit(limit) == expected


@pytest.mark.parametrize(
    ("limit", "text"),
    [
        (0, "Invalid key_count_limit of 0. Please specify an integer greater than 0."),
        (1001, "Invalid key_count_limit of 1001. Please specify an integer less than 1000."),
    ],
)
def test_a_page_has_1_to_1000_keys(limit: int, text: str) -> None:
    with pytest.raises(KVError) as caught:
        rules.list_limit(limit)

    assert (str(caught.value), caught.value.status, caught.value.rule) == (text, 400, "limit")


@given(st.text(min_size=1))
def test_a_cursor_leads_back_to_its_name(name: str) -> None:
    assert rules.decode_cursor(rules.encode_cursor(name)) == name


@pytest.mark.parametrize("cursor", ["!", "é", "YQ", "/w==", "a b="])
def test_a_cursor_that_no_list_gave_is_refused(cursor: str) -> None:
    with pytest.raises(KVError, match="Invalid cursor") as caught:
        rules.decode_cursor(cursor)

    assert (caught.value.status, caught.value.rule) == (400, "cursor")


@pytest.mark.parametrize(
    ("text", "expected"),
    [("aé", "aé".encode()), ("\ud83d\ude00", "😀".encode()), ("a\ud800b", b"a\xed\xa0\x80b")],
)
def test_a_value_is_written_as_workerd_writes_it(text: str, expected: bytes) -> None:
    assert rules.utf8(text) == expected


def test_the_errors_of_namespaces_have_cloudflares_texts() -> None:
    missing, taken = rules.namespace_not_found(), rules.title_taken()

    assert (str(missing), missing.status, missing.rule) == ("namespace not found", 404, "namespace not found")
    assert str(taken) == "a namespace with this account ID and title already exists"
    assert (taken.status, taken.rule) == (400, "title taken")
