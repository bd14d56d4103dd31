"""How a person makes their programs trust the local authority."""

import shlex
from pathlib import Path

NAME = "edgeworker"


def steps(ca: Path) -> list[tuple[str, list[str]]]:
    """(program or system, its commands or where to click)."""
    file = shlex.quote(str(ca))
    return [
        ("curl", [f"curl --cacert {file} https://localhost:8443/"]),
        (
            "Debian, Ubuntu",
            [
                f"sudo cp {file} /usr/local/share/ca-certificates/{NAME}.crt",
                "sudo update-ca-certificates",
            ],
        ),
        (
            "Fedora, RHEL",
            [f"sudo cp {file} /etc/pki/ca-trust/source/anchors/{NAME}.pem", "sudo update-ca-trust"],
        ),
        (
            "macOS",
            [f"sudo security add-trusted-cert -d -r trustRoot -k /Library/Keychains/System.keychain {file}"],
        ),
        ("Windows, as administrator", [f"certutil -addstore -f ROOT {file}"]),
        (
            "Chromium and Chrome on Linux (certutil: libnss3-tools, nss-tools)",
            [
                'mkdir -p "$HOME/.pki/nssdb"',
                f'certutil -d "sql:$HOME/.pki/nssdb" -A -t C,, -n {NAME} -i {file}',
            ],
        ),
        (
            "Firefox",
            [
                "Settings > Privacy & Security > Certificates > View Certificates > Authorities > Import",
                f"or, with PROFILE from about:profiles: certutil -d sql:PROFILE -A -t C,, -n {NAME} -i {file}",
            ],
        ),
        ("Node.js", [f"export NODE_EXTRA_CA_CERTS={file}"]),
        (
            "Python, Go, OpenSSL (instead of the system's authorities)",
            [f"export SSL_CERT_FILE={file}", f"export REQUESTS_CA_BUNDLE={file}    # for the requests library"],
        ),
        (
            "Java",
            [f"keytool -importcert -noprompt -cacerts -storepass changeit -alias {NAME} -file {file}"],
        ),
    ]
