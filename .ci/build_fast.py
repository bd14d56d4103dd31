"""Makes the compiled form: the modules that pyproject.toml names under [tool.edgeworker], through mypyc and gcc, and
what is written in C (`_NAME.c` beside the module that uses it, and does the same in Python without it).

`python .ci/build_fast.py` leaves build/compiled, a copy of the tree in which they lie compiled beside their sources,
and in dist/ a wheel for this Python and this system, or for the Python that `--python` names. A usual wheel and a
checkout have the same modules as Python. What was compiled for several Pythons lies side by side.
"""

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from pathlib import Path

from pythons import COMPILERS, find_python, is_this, make_environment

ROOT = Path(__file__).resolve().parent.parent
COMPILED = ROOT / "build" / "compiled"
_NOT_COPIED = {"build", "dist", "node_modules", "uv.lock"}
_PROGRAM = """
import sys
from pathlib import Path
from mypyc.build import mypycify
from setuptools import Extension, setup

modules = sys.argv[1:]
by_hand = [
    Extension(".".join(file.with_suffix("").parts), [str(file)], extra_compile_args=["-O2"])
    for file in sorted(Path("edgeworker").rglob("_*.c"))
]
sys.argv[1:] = ["--quiet", "build_ext", "--inplace"]
options = ["--config-file=pyproject.toml", *modules]
setup(
    name="edgeworker-compiled",
    packages=[],
    py_modules=[],
    ext_modules=by_hand + mypycify(options, opt_level="2", debug_level="0", group_name="edgeworker"),
)
"""


def module_files() -> list[str]:
    """Relative to the root."""
    named: list[str] = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["edgeworker"]["compiled"]
    return [f"{name.replace('.', '/')}.py" for name in named]


def has_compiler() -> bool:
    return any(map(shutil.which, COMPILERS))


def compile_tree() -> Path:
    """Returns the folder of the compiled form. What was compiled of the same sources is used again, also that of other
    Pythons: their names differ."""
    files = module_files()
    stamps, sources = COMPILED / "build" / "stamps", _fingerprint()
    stamp, seen = stamps / str(sys.implementation.cache_tag), f"{sources} {sys.version}"
    for file in list(stamps.glob("*")):
        text = file.read_text()
        if text != seen if file == stamp else not text.startswith(f"{sources} "):
            file.unlink()
    kept, is_current = [file.name for file in stamps.glob("*")], stamp.exists()
    for path in ROOT.iterdir():
        if path.name == ".ci" or not (path.name.startswith(".") or path.name in _NOT_COPIED):
            _replace(path, COMPILED / path.name)
    for old in [*COMPILED.glob("*.so"), *(COMPILED / "edgeworker").rglob("*.so")]:
        if not any(f".{tag}-" in old.name for tag in kept):
            old.unlink()
    if not is_current:
        command = [sys.executable, "-c", _PROGRAM, *files]
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        subprocess.run(command, cwd=COMPILED, check=True, env=environment)
        stamps.mkdir(exist_ok=True)
        stamp.write_text(seen)
    files += [str(file.relative_to(ROOT)) for file in (ROOT / "edgeworker").rglob("_*.c")]
    suffix = sysconfig.get_config_var("EXT_SUFFIX")
    missing = [file for file in files if not (COMPILED / file).with_name(f"{Path(file).stem}{suffix}").exists()]
    if missing:
        raise SystemExit(f"not compiled: {', '.join(missing)}")
    return COMPILED


def build_wheel() -> None:
    """See wheel_hook.py."""
    environment = os.environ | {"HATCH_BUILD_HOOK_ENABLE_CUSTOM": "true"}
    command = ["uv", "build", "--quiet", "--wheel", "--python", sys.executable, "--out-dir", str(ROOT / "dist")]
    subprocess.run([*command, str(ROOT)], check=True, env=environment)


def _fingerprint() -> str:
    """Of what decides about the compiled modules: all of our sources, because types come from anywhere."""
    digest = hashlib.sha256()
    sources = [file for kind in ("*.py", "_*.c") for file in sorted((ROOT / "edgeworker").rglob(kind))]
    for path in [ROOT / "pyproject.toml", Path(__file__), *sources]:
        digest.update(f"{path.relative_to(ROOT)}\0".encode() + path.read_bytes())
    return digest.hexdigest()


def _replace(source: Path, target: Path) -> None:
    """What was compiled stays."""
    if source.is_file():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, target)
        return
    for file in target.rglob("*"):
        if file.is_file() and file.suffix != ".so":
            file.unlink()
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", "*.so"), dirs_exist_ok=True)


def main() -> None:
    parser = argparse.ArgumentParser(description="Makes a wheel with the data path compiled, in dist/.")
    parser.add_argument("--python", metavar="VERSION|PATH", help="default: the Python of this environment")
    wanted = parser.parse_args().python
    if wanted is not None and not is_this(python := find_python(wanted)):
        command = [make_environment(python), __file__]
        raise SystemExit(subprocess.run(command, check=False).returncode)
    compile_tree()
    build_wheel()
    print(f"{COMPILED.relative_to(ROOT)} and a wheel in dist/ for Python {'.'.join(map(str, sys.version_info[:2]))}")


if __name__ == "__main__":
    main()
