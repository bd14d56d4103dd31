import json

from hypothesis import given
from hypothesis import strategies as st

from edgeworker.cli.kv.entry_json import line_of, pair_of
from edgeworker.kv.namespace import KeyValuePair, ListResultKey


@given(
    name=st.text(min_size=1, max_size=20),
    value=st.binary(max_size=50) | st.text(max_size=50).map(lambda text: text.encode("utf-8", "replace")),
    expires_at=st.none() | st.integers(0, 2**40),
    metadata=st.none() | st.dictionaries(st.text(max_size=5), st.integers()),
)
def test_an_entry_is_one_line_and_reads_back(
    name: str, value: bytes, expires_at: int | None, metadata: dict[str, int] | None
) -> None:
    line = line_of(ListResultKey(name, expires_at, dict(metadata) if metadata is not None else None), value)

    assert "\n" not in line
    pair = pair_of(json.loads(line), "line 1")
    content = pair.value if isinstance(pair.value, bytes) else pair.value.encode()
    assert (pair.key, content, pair.expiration, pair.metadata) == (name, value, expires_at, metadata)


def test_text_is_readable_and_other_bytes_are_base64() -> None:
    assert line_of(ListResultKey("é"), "ü".encode()) == '{"key":"é","value":"ü"}'
    assert line_of(ListResultKey("k"), b"\xff") == '{"key":"k","value":"/w==","base64":true}'
    assert pair_of({"key": "k", "value": "/w==", "base64": True, "expiration_ttl": 60}, "x") == KeyValuePair(
        "k", b"\xff", expiration_ttl=60
    )
