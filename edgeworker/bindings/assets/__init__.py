"""The worker's own static assets. The service is `edgeworker.assets.Assets`, a Handler."""

from typing import TYPE_CHECKING, Final

from edgeworker.bindings.assets import wrangler
from edgeworker.bindings.assets.binding import AssetsBinding
from edgeworker.bindings.kind import Resources, make_kind
from edgeworker.errors import ConfigError

if TYPE_CHECKING:
    from edgeworker.assets import AssetServer
    from edgeworker.runtime.contract.javascript import EnvEntry


def _service(binding: AssetsBinding, resources: Resources) -> "AssetServer":
    if resources.assets is None:
        raise ConfigError(f"binding {binding.name}: the worker has no assets; set `assets` of the Worker")
    return resources.assets


def _python_view(binding: AssetsBinding, assets: "AssetServer") -> object:
    from edgeworker.bindings.assets.python_view import AssetsView

    return AssetsView(assets, name=binding.name)


def _javascript_view(_binding: AssetsBinding, assets: "AssetServer") -> "EnvEntry":
    from edgeworker.runtime.contract.javascript import EnvFetcher

    return EnvFetcher(assets)


KIND: Final = make_kind(
    AssetsBinding,
    fields=(wrangler.FIELD,),
    read=wrangler.read_bindings,
    describe=lambda _binding: ("Assets", ""),
    annotate=lambda _binding: "Fetcher",
    service=_service,
    python=_python_view,
    javascript=_javascript_view,
)
