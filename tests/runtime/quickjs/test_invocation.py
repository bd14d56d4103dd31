"""How header fields cross between a script of the embedded engine and the edge."""

import pytest

from edgeworker.messages import Headers

pytest.importorskip("quickjs", reason="quickjs-bindings has wheels for CPython 3.11 and 3.13")
from edgeworker.runtime.quickjs.invocation import OperationFailed, read_fields, write_fields


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ([], ""),
        ([(b"A", b"1"), (b"a", b"2")], "A\n1\na\n2"),
        ([(b"empty", b"")], "empty\n"),
        ([(b"u", "é".encode()), (b"x", b"\xff")], "u\né\nx\n\ufffd"),
        ([(b"a", b"1\nSet-Cookie\n2"), (b"b", b"3")], "a\n1 Set-Cookie 2\nb\n3"),
    ],
)
def test_fields_are_one_text_and_a_value_cannot_make_another_field(
    fields: list[tuple[bytes, bytes]], text: str
) -> None:
    assert write_fields(Headers.from_raw(fields)) == text


def test_fields_of_a_script_come_back_in_their_order() -> None:
    assert read_fields("A\n1\nSet-Cookie\nx\nSet-Cookie\ny").raw == [
        (b"A", b"1"),
        (b"Set-Cookie", b"x"),
        (b"Set-Cookie", b"y"),
    ]
    assert read_fields("").raw == []


@pytest.mark.parametrize("text", ["a", "a\n1\nb", "a b\n1", "a\n1\r2", "a\n1\0", "\n1"])
def test_what_may_not_be_in_a_header_fails_in_the_script(text: str) -> None:
    with pytest.raises(OperationFailed):
        read_fields(text)
