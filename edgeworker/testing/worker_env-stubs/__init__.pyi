"""The type of `env` where a project has no worker_env.pyi of its own, which `edgeworker types` writes."""

from _typeshed import Incomplete

Env = Incomplete
