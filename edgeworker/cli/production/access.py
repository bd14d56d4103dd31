"""What an operator would regret about Cloudflare Access. Pure."""

from collections.abc import Iterator

from edgeworker.cli.production.finding import Finding
from edgeworker.config import Config


def audit_access(config: Config) -> Iterator[Finding]:
    if not config.products:
        return
    from edgeworker.products.access.config import access_config

    access = access_config(config)
    if access is None:
        return
    if access.local_login:
        yield Finding(
            "error",
            "access-local-login",
            "edge.toml: access.local_login",
            "the login page lets everyone choose who to be",
            "anyone who reaches it can log in as any user that a policy allows",
            "leave it out, and log in at an identity provider",
        )
    if access.issuer.startswith("http://"):
        yield Finding(
            "warning",
            "access-plain-http",
            "edge.toml: access.team_domain",
            f"the team domain is {access.issuer}",
            "cookies of logins have no Secure there, and anyone on the way can read and use them",
            'serve https and write team_domain = "https://..."',
        )
