"""Worker projects that were published into a running edge: their versions, and which one is deployed.

An index (values, pure) says what there is; a store keeps it in the data directory with one archive for each version.
"""

from edgeworker.publishing.archive import InvalidArchive, pack, unpack
from edgeworker.publishing.publisher import Publication, PublishRefused, WorkerPublisher
from edgeworker.publishing.version_store import VersionStore
from edgeworker.publishing.versions import (
    PublishedIndex,
    PublishedProject,
    PublishedWorker,
    WorkerDeployment,
    WorkerVersion,
)

__all__ = [
    "InvalidArchive",
    "Publication",
    "PublishRefused",
    "PublishedIndex",
    "PublishedProject",
    "PublishedWorker",
    "VersionStore",
    "WorkerDeployment",
    "WorkerPublisher",
    "WorkerVersion",
    "pack",
    "unpack",
]
