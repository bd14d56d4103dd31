"""edge.toml: its values and its errors."""

from pathlib import Path

import pytest

from edgeworker.config import CF, KVSettings, Limits, Namespace, Outbound, Socket, Zone
from edgeworker.schema.diagnostics import Diagnostics
from tests.wrangler_compat.project import document
from wrangler_compat.edge_toml import EdgeFile, read_edge

WHOLE = """\
account_id = "acc"
default_worker = "gate"
origin = "http://127.0.0.1:1"
workers_dev_subdomain = "me"

[[zones]]
name = "example.com"
id = "z1"
origin = "http://127.0.0.1:2"
origins = { "api.example.com" = "http://127.0.0.1:3", "*.example.com" = "http://127.0.0.1:4" }

[[workers]]
config = "gate/wrangler.toml"
env = "staging"
default_script = true

[sockets]
edge = "0.0.0.0:80"
api = "[::1]:0"
trusted_proxies = ["10.0.0.0/8", "::1"]
proxy_protocol = true

[api]
hosts = ["edge.test"]
relaxed_expiration = true

[kv]
durability = "full"
consistency = "eventual"
visibility_delay_seconds = 5
seed = 7

[[kv.namespaces]]
id = "n1"
title = "tokens"

[outbound]
allow_private = ["10.0.0.0/8"]
ca_file = "ca.pem"
connect_timeout_seconds = 1
response_timeout_seconds = 2.5
max_subrequests = 50

[cf]
values = { country = "DE", botManagement = { score = 1 } }
override_header = "x-cf"

[limits]
request_line_bytes = 1
header_bytes = 2
headers = 3
headers_bytes = 4
body_bytes = 5
tls_handshake_timeout_seconds = 6
header_timeout_seconds = 7
body_grace_seconds = 8
body_bytes_per_second = 9
write_timeout_seconds = 10
keepalive_timeout_seconds = 11
half_closed_seconds = 12
connections_per_address = 13
drain_timeout_seconds = 14
"""


def read(text: str) -> tuple[EdgeFile, Diagnostics]:
    diagnostics = Diagnostics()
    return read_edge(document(text, "edge.toml"), diagnostics), diagnostics


def errors(text: str) -> list[str]:
    return [f"{message.text} [{message.locations[0].line}]" for message in read(text)[1].of("error")]


def test_every_key_is_read() -> None:
    edge, diagnostics = read(WHOLE)

    assert diagnostics.messages == []
    assert edge.account_id == "acc"
    assert edge.default_worker == "gate"
    assert edge.origin == "http://127.0.0.1:1"
    assert edge.workers_dev_subdomain == "me"
    assert edge.zones == (
        Zone(
            "example.com",
            "z1",
            "http://127.0.0.1:2",
            {"api.example.com": "http://127.0.0.1:3", "*.example.com": "http://127.0.0.1:4"},
            "edge.toml:6 (zones[0])",
        ),
    )
    (worker,) = edge.workers
    assert (worker.config, worker.env, worker.default_script) == ("gate/wrangler.toml", "staging", True)
    assert (edge.edge_socket, edge.api_socket) == (Socket("0.0.0.0", 80), Socket("::1", 0))
    assert (edge.trusted_proxies, edge.proxy_protocol) == (("10.0.0.0/8", "::1"), True)
    assert (edge.api_hosts, edge.relaxed_expiration) == (("edge.test",), True)
    assert edge.kv == KVSettings("full", "eventual", 5, 7)
    assert edge.namespaces == (Namespace("n1", "tokens"),)
    assert edge.outbound == Outbound(("10.0.0.0/8",), Path("/project/ca.pem"), 1.0, 2.5, 50)
    assert edge.cf == CF({"country": "DE", "botManagement": {"score": 1}}, "x-cf")
    assert edge.limits == Limits(*range(1, 15))


def test_an_empty_file_says_nothing_and_every_default_stays() -> None:
    edge, diagnostics = read("")

    assert diagnostics.messages == []
    assert edge == EdgeFile()


