"""Which kind of file system a folder is on, and which kinds do not keep a data directory well. Pure."""

import re
from pathlib import Path
from typing import Final

# Of Linux: one line a mount, the later one on top. https://man7.org/linux/man-pages/man5/proc_pid_mounts.5.html
MOUNTS: Final = Path("/proc/self/mounts")
_ESCAPE: Final = re.compile(r"\\([0-7]{3})")
_IN_MEMORY: Final = ("tmpfs", "ramfs")
_OF_A_NETWORK: Final = (
    "nfs",
    "nfs4",
    "cifs",
    "smb3",
    "smbfs",
    "9p",
    "afs",
    "ceph",
    "glusterfs",
    "ocfs2",
    "gfs2",
    "lustre",
)


def find_kind(folder: Path, mounts: str) -> str:
    """Such as "ext4"; "" where `mounts` does not tell. `folder` is absolute and has no symbolic links in it."""
    kind, longest = "", -1
    for line in mounts.splitlines():
        match line.split(" "):
            case [_, place, found, *_]:
                point = Path(_ESCAPE.sub(lambda escape: chr(int(escape[1], 8)), place))
                if len(point.parts) >= longest and folder.is_relative_to(point):
                    kind, longest = found, len(point.parts)
            case _:
                continue
    return kind


def is_in_memory(kind: str) -> bool:
    return kind in _IN_MEMORY


def is_shared(kind: str) -> bool:
    """Over a network, or by a program (FUSE): locks and shared memory, which SQLite's log needs, may not work there."""
    return kind in _OF_A_NETWORK or kind == "fuse" or kind.startswith("fuse.")
