"""Access as it is opened with an edge."""

from pathlib import Path

from tests.cli.running import dev, run

EDGE = """\
[access]
team = "acme"

[[access.identities]]
email = "ada@example.com"

[[access.apps]]
name = "Shop"
domain = "shop.localhost"
policies = [{ name = "Staff", decision = "allow", include = [{ email = "ada@example.com" }] }]

[[zones]]
name = "shop.localhost"
routes_without_worker = ["*shop.localhost/*"]
"""


def test_a_login_made_before_the_first_request_counts_on_whatever_port_the_edge_is(tmp_path: Path) -> None:
    (tmp_path / "edge.toml").write_text(EDGE)

    with dev("--edge", "edge.toml", cwd=tmp_path) as edge:
        port = edge.url.rpartition(":")[2]
        login = run(
            "access", "login", "ada@example.com", "--app", "shop.localhost", "--edge", "edge.toml", cwd=tmp_path
        )
        field, _, token = login.stdout.strip().splitlines()[-1].partition(": ")
        answer = edge.get(f"shop.localhost:{port}", headers={field: token})

    assert login.returncode == 0
    assert answer.status == 530, "past Access, where no origin stands"
