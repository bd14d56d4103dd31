"""H28: a configuration made to do harm is a clear error in no time, and takes nothing from where it was not told to."""

import os
from pathlib import Path

import pytest

from edgeworker.bindings import TextBinding
from wrangler_compat import LoadOptions, load
from wrangler_compat.document import MAX_BYTES

BASE = 'name = "w"\nmain = "worker.py"\ncompatibility_date = "2026-01-01"\ncompatibility_flags = ["python_workers"]\n'


def errors(folder: Path, *, config: str = "wrangler.toml", edge: str | None = None) -> list[str]:
    folder.joinpath("worker.py").touch()
    loaded = load(
        LoadOptions(
            default_script=folder / "worker.py",
            cwd=folder,
            configs=(Path(config),),
            edge=None if edge is None else Path(edge),
        )
    )
    return [message.text for message in loaded.diagnostics.walk() if message.level == "error"]


@pytest.mark.parametrize("name", ["wrangler.toml", "wrangler.json"])
def test_h28_a_huge_file_is_not_read_to_its_end(tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    with file.open("wb") as stream:
        stream.truncate(1 << 40)  # a hole: it takes no room on the disk, and a terabyte of memory

    assert errors(tmp_path, config=name) == [f"{name} cannot be read: it is larger than {MAX_BYTES} bytes."]


def test_h28_a_huge_edge_toml_or_secret_file_is_not_read_either(tmp_path: Path) -> None:
    tmp_path.joinpath("wrangler.toml").write_text(BASE)
    for name in ("edge.toml", ".dev.vars"):
        with tmp_path.joinpath(name).open("wb") as stream:
            stream.truncate(1 << 40)

    assert errors(tmp_path, edge="edge.toml") == [
        f"{name} cannot be read: it is larger than {MAX_BYTES} bytes." for name in ("edge.toml", ".dev.vars")
    ]


@pytest.mark.skipif(os.name != "posix", reason="there are no such files")
def test_h28_what_never_ends_or_never_begins_is_not_a_configuration(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.toml")

    for name in ("pipe.toml", "/dev/zero"):
        (error,) = errors(tmp_path, config=name)
        assert error.endswith(" cannot be read: it is not a regular file.")


@pytest.mark.parametrize(
    ("name", "text", "error"),
    [
        ("wrangler.toml", BASE + "a = " + "[" * 100_000 + "]" * 100_000, "Nested deeper than 100 levels"),
        ("wrangler.json", '{"a": ' + "[" * 100_000 + "]" * 100_000 + "}", "Nested deeper than 100 levels"),
        ("wrangler.json", '{"a": ' * 100_000 + "}" * 100_000, "Nested deeper than 100 levels"),
        ("wrangler.toml", BASE + "a = " + "9" * 100_000, "A number has too many digits"),
        ("wrangler.toml", BASE + "a = 0x" + "f" * 100_000, "more than JavaScript's numbers hold"),
        ("wrangler.toml", BASE + ".".join("a" * 100_000) + " = 1", "Nested deeper than 100 levels"),
        ("wrangler.json", '{"a": ' + "9" * 100_000 + "}", "A number has too many digits"),
        ("wrangler.toml", BASE + 'a = "\0"\n', "Illegal character"),
        ("wrangler.toml", BASE + BASE, "stands here for the second time"),
    ],
)
def test_h28_what_no_program_should_choke_on_is_a_clear_error(tmp_path: Path, name: str, text: str, error: str) -> None:
    tmp_path.joinpath(name).write_text(text)

    found = errors(tmp_path, config=name)

    assert len(found) == 1
    assert error in found[0]
    assert "Traceback" not in found[0]


@pytest.mark.parametrize(
    "text", ["${SECRET}", "$SECRET", "{{ env.SECRET }}", "%SECRET%", "$(id)", "`id`", "${SECRET:-x}", "!ENV SECRET"]
)
def test_h28_nothing_of_the_environment_gets_into_a_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv("SECRET", "hunter2")
    tmp_path.joinpath("worker.py").touch()
    tmp_path.joinpath("wrangler.toml").write_text(BASE + f"[vars]\nX = '{text}'\n")

    loaded = load(LoadOptions(default_script=tmp_path / "worker.py", cwd=tmp_path, environ=dict(os.environ)))

    (worker,) = loaded.require().workers
    assert worker.bindings == (TextBinding("X", text),)


@pytest.mark.parametrize(
    ("main", "error"),
    [
        ("/etc/passwd", "is not a script that runs here"),
        ("../../../../../../../../etc/passwd", "is not a script that runs here"),
        ("worker.py/../../../../../../etc/passwd", "was not found"),
        ("/dev/zero", "was not found"),
        (".", "(it is a folder)"),
        ("worker.py\\u0000", "was not found"),
        ("http://evil.example/worker.py", "was not found"),
        ("\\\\evil\\\\share\\\\worker.py", "was not found"),
    ],
)
def test_h28_a_script_is_a_file_of_this_machine_with_a_known_ending(tmp_path: Path, main: str, error: str) -> None:
    tmp_path.joinpath("wrangler.toml").write_text(BASE.replace("worker.py", main))

    found = errors(tmp_path)

    assert len(found) == 1
    assert error in found[0]


def test_h28_variables_that_refer_to_each_other_do_not_fill_the_memory(tmp_path: Path) -> None:
    tmp_path.joinpath("wrangler.toml").write_text(BASE)
    doubling = [f"A{number}=${{A{number - 1}}}${{A{number - 1}}}\n" for number in range(1, 60)]
    tmp_path.joinpath(".env").write_text("A0=hunter2\n" + "".join(doubling))

    assert errors(tmp_path) == ["The references to other variables make more than 1048576 characters."]
