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
After=network-online.target
Wants=network-online.target
# What is in the way of a start may be gone later: it is tried again without end, ever later (systemd 254 and newer).
StartLimitIntervalSec=0

[Service]
Type=notify
NotifyAccess={notify_access}
ExecStart={command}
# Waits until the reload has ended, and fails if the new configuration was refused.
ExecReload={reload}
# Requests under way have the drain time of edge.toml (limits.drain_timeout_seconds, 30) and a little more.
TimeoutStopSec=60
Restart=always
RestartSec=1
RestartSteps=5
RestartMaxDelaySec=30
KillMode=mixed
# A process that the kernel kills for its memory, or workerd, is started again; the others serve on.
OOMPolicy=continue
DynamicUser=yes
StateDirectory=edgeworker
StateDirectoryMode=0700
LogsDirectory=edgeworker
RuntimeDirectory=edgeworker
WorkingDirectory={folder}
{temporary}{writable}# Secrets come as files; the name of a credential is that of the variable:
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
# workerd asks for a protection key of its memory at its start.
SystemCallFilter=@pkey
# A library that tries another call is refused it, and not killed.
SystemCallErrorNumber=EPERM
UMask=0077

[Install]
WantedBy=multi-user.target
"""


_EXECUTABLE_TMPDIR: Final = """\
# The binary unpacks itself where programs may run; /tmp of this machine is mounted noexec.
Environment=TMPDIR=/var/lib/edgeworker
"""

_VALUES: Final = (
    "env",
    "origin",
    "var",
    "env_file",
    "js_engine",
    "workerd",
    "python_path",
    "host",
    "port",
    "https_port",
    "api_port",
    "management_port",
    "persist_to",
    "access_log",
    "allow_private",
)
# StateDirectory and LogsDirectory of the unit.
_OWN_FOLDERS: Final = (Path("/var/lib/edgeworker"), Path("/var/log/edgeworker"))
_SWITCHES: Final = ("default_script", "preview", "no_cron", "no_publish", "no_request_log", "verbose")


def unit_text(options: Namespace) -> str:
    """A unit that runs the same command line, as an unprivileged user with its own state directory."""
    is_binary = getattr(sys, "frozen", False)
    program = [sys.executable] if is_binary else [sys.executable, "-m", "edgeworker"]
    words = [*program, "serve"]
    files = [("-c", file) for file in options.config] + [("--edge", file) for file in (options.edge,) if file]
    for option, file in files:
        words += [option, str(file.resolve())]
    for name in _VALUES:
        value = getattr(options, name)
        for one in value if isinstance(value, list) else [value]:
            if one is not None:
                words += [f"--{name.replace('_', '-')}", str(_absolute(one) if isinstance(one, Path) else one)]
    words += [f"--{name.replace('_', '-')}" for name in _SWITCHES if getattr(options, name)]
    words += ["--processes", str(options.processes), "--log-format", options.log_format]
    ports = [port for port in (options.port, options.https_port) if port is not None]
    # Also if edge.toml has the ports: a capability that is not used is harmless, a missing one prevents the start.
    needs_capability = not ports or any(0 < port < 1024 for port in ports)
    capability = "CAP_NET_BIND_SERVICE" if needs_capability else ""
    folder = files[0][1].resolve().parent if files else Path.cwd()
    read = (folder, *(each.resolve() for each in options.python_path))
    reload = [*program, "reload"]
    if options.persist_to is not None:
        reload += ["--persist-to", str(_absolute(options.persist_to))]
    return _UNIT.format(
        reload=shlex.join(reload).replace("%", "%%"),
        command=shlex.join(words).replace("%", "%%"),
        folder=str(folder).replace("%", "%%"),
        # The first process of the binary starts the one that serves and notifies systemd.
        notify_access="all" if is_binary else "main",
        temporary=_EXECUTABLE_TMPDIR if is_binary and _is_mounted_noexec("/tmp") else "",
        writable=_format_writable_folders(options),
        capabilities=f"AmbientCapabilities={capability}\nCapabilityBoundingSet={capability}",
        protect_home="read-only" if any(map(_is_in_home, read)) else "yes",
    )


def _format_writable_folders(options: Namespace) -> str:
    """The lines for folders that the command line names and systemd does not create."""
    named = [options.persist_to, None if options.access_log is None else options.access_log.parent]
    folders = [_absolute(folder) for folder in named if folder is not None]
    outside = [folder for folder in folders if not any(folder.is_relative_to(own) for own in _OWN_FOLDERS)]
    if not outside:
        return ""
    paths = " ".join(shlex.quote(str(folder)) for folder in dict.fromkeys(outside)).replace("%", "%%")
    return f"# Make a user that owns these, and write User= in place of DynamicUser=.\nReadWritePaths={paths}\n"


def _absolute(path: Path) -> Path:
    """Without following links: of a DynamicUser= that has run, /var/lib/edgeworker is one."""
    return Path(os.path.abspath(path))


def _is_mounted_noexec(folder: str) -> bool:
    return bool(os.statvfs(folder).f_flag & os.ST_NOEXEC)


def _is_in_home(folder: Path) -> bool:
    return any(folder.is_relative_to(home) for home in ("/home", "/root", os.path.expanduser("~")))
