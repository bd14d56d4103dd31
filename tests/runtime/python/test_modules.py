import importlib
import sys
import threading
from pathlib import Path

import pytest

from edgeworker.runtime.python.modules import Modules, Shims
from tests.runtime.stage import IMPORTS, Stage


async def test_two_workers_may_each_have_a_module_of_the_same_name(stage: Stage) -> None:
    for name in ("a", "b"):
        source = IMPORTS + (
            "import util\n"
            "class Default(WorkerEntrypoint):\n"
            "    async def fetch(self, request):\n"
            "        return Response(util.NAME)\n"
        )
        stage.add({"worker.py": source, "util.py": f"NAME = {name!r}\n"}, name=name)

    assert (await stage.get(worker="a")).text == "a"
    assert (await stage.get(worker="b")).text == "b"
    assert not hasattr(sys.modules["util"], "NAME")  # it is for those who work for one of the two
    assert not hasattr(sys.modules.get("workers"), "util")


IDIOMS = [
    # (how a module is reached, the expression that shows it)
    ("import util", "util.NAME"),
    ("import util as other", "other.NAME"),
    ("from util import NAME", "NAME"),
    ("import pkg.inner", "pkg.inner.NAME"),
    ("import pkg.inner as inner", "inner.NAME"),
    ("from pkg import inner", "inner.NAME"),
    ("from pkg.inner import NAME", "NAME"),
    ("from pkg.deep.leaf import NAME", "NAME"),  # it imports relatively, from two packages above
    ("from pkg import *", "listed.NAME"),
    ("import importlib; m = importlib.import_module('util')", "m.NAME"),
    ("from importlib import import_module; m = import_module('pkg.inner')", "m.NAME"),
    ("import importlib; m = importlib.import_module('.inner', 'pkg')", "m.NAME"),
    ("m = __import__('pkg.inner')", "m.inner.NAME"),
    ("import util, importlib; m = importlib.reload(util)", "m.NAME"),
    ("import util, sys; m = sys.modules[util.__name__]", "m.NAME"),
    ("import folder.note", "folder.note.NAME"),  # a folder without __init__.py
]
OWN = {
    "util.py": "NAME = 'mine'\n",
    "pkg/__init__.py": "__all__ = ['listed']\n",
    "pkg/inner.py": "NAME = 'mine'\n",
    "pkg/listed.py": "from .inner import NAME\n",
    "pkg/deep/__init__.py": "",
    "pkg/deep/leaf.py": "from ..inner import NAME\n",
    "folder/note.py": "NAME = 'mine'\n",
}


@pytest.mark.parametrize(("statement", "expression"), IDIOMS)
async def test_every_way_to_import_finds_the_workers_own_modules_at_the_top_and_at_request_time(
    stage: Stage, statement: str, expression: str
) -> None:
    head = f"{IMPORTS}class Default(WorkerEntrypoint):\n    async def fetch(self, request):\n"
    at_the_top = f"{statement}\n{head}        return Response({expression})\n"
    stage.add({"worker.py": at_the_top, **OWN}, name="top")
    if "*" not in statement:
        stage.add(
            {"worker.py": f"{head}        {statement}\n        return Response({expression})\n", **OWN}, name="late"
        )
        assert (await stage.get(worker="late")).text == "mine"

    assert (await stage.get(worker="top")).text == "mine"


async def test_imports_in_a_thread_are_the_workers_own(stage: Stage) -> None:
    stage.add(
        {
            **OWN,
            "worker.py": IMPORTS
            + "import threading, importlib\n"
            + "def look(found):\n    import util\n    found += [util.NAME, importlib.import_module('pkg.inner').NAME]\n"
            + "class Default(WorkerEntrypoint):\n"
            + "    async def fetch(self, request):\n"
            + "        found = []\n"
            + "        thread = threading.Thread(target=look, args=(found,))\n"
            + "        thread.start(); thread.join()\n"
            + "        return Response(' '.join(found))\n",
        }
    )

    assert (await stage.get()).text == "mine mine"


async def test_dataclasses_pickle_typing_and_inspect_find_a_scripts_classes(stage: Stage) -> None:
    text = await stage.run(
        """
        point = pickle.loads(pickle.dumps(Point(1, Colour.RED)))
        hints = typing.get_type_hints(Point)
        return Response(f"{point.x} {point.colour.name} {hints['colour'].__name__} {inspect.getsource(Point)[:20]!r}")
        """,
        above="""
        import dataclasses, enum, inspect, pickle, typing
        class Colour(enum.Enum):
            RED = 1
        @dataclasses.dataclass
        class Point:
            x: int
            colour: Colour
            kinds: typing.ClassVar[int] = 0
        """,
    )

    assert text == "1 RED Colour '@dataclasses.datacla'"


async def test_a_reloaded_worker_lives_beside_the_old_one_until_that_is_closed(stage: Stage) -> None:
    files = {"worker.py": IMPORTS + _LATE, "util.py": "NAME = 'old'\n"}
    old = stage.add(files, name="reloaded")
    new = stage.add({**files, "util.py": "NAME = 'new'\n"}, name="reloaded")

    # The old one imports at its first request, and reads what lies on the disk then.
    assert (await stage.get(worker="reloaded")).text == "new"
    prefixes = {name.partition(":")[0] for name in sys.modules if name.startswith("reloaded@")}
    assert len(prefixes) == 2
    await old.close()
    assert {name.partition(":")[0] for name in sys.modules if name.startswith("reloaded@")} < prefixes
    assert (await stage.get(worker="reloaded")).text == "new"
    await new.close()
    assert not any(name.startswith("reloaded@") for name in sys.modules)


