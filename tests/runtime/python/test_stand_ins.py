"""Modules of a script as libraries find them: by `__module__`, `__name__` and texts in configurations."""

import importlib
import importlib.util
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from edgeworker.bindings import TextBinding
from edgeworker.runtime.contract.script_frames import Script
from edgeworker.runtime.python import stand_ins
from tests.runtime.stage import IMPORTS, Stage

MODELS = """
from __future__ import annotations
import dataclasses, enum, logging, typing
import collections

class Kind(enum.Enum):
    ONE = 1

@dataclasses.dataclass
class Item:
    kind: Kind
    names: typing.ClassVar[list[str]] = []
    size: int = 0

class Pair(typing.NamedTuple):
    left: Item

class Handler(logging.Handler):
    heard = []
    def emit(self, record):
        self.heard.append(record.getMessage())

def double(value):
    "Doubles."
    return value * 2

LIMIT = 10
"""
FILES = {
    "shop/__init__.py": "NAME = __name__\n",
    "shop/models.py": MODELS,
    "shop/late.py": "from . import models\nfrom .models import Item\nfrom .data import VALUE\n"
    "NAMES = __name__, __package__\n",
    "shop/data/__init__.py": "VALUE = 5\n",
    "shop/data/words.txt": "some words",
    "helpers_of_shop.py": "def who():\n    return __name__\n",
}
HEAD = (
    IMPORTS
    + """
import asyncio, copy, dataclasses, importlib, importlib.resources, importlib.util, inspect, logging, logging.config
import pickle, pkgutil, sys, threading, typing, unittest.mock, multiprocessing.reduction
import helpers_of_shop, shop, shop.models
from shop.models import Item, Kind, Pair, double
"""
)
# (expression, what it gives)
LOOKUPS = [
    ("Item.__module__, Kind.ONE.__class__.__module__, double.__module__, Pair.__module__", "('shop.models',) * 4"),
    (
        "helpers_of_shop.who(), shop.NAME, shop.models.__name__, shop.models.__package__",
        "('helpers_of_shop', 'shop', 'shop.models', 'shop')",
    ),
    ("__name__, Default.__module__, __spec__.name", "('worker',) * 3"),
    ("repr(Item)", "\"<class 'shop.models.Item'>\""),
    ("repr(shop)[:14]", "\"<module 'shop'\""),
    (
        "shop.__spec__.name, shop.models.__spec__.name, shop.models.__spec__.parent, shop.models.__loader__.name",
        "('shop', 'shop.models', 'shop', 'shop.models')",
    ),
    ("pickle.loads(pickle.dumps(Item(Kind.ONE))) == Item(Kind.ONE)", "True"),
    ("pickle._loads(pickle._dumps(Pair(Item(Kind.ONE)))) == Pair(Item(Kind.ONE))", "True"),
    ("b'@' in pickle.dumps(double)", "False"),
    ("pickle.loads(pickle.dumps(Default)) is Default", "True"),
    ("bool(multiprocessing.reduction.ForkingPickler.dumps(double))", "True"),
    ("copy.deepcopy(Item(Kind.ONE)) == Item(Kind.ONE)", "True"),
    ("typing.get_type_hints(Item)['kind'] is Kind, typing.get_type_hints(Pair)['left'] is Item", "(True, True)"),
    ("[field.name for field in dataclasses.fields(Item)]", "['kind', 'size']"),
    ("inspect.getmodule(Item).LIMIT, inspect.getsource(double).splitlines()[0]", "(10, 'def double(value):')"),
    ("inspect.getdoc(double), inspect.getfile(Item)[-14:]", "('Doubles.', 'shop/models.py')"),
    ("inspect.getsource(Item)[:10], inspect.getsource(shop.models)[:5]", "('@dataclass', '\\nfrom')"),
    ("sys.modules[Item.__module__].Item is Item, sys.modules[__name__].Default is Default", "(True, True)"),
    ("sys.modules['shop'].models is shop.models", "True"),
    (
        "[importlib.import_module(*name) is shop.models for name in (('shop.models',), ('.models', 'shop'))]",
        "[True, True]",
    ),
    ("importlib.import_module('shop.late').NAMES", "('shop.late', 'shop')"),
    ("__import__('shop.late').late.VALUE", "5"),
    ("importlib.util.find_spec('shop.late').name, importlib.util.find_spec('shop').name", "('shop.late', 'shop')"),
    ("importlib.util.find_spec('shop.late').origin[-12:]", "'shop/late.py'"[:1] + "shop/late.py'"),
    ("importlib.util.find_spec('shop.nothing'), importlib.util.find_spec('nothing_at_all')", "(None, None)"),
    ("pkgutil.get_data('shop', 'data/words.txt'), pkgutil.get_data('shop.data', 'words.txt')", "(b'some words',) * 2"),
    ("importlib.resources.files('shop').joinpath('data', 'words.txt').read_text()", "'some words'"),
    ("importlib.resources.files('shop.data').joinpath('words.txt').read_text()", "'some words'"),
    ("importlib.resources.files(shop).joinpath('data/words.txt').read_text()", "'some words'"),
    ("[found.name for found in pkgutil.iter_modules(shop.__path__)]", "['data', 'late', 'models']"),
    (
        "[found.name for found in pkgutil.walk_packages(shop.__path__, 'shop.')]",
        "['shop.data', 'shop.late', 'shop.models']",
    ),
    ("pkgutil.resolve_name('shop.models:Item') is Item, pkgutil.resolve_name('shop.models.LIMIT')", "(True, 10)"),
    ("mocked('shop.models.LIMIT'), shop.models.LIMIT", "((99, 99), 10)"),
    ("mocked('shop.late.VALUE'), mocked('worker.LIMIT')", "((99, 10), (99, 10))"),
    ("configured()", "['told']"),
    ("importlib.reload(shop.models).__name__, shop.models.__spec__.name", "('shop.models', 'shop.models')"),
    ("in_thread(lambda: pickle.loads(pickle.dumps(Item(Kind.ONE))).kind.name)", "'ONE'"),
    ("logging.getLogger(__name__).name", "'worker'"),
]
BODY = """
LIMIT = 10

def mocked(name):
    with unittest.mock.patch(name, 99):
        return pkgutil.resolve_name(name), shop.models.LIMIT

def configured():
    logging.config.dictConfig({
        "version": 1,
        "disable_existing_loggers": False,
        "handlers": {"h": {"class": "shop.models.Handler"}, "own": {"()": "shop.models.Handler"}},
        "loggers": {"shop.here": {"handlers": ["h"], "level": "INFO", "propagate": False}},
    })
    logging.getLogger("shop.here").info("told")
    return shop.models.Handler.heard

def in_thread(function):
    found = []
    thread = threading.Thread(target=lambda: found.append(function()))
    thread.start(); thread.join()
    return found[0]

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        return Response(repr((EXPRESSION)))
"""


