"""The kind of a folder's file system, from what Linux tells in /proc/self/mounts."""

from pathlib import Path

import pytest

from edgeworker.cli.production.mounts import find_kind, is_in_memory, is_shared

MOUNTS = r"""/dev/vda1 / ext4 rw,relatime 0 0
tmpfs /dev/shm tmpfs rw,nosuid,nodev 0 0
filer:/export /srv/edge nfs4 rw,vers=4.2 0 0
/dev/vdb /srv/edge/local xfs rw 0 0
//filer/with\040space /mnt/with\040space cifs rw 0 0
/dev/vdc /hidden ext4 rw 0 0
tmpfs /hidden tmpfs rw 0 0
broken
"""


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/var/lib/edgeworker", "ext4"),
        ("/dev/shm/edge", "tmpfs"),
        ("/dev/shmem", "ext4"),
        ("/srv/edge", "nfs4"),
        ("/srv/edge/local/data", "xfs"),
        ("/mnt/with space/data", "cifs"),
        ("/hidden/data", "tmpfs"),
    ],
)
def test_the_nearest_mount_that_is_on_top_counts(folder: str, kind: str) -> None:
    assert find_kind(Path(folder), MOUNTS) == kind


def test_without_a_mount_nothing_is_told() -> None:
    assert find_kind(Path("/var/lib/edgeworker"), "") == ""


@pytest.mark.parametrize(
    ("kind", "in_memory", "shared"),
    [
        ("", False, False),
        ("ext4", False, False),
        ("overlay", False, False),
        ("fuseblk", False, False),
        ("tmpfs", True, False),
        ("ramfs", True, False),
        ("nfs", False, True),
        ("cifs", False, True),
        ("fuse.glusterfs", False, True),
    ],
)
def test_memory_and_networks_keep_no_data_directory_well(kind: str, in_memory: bool, shared: bool) -> None:
    assert (is_in_memory(kind), is_shared(kind)) == (in_memory, shared)
