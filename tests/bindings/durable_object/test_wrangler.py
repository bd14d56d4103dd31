"""`durable_objects` and `migrations` of wrangler's configuration."""

from edgeworker.bindings import DurableObjectBinding
from edgeworker.schema.diagnostics import Diagnostics
from tests.wrangler_compat.project import HEAD, document
from wrangler_compat.config import parse_worker
from wrangler_compat.environments import choose

CONFIG = """
[[durable_objects.bindings]]
name = "ROOMS"
class_name = "Room"

[[durable_objects.bindings]]
name = "OLD"
class_name = "Old"
script_name = "w"

[[durable_objects.bindings]]
name = "THERE"
class_name = "There"
script_name = "other"

[[migrations]]
tag = "v1"
new_sqlite_classes = ["Lobby", "Gone"]
new_classes = ["Old"]

[[migrations]]
tag = "v2"
renamed_classes = [{ from = "Lobby", to = "Room" }]
deleted_classes = ["Gone"]
"""


def test_migrations_say_which_classes_have_sqlite_under_the_names_of_now() -> None:
    parsed = parse_worker(choose(document(HEAD + CONFIG), None, Diagnostics()), Diagnostics())

    assert parsed.bindings == (
        DurableObjectBinding("ROOMS", "Room", None, uses_sqlite=True),
        DurableObjectBinding("OLD", "Old", None, uses_sqlite=False),
        DurableObjectBinding("THERE", "There", "other", uses_sqlite=True),
    )
