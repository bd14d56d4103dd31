"""What an operator would regret about Access."""

from dataclasses import replace

import pytest

from edgeworker.cli.production.access import audit_access
from edgeworker.config import Config
from edgeworker.products.access.config import AccessConfig

GOOD = AccessConfig("acme", "https://login.example.com")


@pytest.mark.parametrize(
    ("access", "found"),
    [
        (GOOD, []),
        (replace(GOOD, local_login=True), [("error", "access-local-login")]),
        (replace(GOOD, issuer="http://login.example.com"), [("warning", "access-plain-http")]),
        (replace(GOOD, issuer=""), [("warning", "access-plain-http")]),
    ],
)
def test_what_lets_others_log_in_is_told(access: AccessConfig, found: list[tuple[str, str]]) -> None:
    findings = audit_access(Config(products=(access,)))

    assert [(finding.severity, finding.rule) for finding in findings] == found


def test_an_edge_without_access_has_nothing_to_regret() -> None:
    assert list(audit_access(Config())) == []
