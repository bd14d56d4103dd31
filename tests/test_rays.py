"""Ray ids."""

import pytest

from edgeworker.rays import new_ray, parse_ray


def test_a_new_ray_is_read_back() -> None:
    ray = new_ray()

    assert parse_ray(ray) == ray


@pytest.mark.parametrize(
    ("text", "ray"),
    [
        ("8f2a61c09b7d4e35", "8f2a61c09b7d4e35-LOC"),
        (" 8F2A61C09B7D4E35-loc\n", "8f2a61c09b7d4e35-LOC"),
        ("8f2a61c09b7d4e35-FRA", "8f2a61c09b7d4e35-LOC"),
        ("8f2a", None),
        ("../../etc/passwd", None),
        ("", None),
    ],
)
def test_a_ray_is_read_as_a_person_writes_it(text: str, ray: str | None) -> None:
    assert parse_ray(text) == ray
