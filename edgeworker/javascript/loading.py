"""From a worker's `main` to what an engine runs: bundled by the project's esbuild, or file by file without one."""

from pathlib import Path

from edgeworker.javascript.esbuild import bundle, find_esbuild
from edgeworker.javascript.project import Build, Project
from edgeworker.javascript.unbundled import StripTypes, collect


def load_project(main: Path, build: Build, strip_types: StripTypes | None = None) -> Project:
    """Blocks while a bundler runs. Raises ScriptError with the file and line of the source."""
    esbuild = None if build.no_bundle else find_esbuild(build.root)
    return collect(main, build, strip_types) if esbuild is None else bundle(main, build, esbuild)
