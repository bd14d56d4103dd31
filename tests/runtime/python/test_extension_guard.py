"""Extension modules that open sockets in C, imported by scripts."""

import importlib.machinery
import importlib.util
import logging
from pathlib import Path

import pytest

from edgeworker.edge.script_sockets import ScriptSockets
from edgeworker.errors import ScriptError
from edgeworker.runtime.python import extension_guard
from edgeworker.runtime.python.told_once import ToldOnce
from edgeworker.server.outbound import OutboundPolicy
from tests.runtime.python.test_elf import make_shared_object
from tests.runtime.stage import IMPORTS, Stage

SUFFIX = importlib.machinery.EXTENSION_SUFFIXES[0]
REFUSED = "opens sockets by itself"
SCRIPT = f"""{IMPORTS}
class Default(WorkerEntrypoint):
    async def fetch(self, request):
        try:
            IMPORT
        except ImportError as error:
            return Response(str(error))
        return Response("imported")
"""


@pytest.fixture(autouse=True)
def nothing_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each module is told of once."""
    monkeypatch.setattr(extension_guard, "_told", ToldOnce())


def policy(*, allow_native: bool) -> ScriptSockets:
    return ScriptSockets(OutboundPolicy.parse(("*",)), lambda _host: False, allow_native)


def add(
    stage: Stage, statement: str, imports: tuple[str, ...], *, needs: tuple[str, ...] = (), allow_native: bool = False
) -> Path:
    """A worker whose `python_modules/db/_native` is an extension module that takes these functions from libc."""
    folder = stage.folder / "w" / "python_modules" / "db"
    folder.mkdir(parents=True)
    (folder / "__init__.py").touch()
    (folder / f"_native{SUFFIX}").write_bytes(make_shared_object(imports, needs=needs))
    stage.add(SCRIPT.replace("IMPORT", statement), sockets=policy(allow_native=allow_native))
    return folder


@pytest.mark.parametrize("statement", ["import db._native", "import importlib; importlib.import_module('db._native')"])
@pytest.mark.parametrize("function", ["connect", "getaddrinfo", "sendto", "sendmsg", "gethostbyname"])
async def test_it_is_refused(stage: Stage, caplog: pytest.LogCaptureFixture, statement: str, function: str) -> None:
    add(stage, statement, ("malloc", function))

    with caplog.at_level(logging.WARNING):
        text = (await stage.get()).text

    assert text.startswith(f"db._native {REFUSED}, past outbound.allow_private")
    assert 'worker "w": db._native opens sockets by itself' in caplog.text
    assert "worker.py, line " in caplog.text


async def test_one_that_opens_none_is_loaded(stage: Stage) -> None:
    add(stage, "import db._native", ("malloc", "memcpy"))

    text = (await stage.get()).text

    assert REFUSED not in text  # the loader of the system then says what is wrong with the made file
    assert "_native" in text


async def test_a_library_that_lies_with_it_counts(stage: Stage) -> None:
    folder = add(stage, "import db._native", ("PQconnect",), needs=("libpq-a17e.so.5",))
    libraries = folder.parent / "db.libs"
    libraries.mkdir()
    (libraries / "libpq-a17e.so.5").write_bytes(make_shared_object(("malloc",), needs=("libnet.so.1",)))
    (libraries / "libnet.so.1").write_bytes(make_shared_object(("connect",), needs=("libpq-a17e.so.5",)))

    assert REFUSED in (await stage.get()).text


async def test_openssl_beside_a_module_that_opens_no_socket_is_let_through(stage: Stage) -> None:
    folder = add(stage, "import db._native", ("SHA256",), needs=("libcrypto-fb8d.so.3",))
    (folder / "libcrypto-fb8d.so.3").write_bytes(make_shared_object(("connect",)))

    assert REFUSED not in (await stage.get()).text


async def test_the_operator_lets_them_in(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    add(stage, "import db._native", ("connect",), allow_native=True)

    with caplog.at_level(logging.WARNING):
        assert REFUSED not in (await stage.get()).text

    assert "nothing of [outbound] holds for them" in caplog.text


async def test_what_cannot_be_read_is_refused(stage: Stage) -> None:
    folder = add(stage, "import db._native", ())
    file = folder / f"_native{SUFFIX}"
    file.write_bytes(file.read_bytes()[:70])

    assert REFUSED in (await stage.get()).text


def test_a_script_that_imports_one_at_its_top_does_not_load(stage: Stage) -> None:
    folder = stage.folder / "w" / "python_modules"
    folder.mkdir(parents=True)
    (folder / f"native{SUFFIX}").write_bytes(make_shared_object(("connect",)))

    with pytest.raises(ScriptError, match=r"worker\.py, line 1: ImportError: native opens sockets by itself"):
        stage.add("import native\n", sockets=policy(allow_native=False))


def test_the_mangled_name_of_a_scripts_own_module_is_not_the_loaders() -> None:
    found = importlib.util.find_spec("_cffi_backend")
    assert found is not None
    place = str(found.origin)
    mangled = importlib.machinery.ModuleSpec("w@3:_cffi_backend", None, origin=place)
    extension_guard.install()
    try:
        module = importlib.machinery.ExtensionFileLoader(mangled.name, place).create_module(mangled)
    finally:
        extension_guard.uninstall()

    assert module.__name__ == "_cffi_backend"


async def test_the_standard_library_and_cryptography_are_let_through(stage: Stage) -> None:
    stage.add(
        SCRIPT.replace("IMPORT", "import socket, ssl, asyncio, sqlite3, cryptography.hazmat.bindings._rust"),
        sockets=policy(allow_native=False),
    )

    assert (await stage.get()).text == "imported"


def test_outside_of_scripts_everything_is_imported_as_usual(tmp_path: Path) -> None:
    file = tmp_path / f"native{SUFFIX}"
    file.write_bytes(make_shared_object(("connect",)))
    extension_guard.install()
    try:
        loader = importlib.machinery.ExtensionFileLoader("native", str(file))
        with pytest.raises(ImportError) as raised:
            loader.create_module(importlib.machinery.ModuleSpec("native", loader, origin=str(file)))
    finally:
        extension_guard.uninstall()

    assert REFUSED not in str(raised.value)
