"""Makes dist/edgeworker, the single binary, with PyInstaller, and lets it answer once.

A worker's script may import any of the standard library, which PyInstaller cannot see from our own imports; so all of
it goes in, less what needs a screen and Python's own tests.

The data path in it is compiled (see build_fast.py), where there is a C compiler.

It is made with the newest Python of this machine that has all of its parts (see pythons.py), or with the one that
`--python` names, in an environment of its own below build/.
"""

import argparse
import ast
import importlib.metadata
import importlib.util
import os
import pkgutil
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

from build_fast import compile_tree, has_compiler, module_files
from pythons import find_python, is_this, make_environment

ROOT = Path(__file__).resolve().parent.parent
LEFT_OUT = {
    *("antigravity", "distutils", "ensurepip", "idlelib", "lib2to3", "pydoc_data", "test", "this", "tkinter", "turtle"),
    *("turtledemo", "venv"),
}
# What scripts may import beside the standard library: Cloudflare deploys it with them.
FOR_SCRIPTS = ("jwt", "cryptography")

_WITHOUT_LIBZ = "a.binaries = [each for each in a.binaries if not each[0].startswith('libz.so')]"


def standard_library() -> list[str]:
    """Every module of it by name, submodules included."""
    stdlib = sysconfig.get_path("stdlib")
    names = sorted(name for name in sys.stdlib_module_names if name not in LEFT_OUT and not name.startswith("_"))
    found = []
    for name in names:
        found.append(name)
        package = Path(stdlib, name)
        if package.is_dir():
            found += [
                info.name for info in pkgutil.walk_packages([str(package)], prefix=f"{name}.", onerror=lambda _: None)
            ]
    wanted = (name for name in found if not {"test", "tests", "__main__", "idle_test"} & set(name.split(".")))
    return [name for name in wanted if _is_here(name)]


def _is_here(name: str) -> bool:
    """sys.stdlib_module_names lists the modules of every system (msilib, winsound)."""
    try:
        return importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):
        return False


def foreign_modules() -> list[str]:
    """What is installed here and no dependency of edgeworker: developers' tools that some library imports if it can.

    PyInstaller would follow such an import, and the binary would carry Django because a test needs it.
    """
    wanted = _dependencies()
    return sorted(module for module, names in _providers() if not names & wanted and module.isidentifier())


def shared_parts() -> list[str]:
    """The module that the compiled modules of a package share, which they import where PyInstaller cannot see it."""
    wanted = _dependencies()
    return sorted(module for module, names in _providers() if names & wanted and module.endswith("__mypyc"))


def _dependencies() -> set[str]:
    wanted: set[str] = set()
    todo = ["edgeworker", "uvloop", "quickjs-bindings", "acme"]  # extras that the binary has where they are installed
    while todo:
        name = re.sub(r"[-_.]+", "-", todo.pop()).lower()
        if name in wanted:
            continue
        try:
            needs = importlib.metadata.requires(name) or []
        except importlib.metadata.PackageNotFoundError:  # for another system or Python
            continue
        wanted.add(name)
        todo += [re.split(r"[^A-Za-z0-9._-]", need, maxsplit=1)[0] for need in needs if "extra ==" not in need]
    return wanted


def _providers() -> list[tuple[str, set[str]]]:
    """Each module that is installed here, and the distributions that it comes from."""
    providers = importlib.metadata.packages_distributions()
    return [(module, {re.sub(r"[-_.]+", "-", each).lower() for each in names}) for module, names in providers.items()]


def tree() -> tuple[Path, list[str]]:
    """What goes in: the folder of our packages, and the modules that PyInstaller cannot see are imported."""
    if not has_compiler():
        print("no C compiler: the data path is not compiled")
        return ROOT, []
    hidden = {"edgeworker__mypyc"}
    for file in module_files():
        for node in ast.walk(ast.parse((ROOT / file).read_text())):
            if isinstance(node, ast.Import):
                hidden |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module is not None:
                names = {f"{node.module}.{alias.name}" for alias in node.names}
                hidden |= {node.module, *(name for name in names if _is_ours(name))}
    return compile_tree(), sorted(hidden)


