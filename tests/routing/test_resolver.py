from dataclasses import replace
from pathlib import Path

import pytest

from edgeworker.config import Config, CustomDomain, ProductConfig, Route, Worker, Zone
from edgeworker.errors import ConfigError
from edgeworker.messages import URL
from edgeworker.routing import Resolution, Resolver, RunWorker, ToOrigin

ZONE = Zone("example.com", "z1", origin="http://origin", origins={"api.example.com": "http://api-origin"})
SHOP = Zone("shop.example.com", "z2")
SAAS = Zone("saas.example", "z3", origin="http://saas-origin")

# One Config with everything that can take a request; each test asks it, or changes what it is about.
CONFIG = Config(
    workers=tuple(
        Worker(name, Path("/w.py"), workers_dev=name in ("site", "lone")) for name in ("site", "lone", "default")
    ),
    routes=(
        Route("example.com/site/*", "site", zone="example.com"),
        Route("example.com/site/static/*", None, zone="example.com"),
        Route("app.example.com/routed/*", "site", zone="example.com"),
        Route("app.example.com/bypassed/*", None, zone="example.com"),
        Route("localhost/static/*", None),
        Route("*/everywhere", "lone"),
        Route("*/*", "site", zone="saas.example"),
    ),
    custom_domains=(CustomDomain("app.example.com", "lone", zone="example.com"), CustomDomain("solo.test", "lone")),
    zones=(ZONE, SHOP, SAAS),
    default_worker="default",
    origin="http://last-resort",
    workers_dev_subdomain="acme",
)


def _without_customers(config: Config = CONFIG) -> Config:
    return replace(config, routes=tuple(route for route in config.routes if route.zone != "saas.example"))


def _resolve(config: Config, url: str) -> Resolution:
    return Resolver(config).resolve(URL.parse(url))


@pytest.mark.parametrize(
    ("url", "worker", "by", "zone"),
    [
        ("http://example.com/site/x", "site", "route", ZONE),
        ("http://example.com./site/x", "site", "route", ZONE),
        ("http://www.example.com/everywhere", "lone", "route", ZONE),
        ("http://elsewhere.test/everywhere", "lone", "route", None),
        # https://developers.cloudflare.com/workers/configuration/routing/custom-domains/ : routes run first.
        ("http://app.example.com/routed/x", "site", "route", ZONE),
        ("http://app.example.com/", "lone", "custom domain", ZONE),
        ("http://solo.test/any/path?x", "lone", "custom domain", None),
        # No worker runs by this route, but the origin of a custom domain is its worker.
        ("http://app.example.com/bypassed/x", "lone", "custom domain", ZONE),
        ("http://site.acme.workers.dev/x", "site", "workers.dev", None),
        ("http://localhost:8787/", "default", "default worker", None),
        ("http://127.0.0.1/", "default", "default worker", None),
        ("http://[::1]:8787/", "default", "default worker", None),
        ("http://any.localhost/", "default", "default worker", None),
    ],
)
def test_a_worker_is_found_by_route_custom_domain_workers_dev_and_default(
    url: str, worker: str, by: str, zone: Zone | None
) -> None:
    match _resolve(_without_customers(), url):
        case RunWorker() as found:
            assert (found.worker, found.matched_by, found.zone) == (worker, by, zone)
        case ToOrigin() as found:
            pytest.fail(f"went to the origin: {found.why}")