@pytest.mark.parametrize(("expression", "gives"), LOOKUPS)
async def test_a_library_finds_a_module_of_a_script(stage: Stage, expression: str, gives: str) -> None:
    stage.add({**FILES, "worker.py": HEAD + BODY.replace("EXPRESSION", expression)})

    assert (await stage.get()).text == repr(eval(gives))


async def test_scripts_with_modules_of_one_name_find_their_own(stage: Stage) -> None:
    body = BODY.replace("EXPRESSION", "pickle.loads(pickle.dumps(Item(Kind.ONE))), sys.modules['shop'].WHO")
    for name in ("a", "b"):
        files = {**FILES, "shop/__init__.py": f"WHO = {name!r}\n"}
        stage.add({**files, "worker.py": HEAD + body}, name=name)

    for name in ("a", "b", "a"):
        assert (await stage.get(worker=name)).text == f"(Item(kind=<Kind.ONE: 1>, size=0), '{name}')"
    assert stage.workers["a"] is not stage.workers["b"]


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of packages on the process's own path."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)
    yield folder
    for name in [name for name in sys.modules if name.startswith("made_for_")]:
        del sys.modules[name]


async def test_an_installed_package_may_import_what_only_scripts_have(stage: Stage, installed: Path) -> None:
    (installed / "made_for_workers.py").write_text(
        "import js, workers, pyodide.ffi\n"
        "from js import Object, console\n"
        "from workers import Response, env, import_from_javascript\n"
        "from pyodide.ffi import to_js\n"
        "def answer():\n"
        "    return Response(f'{env.NAME} {workers.env.NAME} {js.JSON.stringify(to_js([1]))} {pyodide.ffi.jsnull}')\n"
    )
    for name in ("a", "b"):
        stage.add_fetch(
            "return made_for_workers.answer()", TextBinding("NAME", name), above="import made_for_workers\n", name=name
        )

    assert [(await stage.get(worker=name)).text for name in ("a", "b", "a")] == [
        f"{name} {name} [1] jsnull" for name in ("a", "b", "a")
    ]


