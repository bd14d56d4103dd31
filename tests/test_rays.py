"""Ray ids."""

import os
import subprocess
import sys

import pytest

from edgeworker.rays import new_ray, parse_ray


def test_a_new_ray_is_read_back() -> None:
    ray = new_ray()

    assert parse_ray(ray) == ray


def test_no_ray_comes_twice() -> None:
    made = [new_ray() for _ in range(2000)]

    assert len(set(made)) == len(made)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are forked here")
def test_two_processes_have_different_rays() -> None:
    program = (
        "import os; from edgeworker.rays import new_ray; new_ray(); child = os.fork(); "
        "os.write(1, ''.join(f'{new_ray()}\\n' for _ in range(20)).encode()); child and os.waitpid(child, 0)"
    )

    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()

    assert len(said) == len(set(said)) == 40


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