@pytest.mark.parametrize(
    ("url", "zone", "origin", "why"),
    [
        ("http://example.com/", ZONE, "http://origin", 'no route of zone "example.com" matches'),
        ("http://api.example.com/", ZONE, "http://api-origin", 'no route of zone "example.com" matches'),
        # The longest zone name has the host, and only its own routes are asked.
        ("http://shop.example.com/site/x", SHOP, "http://last-resort", 'no route of zone "shop.example.com" matches'),
        (
            "http://example.com/site/static/x",
            ZONE,
            "http://origin",
            'route "example.com/site/static/*" runs no worker',
        ),
        # A route that says "no worker" means the default worker too.
        ("http://localhost/static/x", None, "http://last-resort", 'route "localhost/static/*" runs no worker'),
        (
            "http://default.acme.workers.dev/",
            None,
            "http://last-resort",
            "no route matches, and the host belongs to no zone",
        ),
        (
            "http://site.other.workers.dev/",
            None,
            "http://last-resort",
            "no route matches, and the host belongs to no zone",
        ),
        ("http://nowhere.test/", None, "http://last-resort", "no route matches, and the host belongs to no zone"),
        ("http://notlocalhost/", None, "http://last-resort", "no route matches, and the host belongs to no zone"),
    ],
)
def test_what_nothing_takes_goes_to_the_origin(url: str, zone: Zone | None, origin: str, why: str) -> None:
    match _resolve(_without_customers(), url):
        case ToOrigin() as found:
            assert (found.zone, found.origin, found.why) == (zone, origin, why)
        case RunWorker() as found:
            pytest.fail(f"ran worker {found.worker} by {found.matched_by}")


@pytest.mark.parametrize(
    ("host", "is_served"),
    [
        ("app.example.com", True),
        ("site.acme.workers.dev", True),
        ("other.acme.workers.dev", False),
        ("any.example.com", True),
        ("team.cloudflareaccess.com", True),
        ("cloudflareaccess.com", False),
        ("localhost", False),
    ],
)
def test_a_host_is_served_for_its_zone_a_worker_or_a_product(host: str, is_served: bool) -> None:
    class Team(ProductConfig):
        @property
        def hosts(self) -> tuple[str, ...]:
            return ("Team.cloudflareaccess.com",)

    assert Resolver(replace(CONFIG, products=(Team(),))).is_served(host) is is_served


@pytest.mark.parametrize(
    ("url", "zone"),
    [
        ("http://example.com/x", ZONE),
        ("http://a.example.com./x", ZONE),
        ("http://customer.test/x", SAAS),
        ("http://site.acme.workers.dev/x", SAAS),  # by its route */*
    ],
)
def test_a_request_meets_the_products_of_its_host_or_of_the_zone_that_serves_its_customer(
    url: str, zone: Zone | None
) -> None:
    assert Resolver(CONFIG).serving_zone(URL.parse(url)) == zone
    assert _resolve(CONFIG, url).zone == zone


def test_a_host_without_a_zone_meets_the_products_of_none() -> None:
    assert Resolver(_without_customers()).serving_zone(URL.parse("http://site.acme.workers.dev/")) is None


def test_there_may_be_no_origin() -> None:
    assert _resolve(Config(), "http://example.com/") == ToOrigin(None, None)


def test_the_default_worker_can_have_every_host() -> None:
    config = replace(_without_customers(), default_on_every_host=True)

    assert _resolve(config, "http://nowhere.test/") == RunWorker("default", "default worker", None)
    assert _resolve(config, "http://example.com/") == RunWorker("default", "default worker", ZONE)
    assert _resolve(config, "http://app.example.com/") == RunWorker("lone", "custom domain", ZONE)


def test_a_zone_serves_the_hosts_of_its_customers() -> None:
    # https://developers.cloudflare.com/cloudflare-for-platforms/cloudflare-for-saas/start/advanced-settings/worker-as-origin/
    resolver = Resolver(CONFIG)

    found = resolver.resolve(URL.parse("https://app.customer.test/x"))

    assert found == RunWorker("site", "route", SAAS, Route("*/*", "site", zone="saas.example"))
    assert resolver.resolve_origin(URL.parse("https://app.customer.test/x"), SAAS) == ToOrigin(
        SAAS, "http://saas-origin"
    )
    # Hosts of other zones are never a customer's.
    assert isinstance(resolver.resolve(URL.parse("https://example.com/x")), ToOrigin)