def commands() -> list[str]:
    """The modules of the command line, which imports them by their names."""
    files = sorted((ROOT / "edgeworker" / "cli").rglob("*.py"))
    return [".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for file in files]


def _is_ours(name: str) -> bool:
    path = ROOT.joinpath(*name.split("."))
    return path.is_dir() or path.with_suffix(".py").exists()


def build() -> Path:
    """Returns the binary's path."""
    packages, hidden = tree()
    work = ROOT / "build" / "binary"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    modules = (*standard_library(), *shared_parts(), *commands(), *hidden)
    command = [
        *(sys.executable, "-m", "PyInstaller.utils.cliutils.makespec", "--onefile", "--strip"),
        *("--name", "edgeworker", "--specpath", str(work)),
        *("--add-data", f"{_describe_sources(work)}:edgeworker"),
        *("--add-data", f"{ROOT / 'scripts'}:scripts", "--copy-metadata", "edgeworker", "--paths", str(packages)),
        *("--collect-data", "publicsuffixlist", "--collect-data", "edgeworker", "--hidden-import", "_cffi_backend"),
        *[part for name in modules for part in ("--hidden-import", name)],
        *[part for name in FOR_SCRIPTS for part in ("--collect-submodules", name)],
        *[part for name in sorted({*LEFT_OUT, *foreign_modules()}) for part in ("--exclude-module", name)],
        str(packages / "edgeworker" / "__main__.py"),
    ]
    environment = os.environ | {"PYTHONPATH": str(packages)}
    subprocess.run(command, check=True, cwd=work, env=environment)
    spec = work / "edgeworker.spec"
    # The loader itself is linked with the system's libz. One that is unpacked beside the rest would be taken in its
    # place, and where nothing there may be run, the system's linker would end it before it can say why.
    recipe = spec.read_text().replace("pyz = PYZ(", f"{_WITHOUT_LIBZ}\npyz = PYZ(", 1)
    assert _WITHOUT_LIBZ in recipe
    spec.write_text(recipe)
    subprocess.run(
        [
            *(sys.executable, "-m", "PyInstaller", "--clean", "--noconfirm", "--log-level", "WARN"),
            *("--distpath", str(ROOT / "dist"), "--workpath", str(work), str(spec)),
        ],
        check=True,
        cwd=work,
        env=environment,
    )
    binary = ROOT / "dist" / "edgeworker"
    _explain_noexec(binary)
    return binary


def _describe_sources(folder: Path) -> Path:
    """A file that says which commit the sources are of, for `edgeworker --version`."""
    git = ["git", "-C", str(ROOT)]
    shown = subprocess.run([*git, "log", "-1", "--format=%h of %cs"], check=False, capture_output=True, text=True)
    changed = subprocess.run([*git, "status", "--porcelain", "-uno"], check=False, capture_output=True, text=True)
    commit = shown.stdout.strip() if shown.returncode == 0 else ""
    text = f"commit {commit}{', with changes' if changed.stdout else ''}" if commit else "sources without a commit"
    file = folder / "built_from.txt"
    file.write_text(text + "\n")
    return file


def _explain_noexec(binary: Path) -> None:
    """PyInstaller's loader fails where the temporary folder is mounted noexec, and says nothing of what would be right.

    Its text is replaced by one of the same length and with the same two places, so that nothing else moves.
    """
    old, new = b"Failed to load Python shared library '%s': %s", b"Cannot load %s: %s; noexec? set TMPDIR=FOLDER"
    content = binary.read_bytes()
    if len(old) != len(new) or content.count(old) != 1:
        raise SystemExit("PyInstaller's loader has another text now: see _explain_noexec")
    binary.write_bytes(content.replace(old, new))


def main() -> None:
    parser = argparse.ArgumentParser(description="Makes the single binary, dist/edgeworker.")
    parser.add_argument("--python", metavar="VERSION|PATH", help="default: the newest here that has all of its parts")
    python = find_python(parser.parse_args().python)
    print(f"made with {python}", flush=True)
    if not is_this(python):
        # This file again, in the environment of that Python.
        command = [make_environment(python), __file__, "--python", python.program]
        raise SystemExit(subprocess.run(command, check=False).returncode)
    binary = build()
    said = subprocess.run([binary, "--version"], check=True, capture_output=True, text=True).stdout.strip()
    print(f"{binary.relative_to(ROOT)}: {binary.stat().st_size / 1e6:.1f} MB, {said}")


if __name__ == "__main__":
    main()
