"""What only shows when all workers are known."""

import pytest

from tests.wrangler_compat.project import Project, places, texts


def two(project: Project, first: str, second: str) -> tuple[str, str]:
    for name, text in (("a", first), ("b", second)):
        project.worker(text, f"{name}/wrangler.toml")
        file = project.folder / name / "wrangler.toml"
        file.write_text(file.read_text("utf-8").replace('name = "w"', f'name = "{name}"'), "utf-8")
    return "a/wrangler.toml", "b/wrangler.toml"


@pytest.mark.parametrize(
    ("first", "second", "what"),
    [
        ('"example.com/*"', '"example.com/*"', 'The route "example.com/*"'),
        ('"example.com/a b"', '"EXAMPLE.com/a%20b"', 'The route "EXAMPLE.com/a%20b"'),
        ('"example.com"', '{ pattern = "example.com/", zone_name = "example.com" }', 'The route "example.com/"'),
        (
            '{ pattern = "example.com", custom_domain = true }',
            '{ pattern = "Example.com", custom_domain = true }',
            'The custom domain "Example.com"',
        ),
    ],
)
def test_two_workers_cannot_have_the_same_route(project: Project, first: str, second: str, what: str) -> None:
    loaded = project.load(*two(project, f"routes = [{first}]\n", f"routes = [{second}]\n"))

    assert texts(loaded, "error") == [
        f'{what} exists twice, for the workers "a" and "b": one URL cannot run both, so remove one of them.'
    ]
    assert places(loaded, "error") == ["a/wrangler.toml:5 (routes[0])", "b/wrangler.toml:5 (routes[0])"]


def test_a_route_and_a_custom_domain_may_share_a_host(project: Project) -> None:
    loaded = project.load(
        *two(project, 'routes = ["example.com/*"]\n', 'routes = [{ pattern = "example.com", custom_domain = true }]\n')
    )

    assert texts(loaded, "error") == []


def test_the_same_pattern_in_two_zones_is_not_the_same_route(project: Project) -> None:
    loaded = project.load(
        *two(
            project,
            'routes = [{ pattern = "*/*", zone_name = "example.com" }]\n',
            'routes = [{ pattern = "*/*", zone_name = "example.org" }]\n',
        )
    )

    assert texts(loaded, "error") == []


def test_two_workers_cannot_have_the_same_name(project: Project) -> None:
    project.worker(name="a/wrangler.toml")
    project.worker(name="b/wrangler.toml")

    loaded = project.load("a/wrangler.toml", "b/wrangler.toml")

    assert texts(loaded, "error") == ['2 workers have the name "w": give each of them a "name" of its own.']
    assert places(loaded, "error") == ["a/wrangler.toml:1 (name)", "b/wrangler.toml:1 (name)"]


def test_a_service_that_does_not_run_here_is_a_warning_because_it_may_run_elsewhere(project: Project) -> None:
    service = '[[services]]\nbinding = "S"\nservice = "{}"\n'
    loaded = project.load(*two(project, service.format("b"), service.format("elsewhere")))

    assert texts(loaded, "warning") == [
        'The worker "b" has the service "elsewhere" as env.S, but no such worker runs here: using it raises an error. '
        "Add its configuration with -c or in edge.toml."
    ]


def test_the_account_is_that_of_edge_toml_else_of_the_first_worker_and_others_are_told(project: Project) -> None:
    files = two(project, 'account_id = "1"\n', 'account_id = "2"\n')
    without = project.load(*files)
    project.write("edge.toml", 'account_id = "3"\n')
    with_edge = project.load(*files, edge="edge.toml")

    assert (without.config.account_id, with_edge.config.account_id) == ("1", "3")
    assert len(texts(without, "warning")) == 1
    assert len(texts(with_edge, "warning")) == 2


def test_a_default_worker_that_does_not_exist_is_an_error_at_its_line(project: Project) -> None:
    project.worker()
    project.write("edge.toml", '# which one?\ndefault_worker = "gone"\n')

    loaded = project.load()

    assert texts(loaded, "error") == ['The default worker "gone" does not exist. There are: "w".']
    assert places(loaded, "error") == ["edge.toml:2 (default_worker)"]


def test_what_the_edge_itself_refuses_is_an_error_too(project: Project) -> None:
    loaded = project.load(
        *two(
            project,
            'routes = [{ pattern = "api.example.com/*", zone_name = "example.com" }]\n',
            'routes = [{ pattern = "api.example.com/x", zone_name = "api.example.com" }]\n',
        )
    )

    assert 'so it could never match; give it zone "api.example.com"' in texts(loaded, "error")[0]


def test_a_worker_with_an_error_does_not_make_others_look_wrong(project: Project) -> None:
    files = two(project, "main = 5\n", '[[services]]\nbinding = "S"\nservice = "a"\n')
    project.write("edge.toml", 'default_worker = "a"\n')

    loaded = project.load(*files, edge="edge.toml")

    assert len(texts(loaded, "error")) == 1
    assert texts(loaded, "warning") == []
