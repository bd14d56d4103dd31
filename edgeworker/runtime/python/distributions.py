"""What `importlib.metadata` tells a script of the packages in its `python_modules/`: many ask for their own version."""

from collections.abc import Iterable, Sequence
from importlib.machinery import FileFinder
from importlib.metadata import Distribution, DistributionFinder, MetadataPathFinder


def find_distributions(folders: Sequence[FileFinder], context: DistributionFinder.Context) -> Iterable[Distribution]:
    """Those of `folders` that are not installed: an installed package is imported in place of a deployed one."""
    here = DistributionFinder.Context(name=context.name, path=[each.path for each in folders])
    for found in MetadataPathFinder.find_distributions(here):
        installed = MetadataPathFinder.find_distributions(DistributionFinder.Context(name=found.name))
        if next(iter(installed), None) is None:
            yield found
