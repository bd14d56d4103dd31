from edgeworker.bindings import AnalyticsBinding, RateLimitBinding, StoredSecretBinding
from tests.wrangler_compat.project import Project, texts

BINDINGS = """\
[[ratelimits]]
name = "RL"
namespace_id = "1001"
simple = { limit = 5, period = 60 }
[[analytics_engine_datasets]]
binding = "EVENTS"
[[secrets_store_secrets]]
binding = "KEY"
store_id = "1"
secret_name = "the-key"
[[secrets_store_secrets]]
binding = "OTHER"
store_id = "1"
secret_name = "other"
"""


def test_rate_limits_analytics_and_stored_secrets_are_bound(project: Project) -> None:
    project.worker(BINDINGS)
    project.write(".dev.vars", "KEY=s3cret\n")

    loaded = project.load()

    assert texts(loaded, "warning") == []
    assert loaded.require().workers[0].bindings == (
        RateLimitBinding("RL", "1001", 5, 60),
        AnalyticsBinding("EVENTS", "EVENTS"),
        StoredSecretBinding("KEY", "the-key", "s3cret"),
        StoredSecretBinding("OTHER", "other", None),
    )
    assert "s3cret" not in repr(loaded.require())