def test_of_two_zones_with_one_pattern_for_customers_the_first_has_them() -> None:
    routes = (Route("*/*", "site", zone="saas.example"), Route("*/*", "lone", zone="shop.example.com"))
    resolver = Resolver(replace(CONFIG, routes=routes))

    assert resolver.resolve(URL.parse("http://customer.test/")) == RunWorker("site", "route", SAAS, routes[0])
    assert resolver.resolve(URL.parse("http://shop.example.com/")) == RunWorker("lone", "route", SHOP, routes[1])


def test_a_route_for_the_hosts_of_its_zone_does_not_take_other_hosts() -> None:
    config = replace(CONFIG, routes=(Route("*example.com/*", "site", zone="example.com"),))

    assert isinstance(_resolve(config, "http://myexample.com/"), ToOrigin)
    assert isinstance(_resolve(config, "http://www.example.com/"), RunWorker)


@pytest.mark.parametrize(
    ("url", "behind"),
    [
        ("http://app.example.com/routed/x", RunWorker("lone", "custom domain", ZONE)),
        ("http://example.com/site/x", ToOrigin(ZONE, "http://origin")),
        ("http://api.example.com/", ToOrigin(ZONE, "http://api-origin")),
        ("http://example.com./site/x", ToOrigin(ZONE, "http://origin")),
    ],
)
def test_behind_the_routes_stands_the_custom_domains_worker_or_the_origin(url: str, behind: Resolution) -> None:
    assert Resolver(CONFIG).resolve_origin(URL.parse(url), ZONE) == behind


@pytest.mark.parametrize(
    ("url", "steps"),
    [
        (
            "http://example.com/site/x",
            [
                'zone: "example.com" belongs to zone "example.com"',
                'routes: "example.com/site/*" wins and runs worker "site"',
            ],
        ),
        (
            "http://app.example.com/bypassed/x",
            [
                'zone: "app.example.com" belongs to zone "example.com"',
                'routes: "app.example.com/bypassed/*" wins and runs no worker',
                'custom domains: "app.example.com" is one of worker "lone"',
            ],
        ),
        (
            "http://example.com/site/static/x",
            [
                'zone: "example.com" belongs to zone "example.com"',
                'routes: "example.com/site/static/*" wins and runs no worker',
                'custom domains: "example.com" is none',
                "origin: http://origin",
            ],
        ),
        (
            "http://site.acme.workers.dev/",
            [
                'zone: "site.acme.workers.dev" belongs to no zone',
                "routes: none matches",
                'custom domains: "site.acme.workers.dev" is none',
                'workers.dev: the name of worker "site"',
            ],
        ),
        (
            "http://localhost/",
            [
                'zone: "localhost" belongs to no zone',
                "routes: none matches",
                'custom domains: "localhost" is none',
                "workers.dev: no worker's name; those are <worker>.acme.workers.dev",
                'default worker: worker "default", for localhost and loopback addresses',
            ],
        ),
        (
            "http://nowhere.test/",
            [
                'zone: "nowhere.test" belongs to no zone',
                "routes: none matches",
                'custom domains: "nowhere.test" is none',
                "workers.dev: no worker's name; those are <worker>.acme.workers.dev",
                'default worker: worker "default" is for localhost and loopback addresses only',
                "origin: http://last-resort",
            ],
        ),
    ],
)
def test_an_explanation_has_each_place_that_was_asked(url: str, steps: list[str]) -> None:
    resolver = Resolver(_without_customers())

    explanation = resolver.explain(URL.parse(url))

    assert [f"{step.place}: {step.found}" for step in explanation.steps] == steps
    assert explanation.resolution == resolver.resolve(URL.parse(url))


def test_an_explanation_without_a_default_worker_or_origin_says_so() -> None:
    config = replace(CONFIG, routes=(), default_worker=None, origin=None)

    explanation = Resolver(config).explain(URL.parse("http://nowhere.test/"))

    assert [step.found for step in explanation.steps[-2:]] == ["none is configured", "none is configured for this host"]


