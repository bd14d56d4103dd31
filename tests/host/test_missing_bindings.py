"""Which names of `env` a script reads for certain."""

from pathlib import Path

import pytest

from edgeworker.host.missing_bindings import MissingBinding, find_missing_bindings

HEAD = "import workers\nfrom workers import DurableObject, WorkerEntrypoint\n"
METHOD = "class Default(WorkerEntrypoint):\n    async def fetch(self, request):\n        "


def names_in(tmp_path: Path, text: str, bound: tuple[str, ...] = ("BOUND",)) -> list[str]:
    main = tmp_path / "main.py"
    main.write_text(HEAD + text)
    return [missing.name for missing in find_missing_bindings(main, bound)]


@pytest.mark.parametrize(
    "text",
    [
        f"{METHOD}return self.env.MISSING",
        f"{METHOD}await self.env.MISSING.get(self.env.BOUND)",
        f"{METHOD}env = self.env\n        return env.MISSING",
        f"{METHOD}env: object = self.env\n        return [env.MISSING for _ in request]",
        f"{METHOD}return workers.env.MISSING",
        "class Room(DurableObject):\n    def rpc(self): return self.env.MISSING",
        "class Room(workers.DurableObject):\n    def rpc(self): return self.env.MISSING",
        "class Base(WorkerEntrypoint): ...\nclass Default(Base):\n    def f(self): return self.env.MISSING",
        "async def on_fetch(request, env, ctx): return env.MISSING",
        "async def on_scheduled(controller, env): env.MISSING",
        "def helper(env): return env.MISSING",
        "from workers import env\nMISSING = env.MISSING",
        "from workers import env as bound\ndef f(): return bound.MISSING",
        "@app.get('/')\nasync def root(req): return req.scope['env'].MISSING",
        "@app.get('/')\nasync def root(req):\n    env = req.scope['env']\n    return env.MISSING",
        f"{METHOD}try:\n            self.env.MISSING\n        except KeyError: ...",
    ],
)
def test_what_is_certainly_env_is_found(tmp_path: Path, text: str) -> None:
    assert names_in(tmp_path, text) == ["MISSING"]


@pytest.mark.parametrize(
    "text",
    [
        f"{METHOD}return self.env.BOUND",
        f"{METHOD}return getattr(self.env, 'MISSING', None) or self.env.MISSING",
        f"{METHOD}if hasattr(self.env, 'MISSING'): return self.env.MISSING",
        f"{METHOD}self.env.MISSING = 1\n        return self.env.MISSING",
        f"{METHOD}try:\n            return self.env.MISSING\n        except AttributeError: ...",
        f"{METHOD}try:\n            return self.env.MISSING\n        except (KeyError, AttributeError): ...",
        f"{METHOD}try:\n            return self.env.MISSING\n        except: ...",
        f"{METHOD}return self.env.__dict__",
        f"{METHOD}return self.request.MISSING",
        "class Other:\n    def f(self): return self.env.MISSING",
        "env = Environment()\nenv.MISSING",
        "def helper(env): return env.get_template('x')",
        "async def on_fetch(request, env):\n    env = Environment()\n    return env.MISSING",
        "from os import env\nenv.MISSING",
        "from workers import env\ndef f(env): return env.globals",
    ],
)
def test_what_is_asked_for_first_or_may_be_something_else_is_passed_over(tmp_path: Path, text: str) -> None:
    assert names_in(tmp_path, text) == []


def test_modules_that_the_script_imports_are_read_and_each_name_is_told_once(tmp_path: Path) -> None:
    main, package = tmp_path / "main.py", tmp_path / "package"
    package.mkdir()
    main.write_text("from package import part\nimport other, json\ndef f(env): return env.FIRST\n")
    package.joinpath("__init__.py").write_text("from . import part\n")
    package.joinpath("part.py").write_text("from ..other import x\nfrom .... import y\n\ndef f(env): return env.PART\n")
    tmp_path.joinpath("other.py").write_text("import main\ndef g(env): return env.FIRST, env.OTHER\n")
    tmp_path.joinpath("unused.py").write_text("def g(env): return env.UNUSED\n")

    assert find_missing_bindings(main, ()) == [
        MissingBinding("FIRST", main, 3),
        MissingBinding("PART", package / "part.py", 4),
        MissingBinding("OTHER", tmp_path / "other.py", 2),
    ]


@pytest.mark.parametrize("content", [b"def f(:", b"\xff\xfe", b"x = '\x00'", b"(" * 5000], ids=str)
def test_a_module_that_cannot_be_read_is_passed_over(tmp_path: Path, content: bytes) -> None:
    main = tmp_path / "main.py"
    main.write_text("import other\ndef f(env): return env.FIRST\n")
    tmp_path.joinpath("other.py").write_bytes(content)

    assert [missing.name for missing in find_missing_bindings(main, ())] == ["FIRST"]