_LATE = (
    "class Default(WorkerEntrypoint):\n"
    "    async def fetch(self, request):\n"
    "        import util\n"
    "        return Response(util.NAME)\n"
)


async def test_an_edit_within_the_same_second_is_seen(stage: Stage) -> None:
    for name in ("one", "two"):
        stage.add({"worker.py": IMPORTS + _LATE, "util.py": f"NAME = '{name}'\n"})
        assert (await stage.get()).text == name
    assert not list(stage.folder.rglob("__pycache__"))


def test_the_process_is_as_before_when_the_last_script_is_closed(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text("import this_is_mine\n")
    (tmp_path / "this_is_mine.py").write_text("")
    before = list(sys.meta_path), importlib.import_module

    modules = Modules("w", tmp_path / "main.py", {})
    modules.load_main()
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("this_is_mine")
    modules.close()
    modules.close()

    assert (list(sys.meta_path), importlib.import_module) == before
    assert not any("this_is_mine" in name for name in sys.modules)


def test_an_own_module_stands_before_an_installed_one_and_only_for_its_worker(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text("import colorsys, json\nMINE = colorsys.MINE\ndumps = json.dumps\n")
    (tmp_path / "colorsys.py").write_text("MINE = 1\n")
    modules = Modules("w", tmp_path / "main.py", {})

    main = modules.load_main()

    assert main.MINE == 1
    assert main.dumps is importlib.import_module("json").dumps
    assert not hasattr(importlib.import_module("colorsys"), "MINE")
    modules.close()


def test_a_supplied_name_stands_before_an_installed_one_and_is_one_object_per_worker(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text("import aiohttp\nfrom aiohttp.web import NAME\n")
    (tmp_path / "aiohttp").mkdir()  # a folder of assets, no package
    shims: Shims = {"aiohttp": lambda: {"__doc__": "ours"}, "aiohttp.web": lambda: {"NAME": 1}}
    one, two = (Modules("w", tmp_path / "main.py", shims) for _ in range(2))

    first, second = one.load_main(), two.load_main()

    assert first.aiohttp.__doc__ == "ours"
    assert first.aiohttp is not second.aiohttp
    assert importlib.import_module("aiohttp").__doc__ != "ours"
    one.close()
    two.close()


def test_vendored_packages_are_used_where_nothing_is_installed(tmp_path: Path) -> None:
    source = tmp_path / "src"
    source.mkdir()
    (source / "main.py").write_text("import only_vendored\n")
    vendored = tmp_path / "python_modules"
    vendored.mkdir()
    (vendored / "only_vendored.py").write_text("NAME = __name__\n")
    modules = Modules("w", source / "main.py", {})

    main = modules.load_main()

    assert main.only_vendored.NAME == "only_vendored"
    assert sys.modules[modules.prefix + "only_vendored"] is main.only_vendored
    modules.close()


def test_a_missing_module_is_named_as_the_script_spells_it(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text("def look():\n    import pkg.missing\n")
    (tmp_path / "pkg").mkdir()
    (tmp_path / "pkg" / "__init__.py").write_text("")
    modules = Modules("w", tmp_path / "main.py", {})
    main = modules.load_main()

    with pytest.raises(ModuleNotFoundError, match=r"^No module named 'pkg.missing'$") as raised:
        main.look()
    assert raised.value.name == "pkg.missing"
    modules.close()


def test_two_threads_that_import_the_same_module_run_it_once(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text("COUNT = []\ndef look():\n    import slow\n    return slow\n")
    (tmp_path / "slow.py").write_text("import main\nmain.COUNT.append(1)\n")
    modules = Modules("w", tmp_path / "main.py", {})
    main = modules.load_main()
    threads = [threading.Thread(target=main.look) for _ in range(8)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert main.COUNT == [1]
    modules.close()


def test_a_script_loads_after_someone_put_the_finders_back_as_they_were(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "worker.py").write_text("NAME = 'mine'\n")
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    before = list(sys.meta_path)
    open_all_the_time = Modules("a", tmp_path / "worker.py", {})
    sys.meta_path[:] = before  # as pytest's pytester does after it ran a session in this process

    second = Modules("b", tmp_path / "worker.py", {})
    try:
        assert second.load_main().NAME == "mine"
    finally:
        second.close()
        open_all_the_time.close()
    assert sys.meta_path == before


def test_workers_may_be_loaded_and_closed_in_several_threads_at_once(tmp_path: Path) -> None:
    (tmp_path / "worker.py").write_text("NAME = 'mine'\n")
    before, interval = list(sys.meta_path), sys.getswitchinterval()
    wrong: list[BaseException] = []

    def come_and_go() -> None:
        try:
            for _ in range(300):
                modules = Modules("a", tmp_path / "worker.py", {})
                assert modules.load_main().NAME == "mine"
                modules.close()
        except Exception as error:  # noqa: BLE001  # a thread's exception is told by the test
            wrong.append(error)

    threads = [threading.Thread(target=come_and_go) for _ in range(4)]
    sys.setswitchinterval(1e-6)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)

    assert wrong == []
    assert sys.meta_path == before
