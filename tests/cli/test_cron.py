"""`edgeworker cron`, and `dev --cron`, as a person meets them."""

import json
import re
from pathlib import Path

from tests.cli.running import dev, run

SCRIPT = """\
from workers import Response, WorkerEntrypoint


class Default(WorkerEntrypoint):
    seen = []

    async def scheduled(self, controller):
        self.seen.append([controller.cron, controller.scheduledTime])
        if controller.cron == "fail":
            raise ValueError("inner detail")

    async def fetch(self):
        return Response.json(self.seen)
"""


def _project(folder: Path, crons: list[str], script: str = SCRIPT) -> Path:
    (folder / "worker.py").write_text(script)
    (folder / "wrangler.toml").write_text(
        'name = "w"\nmain = "worker.py"\ncompatibility_date = "2026-04-01"\n'
        f'compatibility_flags = ["python_workers"]\n[triggers]\ncrons = {json.dumps(crons)}\n'
    )
    return folder


def test_a_trigger_of_a_running_edge_is_fired(tmp_path: Path) -> None:
    with dev(cwd=_project(tmp_path, ["*/5 * * * *"])) as edge:
        fired = run("cron", "trigger", "*/5 * * * *", "--time", "1745856238000", "--url", edge.url, cwd=tmp_path)
        failed = run("cron", "trigger", "fail", "--worker", "w", "--url", f"{edge.url}/", cwd=tmp_path)
        unknown = run("cron", "trigger", "--worker", "nosuch", "--url", edge.url, cwd=tmp_path)
        seen = json.loads(edge.get("localhost").text)
        edge.wait_for("inner detail")

    assert (fired.returncode, fired.stdout) == (0, "ok: the handler ended\n")
    assert (failed.returncode, failed.stdout) == (
        1,
        "FAILED: the handler raised an exception; the edge's log has it\n",
    )
    assert (unknown.returncode, unknown.stdout) == (1, 'FAILED: 404: There is no worker "nosuch" here; there are: w.\n')
    assert seen[0] == ["*/5 * * * *", 1745856238000]
    assert seen[1][0] == "fail"


def test_a_worker_without_a_handler_is_told_what_to_write(tmp_path: Path) -> None:
    script = SCRIPT.replace("scheduled", "other")

    with dev(cwd=_project(tmp_path, [], script)) as edge:
        said = run("cron", "trigger", "--url", edge.url, cwd=tmp_path)

    assert said.returncode == 1
    assert "`async def scheduled(self, controller)`" in said.stdout


def test_an_edge_that_does_not_run_is_said_so(tmp_path: Path) -> None:
    said = run("cron", "trigger", "--url", "http://127.0.0.1:1", cwd=tmp_path)
    wrong = run("cron", "trigger", "--url", "nonsense", cwd=tmp_path)

    assert said.returncode == 1
    assert "refused the connection" in said.stderr
    assert "`edgeworker dev` must run there" in said.stderr
    assert (wrong.returncode, "is not a URL" in wrong.stderr) == (1, True)


def test_the_next_times_are_shown(tmp_path: Path) -> None:
    project = _project(tmp_path, ["*/15 * * * *", "0 0 30 2 *"])

    shown = run("cron", "next", cwd=project)
    as_json = run("cron", "next", "--json", cwd=project)

    assert re.search(r"^ +\*/15 \* \* \* \* +w +\w{3} \d{4}-\d\d-\d\d \d\d:(00|15|30|45) +\d+ min$", shown.stdout, re.M)
    assert '"0 0 30 2 *" of worker w never fires' in shown.stdout
    (due,) = json.loads(as_json.stdout)
    assert (due["worker"], due["cron"]) == ("w", "*/15 * * * *")
    assert due["at"].endswith("+00:00")


def test_without_triggers_it_says_where_they_are_written(tmp_path: Path) -> None:
    said = run("cron", "next", cwd=_project(tmp_path, []))

    assert said.returncode == 0
    assert "crons = [...]" in said.stdout


def test_a_trigger_that_is_none_is_an_error_of_the_configuration(tmp_path: Path) -> None:
    said = run("check", cwd=_project(tmp_path, ["* * * * 0"]))

    assert said.returncode == 1
    assert 'triggers.crons[0]: "* * * * 0": day of the week "0": 0 is not from 1 to 7; Sunday is 1' in said.stderr


def test_dev_fires_triggers_when_asked(tmp_path: Path) -> None:
    # The machine's clock cannot be moved here, and a minute is too long for a test: that it is begun is seen by what
    # it says; tests/cron has the rest.
    with dev("--cron", cwd=_project(tmp_path, ["* * * * *"])) as edge:
        said = edge.wait_for("cron triggers")

    assert "fire at their times" in said
