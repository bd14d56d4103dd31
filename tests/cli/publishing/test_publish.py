"""`publish`, `rollback` and `versions` against an edge of `serve`, as a developer and an operator use them."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.cli.running import environment, run
from tests.cli.serve.serving import Served, serve, write_project
from tests.cli.serve.test_session import Load


def publish(
    served: Served, folder: Path, *arguments: str, command: str = "publish"
) -> "subprocess.CompletedProcess[str]":
    place = ("--api-url", served.urls["api"], "--persist-to", str(folder.parent / "edge" / ".edgeworker"))
    return run(command, *arguments, *place, cwd=folder)


@pytest.fixture
def edge(tmp_path: Path) -> Path:
    """The operator's folder: an edge whose configuration has the worker "w"."""
    folder = tmp_path / "edge"
    folder.mkdir()
    write_project(folder, "files")
    return folder


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The developer's folder, with the same worker."""
    folder = tmp_path / "project"
    folder.mkdir()
    write_project(folder, "v1")
    return folder


@pytest.mark.parametrize("processes", [1, 2])
def test_publishing_under_load_loses_no_request_and_is_undone_step_by_step(
    edge: Path, project: Path, processes: int
) -> None:
    with serve("-c", "wrangler.toml", "--processes", str(processes), cwd=edge) as served:
        with Load(served) as load:
            load.wait_for("files")
            for number in (1, 2, 3):
                write_project(project, f"v{number}")
                done = publish(served, project, "-m", f"change {number}")
                assert done.returncode == 0, done.stderr
                assert f"w: version {number} is served ({processes} of {processes} processes)" in done.stdout
                assert served.get().text.startswith(f"v{number} ")
            (project / "worker.py").write_text("def broken(:\n")
            refused = publish(served, project)
            assert refused.returncode == 1
            assert "w was not changed, because with version 4 the edge would not run" in refused.stderr
            assert "worker.py, line 1: SyntaxError" in refused.stderr
            assert str(edge) not in refused.stderr, "files are called as their author calls them"
            assert served.get().text.startswith("v3 ")
            assert "version 2 is served" in publish(served, project, "w", command="rollback").stdout
            assert served.get().text.startswith("v2 ")
            publish(served, project, "w", "--to", "1", command="rollback")
            assert served.get().text.startswith("v1 ")
        assert load.failures == []
        listed = publish(served, project, "w", command="versions").stdout.splitlines()
        assert listed[0].startswith("w: version 1 since 20")
        assert listed[0].endswith("Z, by edgeworker"), "the rollback, which has no message"
        assert [line.split()[:2] for line in listed[2:]] == [
            ["3", listed[2].split()[1]],
            ["2", listed[3].split()[1]],
            ["1", "served"],
        ]
        assert served.stop() == 0

    # What was published outlives the edge, until it is withdrawn.
    with serve("-c", "wrangler.toml", cwd=edge) as served:
        assert served.get().text.startswith("v1 ")
        assert '"serving w, version 1 with' in "".join(served.said)
        back = publish(served, project, "w", "--to", "files", command="rollback")
        assert "the worker of the configuration files is served" in back.stdout
        assert served.get().text.startswith("files ")
        assert served.stop() == 0


def test_a_new_worker_brings_its_routes_and_one_in_the_way_of_another_is_refused(edge: Path, project: Path) -> None:
    config = project / "wrangler.toml"
    with serve("-c", "wrangler.toml", cwd=edge) as served:
        config.write_text(config.read_text().replace('"w"', '"other"'))
        clash = publish(served, project)
        assert clash.returncode == 1
        assert "example.com/*" in clash.stderr
        config.write_text(config.read_text().replace("example.com/*", "other.test/*"))
        assert publish(served, project).returncode == 0

        assert served.get(host="other.test").text.startswith("v1 ")
        assert served.get().text.startswith("files ")
        assert publish(served, project, "other", "--to", "files", command="rollback").returncode == 0
        assert served.get(host="other.test").status == 530


def test_secrets_are_those_of_the_edge_and_never_leave_the_developers_machine(edge: Path, project: Path) -> None:
    (edge / ".dev.vars").write_text("SECRET=of-the-edge\n")
    (project / ".dev.vars").write_text("SECRET=of-the-developer\n")
    (project / "worker.py").write_text(
        "from workers import Response, WorkerEntrypoint\nclass Default(WorkerEntrypoint):\n"
        "    async def fetch(self, request):\n        return Response(self.env.SECRET)\n"
    )
    with serve("-c", "wrangler.toml", cwd=edge) as served:
        done = publish(served, project)
        assert done.returncode == 0, done.stderr

        assert served.get().text == "of-the-edge"
    kept = b"".join(file.read_bytes() for file in (edge / ".edgeworker" / "workers").rglob("*") if file.is_file())
    assert b"of-the-developer" not in kept


@pytest.mark.parametrize("processes", [1, 2])
def test_what_a_version_lacks_where_it_is_served_is_told_to_its_publisher(
    edge: Path, project: Path, processes: int
) -> None:
    (project / "wrangler.toml").write_text(
        (project / "wrangler.toml").read_text() + '[[services]]\nbinding = "S"\nservice = "absent"\n'
        '[secrets]\nrequired = ["API_KEY"]\n'
    )
    with serve("-c", "wrangler.toml", "--processes", str(processes), cwd=edge) as served:
        done = publish(served, project)
    said = " ".join((done.stdout + done.stderr).split())

    assert done.returncode == 0
    assert "Missing required secrets: API_KEY" in said
    assert "(at wrangler.toml:" in said
    assert 'The worker "w" has the service "absent" as env.S, but no such worker runs here' in said


