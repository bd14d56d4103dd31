"""What the command line makes of a configuration."""

import argparse
from pathlib import Path

import pytest

from edgeworker.cli.kv.options import TOKEN_VARIABLE
from edgeworker.cli.run_options import add_run_options, api_token, apply_options
from edgeworker.config import Config, Outbound, Socket
from edgeworker.host.datadir import DataDir


def options(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_run_options(parser)
    return parser.parse_args(arguments)


@pytest.mark.parametrize(
    ("configured", "arguments", "https"),
    [
        (None, (), None),
        (None, ("--https",), Socket("127.0.0.1", 8443)),
        (None, ("--https-port", "0"), Socket("127.0.0.1", 0)),
        (None, ("--https", "--host", "0.0.0.0"), Socket("0.0.0.0", 8443)),
        (Socket("10.0.0.1", 443), (), Socket("10.0.0.1", 443)),
        (Socket("10.0.0.1", 443), ("--https",), Socket("10.0.0.1", 443)),
        (Socket("10.0.0.1", 443), ("--https-port", "1", "--host", "::1"), Socket("::1", 1)),
    ],
)
def test_https_is_served_where_the_configuration_or_an_option_says(
    configured: Socket | None, arguments: tuple[str, ...], https: Socket | None
) -> None:
    assert apply_options(Config(https_socket=configured), options(*arguments)).https_socket == https


def test_https_has_the_proxies_of_the_edge() -> None:
    config = Config(edge_socket=Socket(trusted_proxies=("10.0.0.0/8",)))

    https = apply_options(config, options("--https")).https_socket

    assert https is not None
    assert https.trusted_proxies == ("10.0.0.0/8",)


def test_options_count_more_than_the_configuration() -> None:
    config = Config(edge_socket=Socket(port=1), api_socket=Socket("10.0.0.1", 2), outbound=Outbound(("10.0.0.0/8",)))

    changed = apply_options(config, options("--port", "0", "--api-https-port", "3", "--allow-private", "*"))

    assert (changed.edge_socket.port, changed.api_socket.port) == (0, 2)
    assert changed.api_https_socket == Socket("10.0.0.1", 3)
    assert changed.outbound.allow_private == ("10.0.0.0/8", "*")


@pytest.mark.parametrize("text", ["-1", "65536", "x", "", "٣"])
def test_what_is_not_a_port_is_refused(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        options(f"--port={text}")

    assert "0 to 65535" in capsys.readouterr().err


def test_the_api_token_is_the_options_else_the_environments_else_the_kept_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = DataDir.open(tmp_path / "data")
    monkeypatch.delenv(TOKEN_VARIABLE, raising=False)

    assert api_token(options(), data) == (data.api_token(), str(data.api_token_file))
    monkeypatch.setenv(TOKEN_VARIABLE, "from the environment")
    assert api_token(options(), data) == ("from the environment", f"${TOKEN_VARIABLE}")
    assert api_token(options("--api-token", "given"), data) == ("given", "--api-token")


def test_the_proxies_of_the_environment_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("NO_PROXY", "b.example")

    outbound = apply_options(Config(outbound=Outbound(("10.0.0.0/8",))), options()).outbound

    assert (outbound.https_proxy, outbound.no_proxy) == ("http://proxy.example:3128", "b.example")
    assert outbound.allow_private == ("10.0.0.0/8",)
