"""The systemd unit that is printed."""

from pathlib import Path

from tests.cli.running import run
from tests.cli.serve.serving import write_project


def test_the_unit_runs_the_same_command_as_an_unprivileged_user(tmp_path: Path) -> None:
    config = write_project(tmp_path)

    done = run("serve", "-c", str(config), "--port", "80", "--processes", "2", "--print-unit", cwd=tmp_path)

    lines = done.stdout.splitlines()
    assert done.returncode == 0
    (command,) = [line for line in lines if line.startswith("ExecStart=")]
    assert command.endswith(f"-m edgeworker serve -c {config} --port 80 --processes 2 --log-format text")
    for line in ("Type=notify", "DynamicUser=yes", "NoNewPrivileges=yes"):
        assert line in lines
    assert "AmbientCapabilities=CAP_NET_BIND_SERVICE" in lines
    (reload,) = [line for line in lines if line.startswith("ExecReload=")]
    assert reload.endswith("-m edgeworker reload")


def test_a_port_above_1023_needs_no_right(tmp_path: Path) -> None:
    config = write_project(tmp_path)

    done = run("serve", "-c", str(config), "--port", "8080", "--print-unit", cwd=tmp_path)

    assert "CapabilityBoundingSet=" in done.stdout.splitlines()


def test_the_unit_has_every_option_that_was_given(tmp_path: Path) -> None:
    config = write_project(tmp_path)
    (tmp_path / "secrets.env").write_text("A=b\n")
    (tmp_path / "packages").mkdir()
    options = (
        "--var A:1 --var B:2 --js-engine embedded --workerd /opt/workerd --no-cron --no-publish --no-request-log "
        "--allow-private 10.0.0.1"
    )

    done = run(
        *("serve", "-c", str(config), "--env-file", "secrets.env", "--persist-to", "kept", *options.split()),
        *("--python-path", "packages"),
        "--print-unit",
        cwd=tmp_path,
    )

    (command,) = [line for line in done.stdout.splitlines() if line.startswith("ExecStart=")]
    files = (f"env-file {tmp_path / 'secrets.env'}", f"persist-to {tmp_path / 'kept'}")
    for part in (*options.split(" --"), *files, f"python-path {tmp_path / 'packages'}"):
        assert f"--{part.removeprefix('--')}" in command
    assert f"-m edgeworker reload --persist-to {tmp_path / 'kept'}\n" in done.stdout
    assert f"ReadWritePaths={tmp_path / 'kept'}" in done.stdout.splitlines()


def test_workerd_and_libraries_are_not_killed_for_a_system_call(tmp_path: Path) -> None:
    """V8 asks for pkey_alloc(2), which @system-service does not have; without an error number that is SIGSYS."""
    done = run("serve", "-c", str(write_project(tmp_path)), "--print-unit", cwd=tmp_path)

    lines = done.stdout.splitlines()
    assert [line for line in lines if line.startswith("SystemCall")] == [
        "SystemCallArchitectures=native",
        "SystemCallFilter=@system-service",
        "SystemCallFilter=@pkey",
        "SystemCallErrorNumber=EPERM",
    ]
    assert "MemoryDenyWriteExecute=yes" not in lines  # JavaScript is compiled to machine code


def test_the_service_is_never_given_up(tmp_path: Path) -> None:
    done = run("serve", "-c", str(write_project(tmp_path)), "--print-unit", cwd=tmp_path)

    unit, _, service = done.stdout.partition("[Service]")
    assert "StartLimitIntervalSec=0" in unit.splitlines()
    assert {"Restart=always", "RestartSec=1", "RestartSteps=5", "RestartMaxDelaySec=30"} <= set(service.splitlines())


def test_the_folders_of_a_service_that_has_run_are_named_as_at_first(tmp_path: Path) -> None:
    """systemd makes /var/lib/edgeworker a link into /var/lib/private for a DynamicUser=."""
    config = write_project(tmp_path)
    (tmp_path / "private").mkdir()
    (tmp_path / "kept").symlink_to("private")

    done = run(
        "serve", "-c", str(config), "--persist-to", "kept", "--access-log", "kept/a.log", "--print-unit", cwd=tmp_path
    )

    assert f"--persist-to {tmp_path / 'kept'} --access-log {tmp_path / 'kept/a.log'} " in done.stdout
    assert f"ReadWritePaths={tmp_path / 'kept'}\n" in done.stdout


def test_a_process_that_is_killed_for_its_memory_does_not_end_the_others(tmp_path: Path) -> None:
    """systemd's own OOMPolicy=stop ends the whole service."""
    done = run("serve", "-c", str(write_project(tmp_path)), "--print-unit", cwd=tmp_path)

    assert "OOMPolicy=continue" in done.stdout.splitlines()