def test_a_zone_without_an_id_gets_one_that_stays_the_same() -> None:
    (first,) = read('[[zones]]\nname = "example.com"\n')[0].zones
    (again,) = read('[[zones]]\norigin = "http://a"\nname = "Example.com"\n')[0].zones

    assert first.id == again.id


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ('orgin = "http://a"\n', '"orgin" is not a key of edge.toml. Did you mean "origin"? [1]'),
        (
            "[zone]\n",
            '"zone" is not a key of edge.toml. Did you mean "zones"? [1]',
        ),
        (
            "[quux]\n",
            '"quux" is not a key of edge.toml. There are: account_id, default_worker, origin, workers_dev_subdomain, '
            "origin_ca, origin_verify, origin_client_cert, origin_client_key, origin_server_name, normalize_to_origin, "
            "zones, workers, sockets, api, tls, kv, outbound, javascript, python, cf, limits, access. [1]",
        ),
        ("[limits]\nbody_byte = 1\n", '"limits.body_byte" is not a key of edge.toml. Did you mean "body_bytes"? [2]'),
        ("[[kv.namespace]]\n", '"kv.namespace" is not a key of edge.toml. Did you mean "namespaces"? [1]'),
        ("[limits]\nheaders = 0\n", '"limits.headers" must be a whole number, 1 or more, not 0. [2]'),
        ('[kv]\ndurability = "some"\n', '"kv.durability" must be "normal" or "full", not "some". [2]'),
        (
            'origin = "127.0.0.1:3000"\n',
            '"origin" must be the base URL of a server, without a path, such as "http://127.0.0.1:3000", '
            'not "127.0.0.1:3000". [1]',
        ),
        ('[[zones]]\nid = "1"\n', '"zones[0]" has no "name": it must be a host name such as "example.com". [1]'),
        ("[zones]\n", '"zones" must be an array of tables: write [[zones]], not [zones]. [1]'),
        ("limits = 5\n", '"limits" must be a table, not 5: write [limits]. [1]'),
        ("zones = [5]\n", '"zones[0]" must be a table, not 5: write [[zones]]. [1]'),
        (
            '[[kv.namespaces]]\nid = "1"\ntitle = "a"\n[[kv.namespaces]]\nid = "1"\ntitle = "b"\n',
            'There are two namespaces with the id "1": remove one of them. [5]',
        ),
        (
            '[[kv.namespaces]]\nid = "1"\ntitle = "a"\n[[kv.namespaces]]\nid = "2"\ntitle = "a"\n',
            'There are two namespaces with the title "a": rename one of them. [6]',
        ),
    ],
)
def test_a_mistake_is_an_error_with_its_line_and_what_would_be_right(text: str, error: str) -> None:
    assert errors(text) == [error]


def test_all_mistakes_are_told_at_once() -> None:
    assert len(errors('a = 1\nb = 2\n[kv]\nseed = "x"\n[sockets]\nedge = 80\n')) == 4


@pytest.mark.parametrize(
    ("text", "everywhere", "zone", "told"),
    [
        ("", True, True, []),
        ("normalize_to_origin = true", True, True, []),
        ("normalize_to_origin = false", False, True, ["edge.toml:1 (normalize_to_origin)"]),
        ('[[zones]]\nname = "a.example"\nnormalize_to_origin = true', True, True, []),
        (
            '[[zones]]\nname = "a.example"\nnormalize_to_origin = false',
            True,
            False,
            ["edge.toml:3 (zones[0].normalize_to_origin)"],
        ),
    ],
)
def test_an_origin_gets_the_path_as_it_was_written_only_where_that_is_asked_for_and_warned_about(
    text: str, everywhere: bool, zone: bool, told: list[str]
) -> None:
    edge, diagnostics = read(text)

    assert edge.normalize_to_origin is everywhere
    assert all(one.normalize_to_origin is zone for one in edge.zones)
    assert [str(message.locations[0]) for message in diagnostics.of("warning")] == told
    assert diagnostics.of("error") == []
