"""Written multipart bodies, read back by the library `multipart`."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multipart import MultipartSegment, PushMultipartParser

from edgeworker.messages.multipart import form_data, make_boundary, write_end, write_part_head


@given(st.lists(st.tuples(st.from_regex(r"[a-z é]{1,9}", fullmatch=True), st.binary(max_size=99))))
def test_what_is_written_is_read_back(parts: list[tuple[str, bytes]]) -> None:
    boundary = make_boundary()
    written = [
        write_part_head(boundary, {"Content-Disposition": form_data(name, "f.bin")}) + content + b"\r\n"
        for name, content in parts
    ]
    read: list[tuple[str, bytes]] = []
    with PushMultipartParser(boundary) as parser:
        for event in parser.parse(b"".join([*written, write_end(boundary)])):
            if isinstance(event, MultipartSegment):
                read.append((event.name, b""))
            elif event is not None:
                read[-1] = (read[-1][0], read[-1][1] + bytes(event))

    assert read == parts


@pytest.mark.parametrize(
    ("name", "filename", "text"),
    [
        ("a", None, 'form-data; name="a"'),
        ('a"\r\nX-Evil: 1', "b\n", 'form-data; name="a%22%0D%0AX-Evil: 1"; filename="b%0A"'),
    ],
)
def test_no_name_breaks_out_of_its_quotes(name: str, filename: str | None, text: str) -> None:
    assert form_data(name, filename) == text
