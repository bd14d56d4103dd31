import pytest

from edgeworker.assets.content_types import content_type


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.html", "text/html; charset=utf-8"),
        ("a.JSON", "application/json"),
        ("a.tar.gz", "application/gzip"),
        ("a.unknown", None),
        ("png", None),
        (".json", None),
        ("a.", None),
    ],
)
def test_the_type_is_what_the_ending_says(name: str, kind: str | None) -> None:
    assert content_type(name) == kind
