"""Prints what an edge does under each fault: `python -m tests.faults [NAME...]`, in a few minutes.

Exits 1 if an acknowledged write was lost, an answer of 200 was not true, or the edge did not recover in time.
"""

import sys
import tempfile
from pathlib import Path

from tests.faults import network, storage

FAULTS = {
    "disk-full": storage.disk_full,
    "eio-read": storage.reading_fails,
    "eio-fsync": storage.fsync_fails,
    "emfile": storage.descriptors_used_up,
    "clock-forward": storage.clock_forward,
    "clock-back": storage.clock_back,
    "locked": storage.database_locked,
    "child-killed": storage.child_killed,
    "silent-origin": network.silent_origin,
    "half-closed-origin": network.half_closed_origin,
    "length-too-long": network.length_too_long,
    "length-too-short": network.length_too_short,
    "dns-gone": network.dns_gone,
    "origin-certificate-expired": network.origin_certificate_expired,
    "certificate-expired": network.certificate_expired,
}


def main() -> int:
    names = sys.argv[1:] or list(FAULTS)
    failed = 0
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder)
            outcome = FAULTS[name](place)
        is_bad = bool(outcome.wrong) or outcome.recovered > storage.RECOVERS_WITHIN_SECONDS
        failed += is_bad
        answers = ", ".join(f"{what} x{count}" for what, count in sorted(outcome.answers.items()))
        print(f"{'BAD ' if is_bad else 'ok  '} {outcome.fault}")
        print(f"     answers:    {answers}")
        print(f"     writes:     {outcome.acknowledged} acknowledged, {len(outcome.wrong)} lost or wrong answers")
        print(
            f"     recovered:  {outcome.recovered:.1f} s after its end; {outcome.pages_without_ray} pages without a ray"
        )
        for text, count in outcome.said.items():
            print(f"     said x{count}:   {text[:160]}")
        for text in outcome.wrong[:5]:
            print(f"     WRONG:      {text}")
        sys.stdout.flush()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