@pytest.mark.parametrize("processes", [1, 2])
@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("import os; os._exit(0)", "os._exit(0)"),
        # Functions of os are kept from a script; these end the process itself, as a fault in C would.
        ("import posix; posix._exit(0)", "its process was ended with status 0 while it was loaded"),
        ("import posix; posix.kill(posix.getpid(), 9)", "its process was ended by SIGKILL while it was loaded"),
        ("import sys; sys.exit(0)", "sys.exit"),
    ],
)
def test_a_script_that_ends_its_process_is_not_served(
    edge: Path, project: Path, processes: int, line: str, said: str
) -> None:
    (project / "worker.py").write_text(f"{line}\n{(project / 'worker.py').read_text()}")
    with serve("-c", "wrangler.toml", "--processes", str(processes), cwd=edge) as served:
        refused = publish(served, project)

        assert refused.returncode == 1
        assert said in refused.stderr
        assert '"event"' not in refused.stderr, "the log of the edge may be JSON, what its publisher reads is text"
        assert served.get().text.startswith("files ")


def test_what_loads_for_ever_changes_nothing_and_a_name_is_the_projects_own(edge: Path, project: Path) -> None:
    with serve("-c", "wrangler.toml", "--no-publish", cwd=edge) as served:
        refused = publish(served, project)

        assert refused.returncode == 1
        assert "started with --no-publish" in refused.stderr


def test_a_backup_carries_what_was_published(edge: Path, project: Path, tmp_path: Path) -> None:
    with serve("-c", "wrangler.toml", cwd=edge) as served:
        assert publish(served, project).returncode == 0
        run("kv", "backup", str(tmp_path / "kept.sqlite"), cwd=edge)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    write_project(elsewhere, "files")

    restored = run("kv", "restore", str(tmp_path / "kept.sqlite"), cwd=elsewhere)

    assert "workers/index.json" in restored.stdout + restored.stderr
    with serve("-c", "wrangler.toml", cwd=elsewhere) as served:
        assert served.get().text.startswith("v1 ")


def test_a_bundled_javascript_worker_needs_no_bundler_where_it_is_served(edge: Path, project: Path) -> None:
    tools = Path(os.environ.get("EDGEWORKER_NODE_TOOLS", "")) / "node_modules"
    if not (tools / "esbuild").is_dir():
        pytest.skip("esbuild is not there (EDGEWORKER_NODE_TOOLS)")
    pytest.importorskip("quickjs", reason="the embedded JavaScript engine is not there")
    (project / "node_modules").symlink_to(tools)
    (project / "text.txt").write_text("from a file")
    (project / "part.ts").write_text("export const part: string = 'typescript';\n")
    (project / "worker.ts").write_text(
        "import text from './text.txt';\nimport { part } from './part';\n"
        "export default { fetch(request: Request): Response {\n"
        "  if (request.url.endsWith('/throw')) throw new Error('thrown in a test');\n"
        "  return new Response(`${part} ${text}`);\n} };\n"
    )
    (project / "wrangler.toml").write_text(
        'name = "w"\nmain = "worker.ts"\ncompatibility_date = "2026-11-01"\nroutes = ["example.com/*"]\n'
    )
    dry = run("publish", "--dry-run", cwd=project)
    assert [line.strip() for line in dry.stdout.splitlines()[1:]][-1] == "wrangler.json"
    assert "node_modules" not in dry.stdout

    with serve("-c", "wrangler.toml", "--js-engine", "embedded", cwd=edge) as served:
        done = publish(served, project)
        assert done.returncode == 0, done.stderr
        assert served.get().text == "typescript from a file"
        assert served.get("/throw").status == 500
        assert "worker.ts:4:" in served.wait_for("thrown in a test")


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("publish", "-c", "nothing.toml"), "-c nothing.toml: there is no such file"),
        (("publish",), "there is no wrangler.toml, .json or .jsonc here: name the worker's with -c FILE"),
        (
            ("versions",),
            "there is no API token: give --api-token, set EDGEWORKER_API_TOKEN, or name the data directory",
        ),
        (("rollback", "w", "--to", "x"), '"x" is not the number of a version, such as 3, and not "files"'),
    ],
)
def test_a_mistake_says_what_would_be_right(tmp_path: Path, arguments: tuple[str, ...], error: str) -> None:
    done = run(*arguments, cwd=tmp_path)

    assert done.returncode != 0
    assert error in " ".join(done.stderr.split())


def test_a_message_has_one_line_and_main_lies_in_the_folder(project: Path) -> None:
    env = {**environment(), "EDGEWORKER_API_TOKEN": "t"}
    assert "--message must be one line of text" in run("publish", "-m", "a\nb", cwd=project, env=env).stderr
    inner = project / "inner"
    inner.mkdir()
    (inner / "wrangler.toml").write_text((project / "wrangler.toml").read_text().replace("worker.py", "../worker.py"))

    refused = run("publish", cwd=inner, env=env)

    assert '"main" is' in refused.stderr
    assert "only the folder of the wrangler file is published" in refused.stderr


def test_the_list_is_json_where_it_is_wanted(edge: Path, project: Path) -> None:
    with serve("-c", "wrangler.toml", cwd=edge) as served:
        assert "nothing was published to this edge" in publish(served, project, command="versions").stdout
        assert publish(served, project, "--json", command="versions").stdout == "[]\n"
        publish(served, project, "-m", "first")

        [worker] = json.loads(publish(served, project, "--json", command="versions").stdout)
    assert worker["deployed"]["message"] == "first"
