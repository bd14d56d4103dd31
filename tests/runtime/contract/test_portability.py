"""What a script is held to, by its date, its flags and the edge's leniency."""

import pytest

from edgeworker.config import Worker
from edgeworker.runtime.contract.portability import (
    SILENT,
    Portability,
    Release,
    find_deployed_release,
    find_first_date,
)


@pytest.mark.parametrize(
    ("date", "flags", "lenient", "held_to"),
    [
        (None, (), False, SILENT),
        (None, (), True, SILENT),
        ("2025-09-28", ("python_workers",), False, Portability(is_strict=True, is_silent=False)),
        ("2025-09-29", (), False, Portability(is_strict=True, is_silent=False, has_jsnull=True)),
        (
            "2025-01-01",
            ("python_workers_20250116",),
            False,
            Portability(is_strict=True, is_silent=False, has_jsnull=True),
        ),
        ("2026-01-01", ("no_python_workers_20250116",), False, Portability(is_strict=True, is_silent=False)),
        (
            None,
            ("python_workers", "python_workers_20260610"),
            False,
            Portability(is_strict=True, is_silent=False, has_jsnull=True),
        ),
        ("2026-01-01", ("python_workers",), True, Portability(is_silent=False)),
    ],
)
def test_what_a_script_is_held_to(
    date: str | None, flags: tuple[str, ...], lenient: bool, held_to: Portability
) -> None:
    worker = Worker("w", None, compatibility_date=date, compatibility_flags=flags)

    assert Portability.of_worker(worker, lenient=lenient) == held_to


@pytest.mark.parametrize(
    ("date", "flags", "release"),
    [
        (None, (), (3, 12)),
        ("2025-09-28", ("python_workers",), (3, 12)),
        ("2025-09-29", ("python_workers",), (3, 13)),
        ("2026-09-07", ("python_workers",), (3, 13)),
        ("2026-09-08", ("python_workers",), (3, 14)),
        ("2025-01-01", ("python_workers_20250116",), (3, 13)),
        ("2025-01-01", ("python_workers_314",), (3, 14)),
        ("2025-01-01", ("python_workers_20260610",), (3, 14)),
        ("2026-10-01", ("no_python_workers_314",), (3, 13)),
        ("2026-10-01", ("no_python_workers_20260610",), (3, 13)),
        ("2026-10-01", ("no_python_workers_314", "no_python_workers_20250116"), (3, 12)),
    ],
)
def test_the_python_that_cloudflare_runs_a_worker_on(
    date: str | None, flags: tuple[str, ...], release: Release
) -> None:
    assert find_deployed_release(Worker("w", None, compatibility_date=date, compatibility_flags=flags)) == release


def test_a_python_is_deployed_from_a_date_on() -> None:
    assert find_first_date((3, 12)) is None
    assert find_first_date((3, 13)) == "2025-09-29"
    assert find_first_date((3, 14)) == "2026-09-08"
    assert find_first_date((3, 15)) is None