async def test_an_installed_package_imports_a_scripts_modules_by_name(stage: Stage, installed: Path) -> None:
    (installed / "made_for_plugins.py").write_text(
        "def load(name):\n"
        "    module = __import__(name, fromlist=['x'])\n"
        "    import sys\n"
        "    top = __import__(name)\n"
        "    return module.VALUE, top.__name__, sys.modules[name].__name__\n"
    )
    stage.add(
        {
            **FILES,
            "worker.py": IMPORTS
            + "import made_for_plugins\nclass Default(WorkerEntrypoint):\n    async def fetch(self, request):\n"
            + "        return Response(repr(made_for_plugins.load('shop.late')))\n",
        }
    )

    assert (await stage.get()).text == "(5, 'shop', 'shop.late')"


async def test_code_of_no_worker_finds_modules_of_its_own_under_the_same_name(stage: Stage, installed: Path) -> None:
    (installed / "made_for_both.py").write_text("WHOSE = 'the process'\n")
    stage.add(
        {
            "worker.py": IMPORTS
            + "import made_for_both\nclass Default(WorkerEntrypoint):\n    async def fetch(self, request):\n"
            + "        return Response(made_for_both.WHOSE)\n",
            "made_for_both.py": "WHOSE = 'the script'\n",
        }
    )

    assert (await stage.get()).text == "the script"
    assert importlib.import_module("made_for_both").WHOSE == "the process"
    assert (await stage.get()).text == "the script"


async def test_looking_through_all_modules_loads_nothing(stage: Stage, installed: Path) -> None:
    (installed / "made_for_nothing.py").write_text("raise SystemExit\n")
    stage.add(
        {
            "worker.py": IMPORTS + "import made_for_nothing\nclass Default(WorkerEntrypoint): ...\n",
            "made_for_nothing.py": "",
        }
    )

    for module in list(sys.modules.values()):
        repr(module), hasattr(module, "__file__"), hasattr(module, "__warningregistry__"), isinstance(module, type)


def test_what_every_module_has_is_there_where_no_worker_runs() -> None:
    script = Script("a")
    stand_in = stand_ins.place("made_for_no_one", script)
    try:
        assert (stand_in.__doc__, stand_in.__name__, stand_in.__spec__) == (None, "made_for_no_one", None)
        assert not hasattr(stand_in, "__file__")
        with pytest.raises(AttributeError, match="belongs to a worker"):
            _ = stand_in.anything
    finally:
        stand_ins.release(script)


async def test_the_processs_own_modules_keep_their_places(stage: Stage) -> None:
    import colorsys

    stage.add(
        {
            "worker.py": IMPORTS
            + "import colorsys, pickle\nclass Default(WorkerEntrypoint):\n    async def fetch(self, request):\n"
            + "        return Response(repr(pickle.loads(pickle.dumps(colorsys.Mine)) is colorsys.Mine))\n",
            "colorsys.py": "class Mine: ...\n",
        }
    )

    assert (await stage.get()).text == "True"
    assert sys.modules["colorsys"] is colorsys


async def test_nothing_is_left_when_the_last_script_is_closed(stage: Stage) -> None:
    stage.add({**FILES, "worker.py": HEAD + BODY.replace("EXPRESSION", "1")}, name="a")
    stage.add({**FILES, "worker.py": HEAD + BODY.replace("EXPRESSION", "1")}, name="b")

    await stage.opened[0].close()
    assert type(sys.modules["shop.models"]) is stand_ins.StandIn
    await stage.opened[1].close()

    assert not any(name.startswith("shop") for name in sys.modules)
    assert importlib.util.find_spec("shop") is None


def test_a_name_stays_while_one_of_several_threads_has_a_script_that_uses_it(monkeypatch: pytest.MonkeyPatch) -> None:
    own = ModuleType("borrowed")
    monkeypatch.setitem(sys.modules, "borrowed", own)
    missing: list[ModuleType | None] = []

    def place_and_release() -> None:
        for _ in range(2000):
            script = Script("a")
            stand_in = stand_ins.place("borrowed", script)
            if (there := sys.modules.get("borrowed")) is not stand_in:
                missing.append(there)
            stand_ins.release(script)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=place_and_release) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)

    assert missing == []
    assert sys.modules["borrowed"] is own
