"""`Edge` from files."""

import os
from pathlib import Path

import pytest

from edgeworker.bindings import KVBinding, TextBinding
from edgeworker.errors import ConfigError
from edgeworker.testing import Edge, single_worker
from edgeworker.testing.edge import made, read

SCRIPT = """
from workers import Response, WorkerEntrypoint


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        return Response(f"{self.env.NAME} {self.env.NUMBER}")
"""


def _wrangler(folder: Path, name: str = "shop", text: str = "file") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "worker.py").write_text(SCRIPT)
    file = folder / "wrangler.toml"
    file.write_text(
        f'name = "{name}"\nmain = "worker.py"\ncompatibility_date = "2026-04-01"\n'
        'compatibility_flags = ["python_workers"]\n'
        f'routes = ["{name}.example.com/*"]\n[vars]\nNAME = "{text}"\nNUMBER = 1\n'
    )
    return file


def test_a_file_a_folder_and_the_current_folder_say_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = _wrangler(tmp_path)
    monkeypatch.chdir(tmp_path)

    for source in (file, str(file), tmp_path, None):
        with Edge(source) as edge:
            assert edge.get("/").text == "file 1"


def test_variables_win_over_the_file(tmp_path: Path) -> None:
    with Edge(_wrangler(tmp_path), variables={"NAME": "test", "NUMBER": [2]}) as edge:
        assert edge.get("/").text == "test 2"  # an array of JavaScript


def test_several_workers_make_one_edge(tmp_path: Path) -> None:
    with Edge([_wrangler(tmp_path / "a", "a", "A"), _wrangler(tmp_path / "b", "b", "B")]) as edge:
        assert edge.get("https://a.example.com/").text == "A 1"
        assert edge.get("https://b.example.com/").text == "B 1"


def test_an_edge_toml_says_what_a_dashboard_holds(tmp_path: Path) -> None:
    _wrangler(tmp_path / "a", "a", "A")
    file = tmp_path / "edge.toml"
    file.write_text(
        '[[workers]]\nconfig = "a/wrangler.toml"\n[[zones]]\nname = "example.com"\norigin = "http://10.0.0.1"\n'
    )

    with Edge(file) as edge:
        assert edge.get("https://a.example.com/").text == "A 1"
        assert edge.get("https://www.example.com/").text == "origin\n"
        assert edge.origin.requests[0].base == "http://10.0.0.1"


def test_a_file_is_read_once_and_again_when_it_has_changed(tmp_path: Path) -> None:
    file = _wrangler(tmp_path)
    first = read(file)
    assert read(file) is first

    _wrangler(tmp_path, text="changed")
    os.utime(file, (1, 1))
    with Edge(file) as edge:
        assert edge.get("/").text == "changed 1"


def test_all_errors_of_a_file_are_told(tmp_path: Path) -> None:
    file = _wrangler(tmp_path)
    file.write_text('name = 3\nmain = "worker.py"\nroutes = 7\n')

    with pytest.raises(ConfigError, match=r'(?s)"name".*route'):
        Edge(file)


def test_a_worker_of_python_values_has_the_bindings_that_were_named(tmp_path: Path) -> None:
    _wrangler(tmp_path)

    config = single_worker(tmp_path / "worker.py", kv=["A"], variables={"NAME": "x", "NUMBER": 3}, secrets={"S": "s"})

    assert config.workers[0].bindings[:2] == (KVBinding("A", "A"), TextBinding("NAME", "x"))
    with Edge(config) as edge:
        assert edge.get("/").text == "x 3"
        assert edge in made
