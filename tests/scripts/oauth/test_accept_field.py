"""How much a client wants a media type."""

import pytest

from issuer.accept_field import quality


@pytest.mark.parametrize(
    ("accept", "wanted"),
    [
        (None, 1.0),
        ("", 1.0),
        ("application/json", 1.0),
        ("APPLICATION/JSON;q=0.5", 0.5),
        ("application/*;q=0.3, */*;q=0.1", 0.3),
        ("*/*;q=0.8", 0.8),
        ("text/html", 0.0),
        ("application/json;q=0, */*", 0.0),  # the most specific range decides
        ("application/json;q=2", 0.0),
        ("application/json;q=0.1234", 0.0),
        ("application/json; charset=utf-8 ;q=1.000", 1.0),
    ],
)
def test_the_most_specific_range_decides(accept: str | None, wanted: float) -> None:
    assert quality(accept, "application/json") == wanted


@pytest.mark.parametrize(("accept", "wanted"), [(None, 0.0), ("*/*", 0.0), ("application/jwt", 1.0)])
def test_without_wildcards_only_the_type_itself_counts(accept: str | None, wanted: float) -> None:
    assert quality(accept, "application/jwt", wildcards=False) == wanted
