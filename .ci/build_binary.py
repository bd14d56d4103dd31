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
    *("distutils", "ensurepip", "idlelib", "lib2to3", "test", "tkinter", "turtle", "turtledemo", "venv"),
}
# What scripts may import beside the standard library: Cloudflare deploys it with them.
FOR_SCRIPTS = ("jwt", "cryptography")

# Of PyInstaller's loader, by its own text.
_LOADER_TEXTS = {
    b"Failed to load Python shared library '%s': %s": b"Cannot load %s: %s; noexec? set TMPDIR=FOLDER",
    b"Failed to extract %s: decompression resulted in return code %d!": (
        b"Cannot unpack %s (code %d): is there no room? set TMPDIR=FOLDER"
    ),
    b"Failed to extract %s: failed to open target file!": b"Cannot unpack %s: no room? set TMPDIR=FOLDER",
    b"Could not create temporary directory!": b"no room to unpack: set TMPDIR=FOLDER",
    b"_MEI%08x\0": b"_EWK%08x\0",
    b"%s_MEI%08xXXXXXX": b"%s_EWK%08xXXXXXX",
}
# The loader itself is linked with the system's libz. One that is unpacked beside the rest would be taken in its place,
# and where nothing there may be run, the system's linker would end it before it can say why.
_RECIPE_BEFORE_MODULES = f"""
import sys
sys.path.insert(0, {str(ROOT / ".ci")!r})
from binary_parts import Parts
a.binaries = [each for each in a.binaries if not each[0].startswith('libz.so')]
parts = Parts(a)
parts.list_libraries('libraries.txt')
"""
_RECIPE_AFTER_MODULES = "parts.append(pyz.name)\n"


def standard_library() -> list[str]:
    """Every module of it by name, submodules included."""
    stdlib = sysconfig.get_path("stdlib")
    names = sorted(sys.stdlib_module_names - LEFT_OUT)
    found = []
    for name in names:
        found.append(name)
        package = Path(stdlib, name)
        if package.is_dir():
            found += [
                info.name for info in pkgutil.walk_packages([str(package)], prefix=f"{name}.", onerror=lambda _: None)
            ]
    wanted = (
        name for name in found if not {"test", "tests", "__main__", "idle_test", "_tkinter"} & set(name.split("."))
    )
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
    # With the extras that the binary has where they are installed.
    todo = ["edgeworker", "uvloop", "quickjs-bindings", "acme"]
    todo += ["opentelemetry-sdk", "opentelemetry-exporter-otlp-proto-http"]
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
        *("--name", "edgeworker", "--specpath", str(work), "--runtime-hook", str(ROOT / ".ci" / "binary_start.py")),
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
    recipe = spec.read_text()
    modules_line = "pyz = PYZ(a.pure)\n"
    if recipe.count(modules_line) != 1:
        raise SystemExit("PyInstaller writes another recipe now: see build()")
    spec.write_text(recipe.replace(modules_line, f"{_RECIPE_BEFORE_MODULES}{modules_line}{_RECIPE_AFTER_MODULES}"))
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
    _improve_loader(binary)
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


def _improve_loader(binary: Path) -> None:
    """PyInstaller's loader says nothing of what would be right where it cannot unpack, and its folders have a name that
    other programs' have too, so that none could be removed as ours.

    Its texts are replaced by some of the same length and with the same places, so that nothing else moves.
    """
    content = binary.read_bytes()
    for old, new in _LOADER_TEXTS.items():
        if len(old) < len(new) or content.count(old) != 1 or old.count(b"%") != new.count(b"%"):
            raise SystemExit(f"PyInstaller's loader has another text now, not {old!r}: see _LOADER_TEXTS")
        content = content.replace(old, new.ljust(len(old)))
    draft = binary.with_suffix(".draft")  # the binary may be running
    draft.write_bytes(content)
    draft.chmod(0o755)
    draft.replace(binary)


def _find_glibc(binary: Path) -> str:
    """The oldest release of glibc that has all that the binary's parts ask for; "?" where objdump is missing."""
    if shutil.which("objdump") is None:
        return "?"
    libraries = (ROOT / "build" / "binary" / "libraries.txt").read_text().split("\n")
    parts = [str(binary), *filter(None, libraries)]
    listed = subprocess.run(["objdump", "-T", *parts], check=False, capture_output=True, text=True).stdout
    found = {tuple(map(int, version.split("."))) for version in re.findall(r"GLIBC_(\d+(?:\.\d+)+)", listed)}
    return ".".join(map(str, max(found, default=())))


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
    size, glibc = binary.stat().st_size / 1e6, _find_glibc(binary)
    print(f"{binary.relative_to(ROOT)}: {size:.1f} MB, {said}, needs glibc {glibc}")


if __name__ == "__main__":
    main()
