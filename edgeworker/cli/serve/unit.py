"""The systemd unit that `serve --print-unit` prints. Pure."""

import os
import shlex
import sys
from argparse import Namespace
from pathlib import Path
from typing import Final

_UNIT: Final = """\
# Written by: edgeworker serve --print-unit
# Install:    put it at /etc/systemd/system/edgeworker.service, then
#             systemctl daemon-reload && systemctl enable --now edgeworker
[Unit]
Description=edgeworker
Documentation=man:systemd.service(5)
After=network-online.target
Wants=network-online.target

[Service]
Type=notify
NotifyAccess=main
ExecStart={command}
ExecReload=/bin/kill -HUP $MAINPID
# Requests under way have the drain time of edge.toml (limits.drain_timeout_seconds, 30) and a little more.
TimeoutStopSec=60
Restart=always
RestartSec=1
KillMode=mixed
DynamicUser=yes
StateDirectory=edgeworker
StateDirectoryMode=0700
LogsDirectory=edgeworker
RuntimeDirectory=edgeworker
WorkingDirectory={folder}
# Secrets come as files; the name of a credential is that of the variable:
# LoadCredential=API_TOKEN:/etc/edgeworker/secrets/api-token
LimitNOFILE=65536
{capabilities}
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome={protect_home}
PrivateTmp=yes
PrivateDevices=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectClock=yes
ProtectHostname=yes
ProtectProc=invisible
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
UMask=0077

[Install]
WantedBy=multi-user.target
"""


def unit_text(options: Namespace) -> str:
    """A unit that runs the same command line, as an unprivileged user with its own state directory."""
    program = [sys.executable] if getattr(sys, "frozen", False) else [sys.executable, "-m", "edgeworker"]
    words = [*program, "serve"]
    files = [("-c", file) for file in options.config] + [("--edge", file) for file in (options.edge,) if file]
    for option, file in files:
        words += [option, str(file.resolve())]
    for name in ("env", "origin", "host", "port", "https_port", "api_port", "management_port", "access_log"):
        value = getattr(options, name)
        if value is not None:
            words += [f"--{name.replace('_', '-')}", str(value.resolve() if isinstance(value, Path) else value)]
    for host in options.allow_private:
        words += ["--allow-private", host]
    words += ["--processes", str(options.processes), "--log-format", options.log_format]
    ports = [port for port in (options.port, options.https_port) if port is not None]
    # Also where edge.toml has the ports: a right that is not used costs nothing, one that is missing stops the start.
    needs_right = not ports or any(0 < port < 1024 for port in ports)
    right = "CAP_NET_BIND_SERVICE" if needs_right else ""
    folder = files[0][1].resolve().parent if files else Path.cwd()
    return _UNIT.format(
        command=shlex.join(words).replace("%", "%%"),
        folder=str(folder).replace("%", "%%"),
        capabilities=f"AmbientCapabilities={right}\nCapabilityBoundingSet={right}",
        protect_home="read-only" if _is_in_home(folder) else "yes",
    )


def _is_in_home(folder: Path) -> bool:
    return any(folder.is_relative_to(home) for home in ("/home", "/root", os.path.expanduser("~")))
