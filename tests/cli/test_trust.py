from pathlib import Path

from edgeworker.cli import trust


def test_a_path_with_spaces_can_be_pasted_into_a_shell() -> None:
    lines = [line for _, lines in trust.steps(Path("/home/a b/ca.pem")) for line in lines if "ca.pem" in line]

    assert lines
    assert all("'/home/a b/ca.pem'" in line for line in lines)