def test_a_default_worker_for_every_host_is_explained() -> None:
    config = replace(CONFIG, routes=(), default_on_every_host=True)

    explanation = Resolver(config).explain(URL.parse("http://nowhere.test/"))

    assert explanation.steps[-1].found == 'worker "default", on every host'


def test_an_explanation_tells_asked_routes_from_those_of_other_zones() -> None:
    explanation = Resolver(CONFIG).explain(URL.parse("http://shop.example.com/"))

    assert [verdict.route.pattern for verdict in explanation.verdicts] == ["localhost/static/*", "*/everywhere"]
    assert [route.zone for route in explanation.elsewhere] == ["example.com"] * 4 + ["saas.example"]


def test_a_route_finds_its_zone_by_any_spelling() -> None:
    config = replace(CONFIG, routes=(Route("example.com/*", "site", zone="Example.COM"),))

    assert _resolve(config, "http://example.com/") == RunWorker(
        "site", "route", ZONE, Route("example.com/*", "site", zone="example.com")
    )


@pytest.mark.parametrize(
    ("config", "says"),
    [
        (
            replace(CONFIG, routes=(Route("example.com/*", "gone", source="w.toml: routes[0]"),)),
            'w.toml: routes[0]: route "example.com/*" runs worker "gone", which does not exist; '
            'there are "default", "lone", "site"',
        ),
        (
            replace(CONFIG, routes=(Route("example.com/*", "site", zone="other.com"),)),
            'route "example.com/*": there is no zone "other.com"; there are "example.com", "shop.example.com", ',
        ),
        (
            replace(CONFIG, zones=(), custom_domains=(), routes=(Route("example.com/*", None, zone="other.com"),)),
            'route "example.com/*": there is no zone "other.com"; there are none',
        ),
        (
            replace(CONFIG, routes=(Route("example.com/*", "site", zone="a/b"),)),
            'route "example.com/*": zone "a/b" is not a host name',
        ),
        (
            replace(CONFIG, routes=(Route("*.shop.example.com/*", "site", zone="example.com"),)),
            'its host belongs to zone "shop.example.com", so it could never match; give it zone "shop.example.com"',
        ),
        (
            replace(Config(workers=CONFIG.workers), routes=(Route("a*b/*", "site", source="w.toml: route"),)),
            'w.toml: route: Invalid route pattern "a*b/*"',
        ),
        (
            replace(CONFIG, custom_domains=(CustomDomain("*.example.com", "site", source="w.toml: routes[1]"),)),
            'w.toml: routes[1]: custom domain "*.example.com": wildcards (*) are not allowed in custom domains',
        ),
        (
            replace(CONFIG, custom_domains=(CustomDomain("example.com/x", "site"),)),
            'custom domain "example.com/x": paths are not allowed in custom domains',
        ),
        (
            replace(CONFIG, custom_domains=(CustomDomain("exa mple.com", "site"),)),
            'custom domain "exa mple.com": "exa mple.com" is not a host name',
        ),
        (
            replace(CONFIG, custom_domains=(CustomDomain("a.test", "gone"),)),
            'custom domain "a.test" is of worker "gone", which does not exist',
        ),
        (
            replace(CONFIG, custom_domains=(CustomDomain("a.test", "site", zone="example.com"),)),
            'custom domain "a.test" is not in its zone "example.com"',
        ),
        (
            replace(
                CONFIG,
                custom_domains=(
                    CustomDomain("a.test", "site", source="a.toml"),
                    CustomDomain("A.test", "lone", source="b.toml"),
                ),
            ),
            'b.toml: custom domain "A.test" is taken already by worker "site" (a.toml)',
        ),
        (replace(CONFIG, default_worker="gone"), 'The default worker "gone" does not exist'),
        (replace(Config(), default_worker="gone"), 'The default worker "gone" does not exist; there are none'),
    ],
)
def test_what_cannot_be_meant_is_refused_with_the_place_and_what_would_be_right(config: Config, says: str) -> None:
    with pytest.raises(ConfigError) as refused:
        Resolver(config)

    assert says in str(refused.value)
