"""The sockets of `serve` that it binds, and those that the service manager opened."""

import logging
import os
import socket
from dataclasses import replace

import pytest

from edgeworker.cli.serve.bound_sockets import bind_sockets
from edgeworker.config import Config, Socket
from edgeworker.errors import SocketError


def test_a_socket_of_the_service_manager_with_an_unknown_name_is_told_before_its_address_is_found_in_use(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("LISTEN_PID", str(os.getpid()))
    monkeypatch.setenv("LISTEN_FDS", "2")
    monkeypatch.setenv("LISTEN_FDNAMES", "http:redirect")
    with socket.create_server(("127.0.0.1", 0)) as opened:
        config = replace(Config(workers=()), edge_socket=Socket("127.0.0.1", opened.getsockname()[1]))

        with caplog.at_level(logging.WARNING), pytest.raises(SocketError, match="the port is in use"):
            bind_sockets(config)

    assert caplog.messages == [
        'the socket "http" of the service manager is not used: that is not the name of a socket; '
        "FileDescriptorName= can be edge, api",
        'the socket "redirect" of the service manager is not used: edge.toml has no such socket; '
        "FileDescriptorName= can be edge, api",
    ]
