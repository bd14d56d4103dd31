"""How long the origins of load balancers may take."""

from edgeworker.balancing.settings import LoadBalancer, OriginServer, OriginTimeouts
from edgeworker.config import Config, Outbound, Zone
from edgeworker.routing import origin_timeouts_of


def test_what_a_load_balancer_does_not_say_is_as_for_every_other_origin() -> None:
    balancer = LoadBalancer((OriginServer("HTTP://A:80"),), first_byte_timeout_seconds=3)
    outbound = Outbound(connect_timeout_seconds=7, response_timeout_seconds=9)
    config = Config(zones=(Zone("example.com", load_balancers=(balancer,)),), outbound=outbound)

    assert origin_timeouts_of(config) == {"http://a": OriginTimeouts(7, 3, 9)}


def test_an_origin_of_two_load_balancers_has_the_shorter_times() -> None:
    one = LoadBalancer((OriginServer("http://a"),), connect_timeout_seconds=1, idle_timeout_seconds=8)
    two = LoadBalancer(
        (OriginServer("http://a/"),), "api.example.com", connect_timeout_seconds=2, idle_timeout_seconds=4
    )
    config = Config(zones=(Zone("example.com", load_balancers=(one, two)),))

    assert origin_timeouts_of(config) == {"http://a": OriginTimeouts(1, 100.0, 4)}
