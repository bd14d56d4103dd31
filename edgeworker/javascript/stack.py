"""An error's stack with the places of the sources, and without the frames of the edge's own modules. Pure."""

import re
from collections.abc import Iterator

from edgeworker.javascript.project import Project

_POSITION = re.compile(r"(?P<file>[^\s()]+?):(?P<line>\d+):(?P<column>\d+)")
_OWN_PREFIXES = ("edgeworker-", "edgeworker:")


def map_stack(stack: str, project: Project) -> str:
    return "\n".join(_map_lines(stack, project))


def _map_lines(stack: str, project: Project) -> Iterator[str]:
    for line in stack.splitlines():
        found = _POSITION.search(line) if line.lstrip().startswith("at ") else None
        if found is None:
            yield line
            continue
        if found["file"].startswith(_OWN_PREFIXES):
            continue
        yield (
            line[: found.start()]
            + map_place(found["file"], int(found["line"]), int(found["column"]), project)
            + (line[found.end() :])
        )


def map_place(file: str, line: int, column: int, project: Project) -> str:
    source_map = project.source_maps.get(file)
    position = None if source_map is None else source_map.find(line, column)
    if position is None:
        return f"{file}:{line}:{column}"
    return f"{position.source}:{position.line}:{position.column}"


def map_text(text: str, project: Project) -> str:
    """workerd's words about a script that it refuses, with each place of a module replaced by that of its source."""
    names = {module.name for module in project.modules}

    def replace(found: re.Match[str]) -> str:
        if found["file"] not in names:
            return found[0]
        return map_place(found["file"], int(found["line"]), int(found["column"]), project)

    return _POSITION.sub(replace, text)
