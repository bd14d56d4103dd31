"""Puts the modules that `poe build-fast` compiled into the wheel. A usual build does not run this."""

import sysconfig
from pathlib import Path

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CompiledModules(BuildHookInterface):
    def initialize(self, version: str, build_data: dict[str, object]) -> None:
        compiled = Path(self.root) / "build" / "compiled"
        for_this = f"*{sysconfig.get_config_var('EXT_SUFFIX')}"  # others may lie beside it
        found = [*compiled.glob(for_this), *(compiled / "edgeworker").rglob(for_this)]
        if not found:
            raise RuntimeError("nothing is compiled: use `poe build-fast`")
        build_data["pure_python"] = False
        build_data["infer_tag"] = True
        build_data["force_include"] = {str(file): str(file.relative_to(compiled)) for file in found}
