import json
import stat
import subprocess
from pathlib import Path

import pytest

from edgeworker.cli.oauth.secret_file import put_secret, read_secret, secret_file
from edgeworker.errors import ConfigError
from wrangler_compat import LoadOptions, load

VALUE = json.dumps({"keys": [{"kty": "EC", "d": "a-b_c"}]})


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    return tmp_path


def test_a_secret_is_put_beside_the_other_lines_which_stay_as_they_are(tmp_path: Path) -> None:
    file = tmp_path / ".dev.vars"
    file.write_text('# mine\nexport OTHER = "a b"  # note\n\nSIGNING_KEYS=old\nLAST=1')

    put_secret(file, "SIGNING_KEYS", VALUE)

    assert file.read_text() == f"# mine\nexport OTHER = \"a b\"  # note\n\nLAST=1\nSIGNING_KEYS='{VALUE}'\n"
    assert read_secret(file, "SIGNING_KEYS") == VALUE
    assert [path.name for path in tmp_path.iterdir()] == [".dev.vars"]


def test_the_edge_reads_what_was_put(tmp_path: Path) -> None:
    (tmp_path / "worker.py").write_text("")
    (tmp_path / "wrangler.toml").write_text('name = "w"\nmain = "worker.py"\ncompatibility_date = "2026-04-01"\n')
    put_secret(secret_file(tmp_path, None, {}), "SIGNING_KEYS", VALUE)

    config = load(LoadOptions(default_script=tmp_path / "worker.py", cwd=tmp_path)).require()
    (binding,) = config.workers[0].bindings

    assert (binding.name, getattr(binding, "text", None)) == ("SIGNING_KEYS", VALUE)


def test_only_the_owner_may_read_it_and_a_person_hears_that_others_could(tmp_path: Path) -> None:
    new, old = tmp_path / ".dev.vars", tmp_path / ".env"
    old.write_text("A=1\n")
    old.chmod(0o644)

    assert put_secret(new, "S", "1").warnings == ()
    assert "others could read" in put_secret(old, "S", "1").warnings[0]
    assert [stat.S_IMODE(file.stat().st_mode) for file in (new, old)] == [0o600, 0o600]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text("A=1\n")
    (tmp_path / ".dev.vars").symlink_to("elsewhere")

    put_secret(tmp_path / ".dev.vars", "S", "2")

    assert (tmp_path / ".dev.vars").is_symlink()
    assert (tmp_path / "elsewhere").read_text() == "A=1\nS='2'\n"


def test_a_file_that_git_keeps_is_refused_and_left_alone(repository: Path) -> None:
    file = repository / ".dev.vars"
    file.write_text("A=1\n")
    subprocess.run(["git", "-C", str(repository), "add", "-f", ".dev.vars"], check=True)

    with pytest.raises(ConfigError, match=r"git keeps this file.*git rm --cached \.dev\.vars"):
        put_secret(file, "S", "1")
    assert file.read_text() == "A=1\n"


def test_a_file_that_git_does_not_ignore_is_told(repository: Path) -> None:
    assert "put .dev.vars into .gitignore" in put_secret(repository / ".dev.vars", "S", "1").warnings[0]

    (repository / ".gitignore").write_text(".dev.vars\n")
    assert put_secret(repository / ".dev.vars", "S", "1").warnings == ()


def test_lines_that_set_nothing_and_an_unclosed_quote_stay_as_they_are(tmp_path: Path) -> None:
    file = tmp_path / ".dev.vars"
    file.write_text("A=1\nnot an assignment\n")
    put_secret(file, "S", "1")
    assert file.read_text() == "A=1\nnot an assignment\nS='1'\n"

    file.write_text("A=1\nB='unclosed\\\n")
    put_secret(file, "S", "1")
    assert read_secret(file, "S") == "1"


def test_a_value_with_a_dollar_is_read_back_from_both_kinds_of_file(tmp_path: Path) -> None:
    for name in (".dev.vars", ".env"):
        put_secret(tmp_path / name, "S", "a$HOME ${x} \\n")

        assert read_secret(tmp_path / name, "S") == "a$HOME ${x} \\n"


def test_a_file_in_which_the_new_line_would_not_be_read_is_refused(tmp_path: Path) -> None:
    file = tmp_path / ".dev.vars"
    file.write_text("A='x\n#")

    with pytest.raises(ConfigError) as told:
        put_secret(file, "S", " # x")

    assert str(told.value).endswith(
        ":2: a quote here or above is not closed, so a line added below would not be read; write KEY='a value'"
    )


@pytest.mark.parametrize(
    ("there", "env", "environ", "chosen"),
    [
        ((), None, {}, ".dev.vars"),
        ((), "staging", {}, ".dev.vars"),
        ((".dev.vars", ".env"), None, {}, ".dev.vars"),
        ((".dev.vars", ".dev.vars.staging"), "staging", {}, ".dev.vars.staging"),
        ((".env",), None, {}, ".env"),
        ((".env", ".env.local"), None, {}, ".env.local"),
        ((".env", ".env.staging"), "staging", {}, ".env.staging"),
        ((".env",), None, {"CLOUDFLARE_LOAD_DEV_VARS_FROM_DOT_ENV": "false"}, ".dev.vars"),
    ],
)
def test_it_is_the_file_that_dev_reads(
    tmp_path: Path, there: tuple[str, ...], env: str | None, environ: dict[str, str], chosen: str
) -> None:
    for name in there:
        (tmp_path / name).write_text("A=1\n")

    assert secret_file(tmp_path, env, environ) == tmp_path / chosen


def test_a_file_that_is_missing_has_no_secret(tmp_path: Path) -> None:
    assert read_secret(tmp_path / ".dev.vars", "SIGNING_KEYS") is None
