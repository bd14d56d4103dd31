"""How a project asks for the edgeworker that is installed here: from the same folder, repository or index."""

import json
from typing import Final

_NAME: Final = "edgeworker"


def own_requirement() -> str | None:
    """A requirement (PEP 508); None in the single binary, which no project can install."""
    import importlib.metadata  # it takes a tenth of the start of `dev`

    try:
        distribution = importlib.metadata.distribution(_NAME)
    except importlib.metadata.PackageNotFoundError:
        return None
    return requirement(distribution.version, distribution.read_text("direct_url.json"))


def requirement(version: str, direct_url: str | None) -> str:
    """`direct_url` is the file that installers write for what came from no index (PEP 610).

    A URL within the requirement, not a source for one installer: pip would look for the bare name on an index, where
    edgeworker is not, and whatever has its name there would be installed.
    """
    if direct_url is None:
        return f"{_NAME}>={version}"
    origin = json.loads(direct_url)
    url = origin["url"]
    if (vcs := origin.get("vcs_info")) is not None:
        url = f"{vcs['vcs']}+{url}@{vcs['commit_id']}"
    if origin.get("subdirectory"):
        url += f"#subdirectory={origin['subdirectory']}"
    return f"{_NAME} @ {url}"
