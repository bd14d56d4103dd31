"""The bindings of rate limits, analytics and stored secrets. Pure."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from edgeworker.bindings import AnalyticsBinding, RateLimitBinding, SecretBinding, StoredSecretBinding, TextBinding
from edgeworker.config import Binding
from edgeworker.schema.wrangler_checks import as_table

OWN_FIELDS: Final = ("ratelimits", "analytics_engine_datasets", "secrets_store_secrets")


def more_bindings(items: Callable[[str], Iterator[tuple[int, Mapping[str, object]]]]) -> Iterator[Binding]:
    """`items` gives the tables of a field. Where one is wrong an error tells of it already."""
    for _, item in items("ratelimits"):
        simple = as_table(item.get("simple")) or {}
        name, namespace = item.get("name"), item.get("namespace_id")
        limit, period = simple.get("limit"), simple.get("period")
        if isinstance(name, str) and isinstance(namespace, str) and isinstance(limit, int) and isinstance(period, int):
            yield RateLimitBinding(name, namespace, limit, period)
    for _, item in items("analytics_engine_datasets"):
        name, dataset = item.get("binding"), item.get("dataset")
        if isinstance(name, str):
            yield AnalyticsBinding(name, dataset if isinstance(dataset, str) else name)
    for _, item in items("secrets_store_secrets"):
        name, secret_name = item.get("binding"), item.get("secret_name")
        if isinstance(name, str) and isinstance(secret_name, str):
            yield StoredSecretBinding(name, secret_name)


def with_stored_secrets(bindings: Sequence[Binding], texts: Sequence[Binding]) -> tuple[Binding, ...]:
    """All of them; a text with the name of a stored secret is that secret's value, because here is no store."""
    stored = {binding.name for binding in bindings if isinstance(binding, StoredSecretBinding)}
    values = {text.name: text.text for text in texts if isinstance(text, SecretBinding | TextBinding)}
    filled = (
        replace(binding, text=values.get(binding.name)) if isinstance(binding, StoredSecretBinding) else binding
        for binding in bindings
    )
    return (*filled, *(text for text in texts if text.name not in stored))
