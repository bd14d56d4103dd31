"""Which operations are answered by the split-token script, whose clients send no JWT. Pure."""

import re
from typing import Final

from edgeworker.config import Config
from edgeworker.messages import URL
from edgeworker.products.api_shield.config import ShieldConfig
from edgeworker.routing import Resolver
from edgeworker.routing.resolver import RunWorker

_VARIABLE: Final = re.compile(r"\{[^{}]*\}")


def find_split_token_routes(config: Config, resolver: Resolver, shield: ShieldConfig) -> dict[str, str]:
    """By the id of an operation, how its requests come to that script."""
    scripts = {worker.name for worker in config.workers if worker.is_default_script}
    found: dict[str, str] = {}
    for operation in shield.operations if scripts else ():
        example = URL.from_target("https", _VARIABLE.sub("x", operation.host), _VARIABLE.sub("x", operation.endpoint))
        match resolver.resolve(example):
            case RunWorker(worker=name, route=route) if name in scripts:
                found[operation.id] = (
                    f'the worker "{name}" on every host' if route is None else f"the route {route.pattern}"
                )
            case _:
                pass
    return found
