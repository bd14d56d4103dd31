"""Which zone a route belongs to."""

import pytest

from edgeworker.config import Config
from tests.wrangler_compat.project import Project, texts
from wrangler_compat.zones import registrable_domain


@pytest.mark.parametrize(
    ("host", "domain"),
    [
        ("example.com", "example.com"),
        ("a.b.example.co.uk", "example.co.uk"),
        ("me.github.io", "me.github.io"),
        ("shop.test", "shop.test"),
        ("co.uk", None),
        ("localhost", None),
        ("127.0.0.1", None),
        ("[::1]", None),
        ("", None),
    ],
)
def test_the_registrable_domain_of_a_host(host: str, domain: str | None) -> None:
    assert registrable_domain(host) == domain


def zones_of_routes(config: Config) -> dict[str, str | None]:
    return {route.pattern: route.zone for route in config.routes}


def test_a_route_is_in_the_zone_that_it_names_else_in_that_of_its_host(project: Project) -> None:
    config = project.config(
        'routes = ["api.example.com/*", "*.example.co.uk/*", "*example.org/*", "localhost/*", "127.0.0.1/x", "*/*", '
        '{ pattern = "saas.net/*", zone_name = "Example.COM" }, { pattern = "shop.example.net/*", zone_id = "77" }]\n'
    )

    assert zones_of_routes(config) == {
        "api.example.com/*": "example.com",
        "*.example.co.uk/*": "example.co.uk",
        "*example.org/*": "example.org",
        "localhost/*": None,
        "127.0.0.1/x": None,
        "*/*": None,
        "saas.net/*": "example.com",
        "shop.example.net/*": "example.net",
    }
    ids = {zone.name: zone.id for zone in config.zones}
    assert set(ids) == {"example.com", "example.co.uk", "example.org", "example.net"}
    assert ids["example.net"] == "77"
    assert len(ids["example.com"]) == 32


def test_a_zone_that_another_route_names_takes_the_hosts_below_it(project: Project) -> None:
    config = project.config(
        'routes = ["x.api.example.com/*", { pattern = "api.example.com/*", zone_name = "api.example.com" }]\n'
    )

    assert zones_of_routes(config)["x.api.example.com/*"] == "api.example.com"


def test_declared_zones_come_first_and_their_ids_are_known(project: Project) -> None:
    project.worker('routes = ["a.shop.example.com/*", { pattern = "*/*", zone_id = "z1" }]\n')
    project.write("edge.toml", '[[zones]]\nname = "shop.example.com"\nid = "z1"\norigin = "http://127.0.0.1:1"\n')

    loaded = project.load()

    assert zones_of_routes(loaded.require()) == {"a.shop.example.com/*": "shop.example.com", "*/*": "shop.example.com"}
    assert texts(loaded, "warning") == []


def test_a_zone_that_edge_toml_does_not_declare_is_a_warning(project: Project) -> None:
    project.worker('routes = ["example.org/*"]\n')
    project.write("edge.toml", '[[zones]]\nname = "example.com"\n')

    loaded = project.load()

    assert [zone.name for zone in loaded.require().zones] == ["example.com", "example.org"]
    assert texts(loaded, "warning") == [
        'The route "example.org/*" is of zone "example.org", which edge.toml does not declare (it declares '
        '"example.com"): the zone has no origin of its own.'
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('name = "example.com"\norigins = { "other.org" = "http://a" }\n', 'has an origin for "other.org"'),
        ('name = "example.com"\n[[zones]]\nname = "Example.com"\n', 'Zone "example.com" exists twice'),
    ],
)
def test_a_declared_zone_that_cannot_be_meant_is_an_error(project: Project, text: str, says: str) -> None:
    project.write("edge.toml", f"[[zones]]\n{text}")

    assert says in texts(project.load(), "error")[0]


def test_the_old_zone_id_at_the_top_is_that_of_routes_without_one(project: Project) -> None:
    config = project.config('zone_id = "13e"\nroutes = ["example.com/*", "example.org/*"]\n')

    ids = {zone.name: zone.id for zone in config.zones}
    assert ids["example.com"] == "13e"
    assert ids["example.org"] != "13e"


def test_a_zone_id_that_says_nothing_about_the_host_is_told(project: Project) -> None:
    project.worker('routes = [{ pattern = "*/*", zone_id = "77" }]\n')

    loaded = project.load()

    assert zones_of_routes(loaded.require()) == {"*/*": None}
    assert 'The zone with the id "77" is not known' in texts(loaded, "warning")[0]


@pytest.mark.parametrize("name", ["exa mple.com", "example.com:80", ""])
def test_a_zone_name_that_is_not_a_host_is_an_error(project: Project, name: str) -> None:
    project.worker(f'routes = [{{ pattern = "a.example.com/*", zone_name = "{name}" }}]\n')

    loaded = project.load()

    assert bool(texts(loaded, "error")) is bool(name)


def test_a_zone_may_have_routes_without_a_worker(project: Project) -> None:
    project.write(
        "edge.toml",
        '[[zones]]\nname = "Example.com"\nroutes_without_worker = ["*example.com/images/cat.png", "*/*"]\n'
        '[[workers]]\nconfig = "wrangler.toml"\n',
    )

    config = project.config('routes = ["*example.com/images/*"]\n')

    # https://developers.cloudflare.com/workers/configuration/routing/routes/#matching-behavior
    assert [(route.pattern, route.worker, route.zone) for route in config.routes] == [
        ("*example.com/images/cat.png", None, "example.com"),
        ("*/*", None, "example.com"),
        ("*example.com/images/*", "w", "example.com"),
    ]


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("example.com/*.png", "a wildcard (*) may only be the last character of the path"),
        (
            "other.org/*",
            'The pattern "other.org/*" is not of the zone "example.com": its host must end in example.com.',
        ),
        ("notexample.com/*", 'not of the zone "example.com"'),
        ("example.com/api/*", 'exists twice, for the workers none and "w"'),
    ],
)
def test_a_route_without_a_worker_that_cannot_be_is_an_error(project: Project, pattern: str, text: str) -> None:
    project.worker('routes = ["example.com/api/*"]\n')
    project.write(
        "edge.toml",
        f'[[zones]]\nname = "example.com"\nroutes_without_worker = ["{pattern}"]\n'
        '[[workers]]\nconfig = "wrangler.toml"\n',
    )

    assert text in "\n".join(texts(project.load(edge="edge.toml"), "error"))
