"""From a worker's `main` to what an engine runs: bundled by the project's esbuild, or file by file without one."""

from pathlib import Path

from edgeworker.javascript.build import Build
from edgeworker.javascript.esbuild import bundle, find_esbuild
from edgeworker.javascript.project import Project
from edgeworker.javascript.unbundled import StripTypes, collect


def load_project(
    main: Path, build: Build, strip_types: StripTypes | None = None, *, lowers_async: bool = False
) -> Project:
    """Blocks while a bundler runs. `lowers_async`: a worker that imports node:async_hooks gets `await` as calls of
    then(), for an engine that cannot see it. Raises ScriptError with the file and line of the source."""
    esbuild = None if build.no_bundle else find_esbuild(build.root)
    return (
        collect(main, build, strip_types)
        if esbuild is None
        else bundle(main, build, esbuild, lowers_async=lowers_async)
    )
