"""What a script learns by `importlib.metadata`."""

import importlib.metadata
from pathlib import Path

import pytest

from edgeworker.runtime.python.modules import Modules

SCRIPT = """
import importlib.metadata
import only_deployed

def version(name):
    return importlib.metadata.version(name)

def names():
    return [each.name for each in importlib.metadata.distributions()]
"""


def deploy(folder: Path, name: str, version: str) -> None:
    described = folder / f"{name}-{version}.dist-info"
    described.mkdir(parents=True)
    (described / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")


def test_a_script_and_its_packages_find_the_versions_of_what_is_deployed_with_it(tmp_path: Path) -> None:
    installed = importlib.metadata.version("aiohttp")
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "main.py").write_text(SCRIPT)
    deployed = tmp_path / "python_modules"
    deploy(deployed, "only_deployed", "1.5")
    deploy(deployed, "aiohttp", "0.0.1")
    # Many packages ask so when they are imported.
    (deployed / "only_deployed.py").write_text("import importlib.metadata as m\nVERSION = m.version('only-deployed')\n")
    modules = Modules("w", tmp_path / "src" / "main.py", {})

    main = modules.load_main()

    assert main.only_deployed.VERSION == main.version("only_deployed") == "1.5"
    assert main.version("aiohttp") == installed  # which is what `import aiohttp` gives
    assert main.names().count("only_deployed") == 1
    with pytest.raises(importlib.metadata.PackageNotFoundError):
        main.version("neither-installed-nor-deployed")
    modules.close()


def test_what_is_deployed_with_a_script_is_known_to_that_script_only(tmp_path: Path) -> None:
    deploy(tmp_path / "python_modules", "only_deployed", "1.5")
    (tmp_path / "python_modules" / "only_deployed.py").write_text("")
    (tmp_path / "main.py").write_text(SCRIPT)
    modules = Modules("w", tmp_path / "main.py", {})
    modules.load_main()

    with pytest.raises(importlib.metadata.PackageNotFoundError):
        importlib.metadata.version("only_deployed")
    modules.close()
