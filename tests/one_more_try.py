"""A pytest plugin for `poe check`: a test that failed may pass at a second try, but it is named, and few may.

Sixteen thousand tests with real sockets, processes and browsers meet a busy machine now and then, and one of them must
not hold back a release. A test that fails twice fails the run, and so do more than `MOST` that passed only at their
second try: that is no accident, it is a fault that shows itself sometimes. Loaded with `-p tests.one_more_try`, beside
`--reruns` of pytest-rerunfailures; a plain `pytest` tries nothing twice.
"""

from typing import Final

import pytest

MOST: Final = 3


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    if session.exitstatus == pytest.ExitCode.OK and len(_find_tried_again(session.config)) > MOST:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    tried_again = _find_tried_again(config)
    if not tried_again:
        return
    terminalreporter.section("failed at first: faults that show themselves sometimes, to be mended")
    for report in tried_again:
        terminalreporter.write_line(report.nodeid)
        terminalreporter.write_line(report.longreprtext)
    if len(tried_again) > MOST:
        terminalreporter.write_line(f"{len(tried_again)} tests, and at most {MOST} may: this run has failed.")


def _find_tried_again(config: pytest.Config) -> list[pytest.TestReport]:
    """One report for each test whose first try failed."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    return list(reporter.stats.get("rerun", ())) if isinstance(reporter, pytest.TerminalReporter) else []
