"""What `edgeworker dev` says about the files that secrets come from."""

from pathlib import Path

from tests.cli.running import dev


def test_the_files_that_secrets_come_from_are_named_at_the_start_and_not_at_each_save(tmp_path: Path) -> None:
    config = tmp_path / "wrangler.toml"
    config.write_text('name = "w"\nmain = "worker.py"\ncompatibility_date = "2026-11-01"\n')
    (tmp_path / "worker.py").write_text("async def on_fetch(request): ...\n")
    (tmp_path / ".dev.vars").write_text("A: hidden-value\n")

    with dev(cwd=tmp_path) as edge:
        edge.wait_for("Using secrets defined in .dev.vars")
        config.write_text(config.read_text() + "# saved\n")
        edge.wait_for("reloaded")

    said = edge.everything()
    assert said.count("Using secrets") == 1
    # Nothing else that loading says is said again either.
    assert said.count("is required to use Python") == 1
    assert said.count("Cloudflare does not call on_fetch") == 1
    assert "hidden-value" not in said
