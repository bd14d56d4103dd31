"""[access] of edge.toml: what it makes, where its errors are, and which mistakes it tells."""

from pathlib import Path

import pytest

from edgeworker.config import Config
from edgeworker.errors import ConfigError
from edgeworker.products.access.config import AccessConfig, access_config
from edgeworker.testing.edge import Edge
from wrangler_compat import LoadOptions, load

GOOD = """
[[zones]]
name = "example.com"
origin = "http://127.0.0.1:3000"

[access]
team = "acme"
session_duration = "8h"

[[access.identities]]
email = "Ada@Example.com"
name = "Ada"
groups = ["Eng"]
claims = { department = "R&D" }

[[access.groups]]
name = "Office"
include = [{ ip = "10.0.0.0/8" }]

[[access.policies]]
name = "Staff"
decision = "allow"
include = [{ email_domain = "example.com" }]

[[access.service_tokens]]
name = "ci"
client_secret = "a-secret-of-the-ci-job"

[[access.apps]]
name = "Shop"
domain = "shop.example.com/admin"
policies = ["Staff", { name = "in", decision = "bypass", include = [{ group = "Office" }] }]
"""


def _load(folder: Path, text: str) -> tuple[Config, str]:
    file = folder / "edge.toml"
    file.write_text(text)
    loaded = load(LoadOptions(default_script=folder / "worker.py", cwd=folder, edge=file))
    return loaded.require(), loaded.diagnostics.render("warning")


def _errors(folder: Path, text: str) -> str:
    with pytest.raises(ConfigError) as error:
        _load(folder, text)
    return str(error.value)


def test_a_whole_table_is_read(tmp_path: Path) -> None:
    config, warnings = _load(tmp_path, GOOD)
    access = access_config(config)

    assert access is not None
    assert access.issuer == "http://acme.localhost:8787"
    assert access.team_hosts == ("acme.localhost", "acme.cloudflareaccess.com")
    assert access.hosts == (*access.team_hosts, "login.cloudflareaccess.org")
    assert [item.kind for item in access.objects] == ["policy", "group", "service_token", "app"]
    assert access.objects[-1].place.endswith(f":{_line(GOOD, '[[access.apps]]')} (access.apps[0])")
    assert access.identities[0].email == "ada@example.com"
    assert "a-secret-of-the-ci-job" not in repr(access)
    assert all("client_secret" not in item.value for item in access.objects)
    assert warnings == ""


@pytest.mark.parametrize(
    ("lines", "issuer"),
    [
        ('team_domain = "acme.cloudflareaccess.com"', "https://acme.cloudflareaccess.com"),
        ('team_domain = "http://login.localhost:9000"', "http://login.localhost:9000"),
        ('[sockets]\nedge = "127.0.0.1:80"', "http://acme.localhost"),
        ('[sockets]\nedge = "127.0.0.1:1234"', "http://acme.localhost:1234"),
        ('[sockets]\nhttps = "127.0.0.1:8443"', "https://acme.localhost:8443"),
    ],
)
def test_the_issuer_is_what_is_written_or_the_name_on_this_machine(tmp_path: Path, lines: str, issuer: str) -> None:
    config, _ = _load(tmp_path, f'[access]\nteam = "acme"\n{lines}\n')
    access = access_config(config)

    assert access is not None
    assert access.issuer == issuer


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ('team = "acme"', 'team = "Acme Inc"', '"Acme Inc" is not a team name'),
        ('"8h"', '"8 hours"', '"access.session_duration": "8 hours" is not a duration such as "24h"'),
        ('"8h"', '"1m"', "out of range"),
        ("session_duration", "sesion_duration", 'Did you mean "session_duration"?'),
        ('email_domain = "example.com"', 'emial_domain = "example.com"', '"emial_domain" is not a rule of Access'),
        ('decision = "allow"', 'decision = "permit"', '"permit" is not one of allow, deny'),
        ('"Staff", {', '"Staf", {', '"Staf" is not a reusable policy; there are: Staff'),
        ('"shop.example.com/admin"', '"shop.example.com:80/admin"', "has a port"),
        ('domain = "shop', 'domian = "shop', 'Did you mean "domain"?'),
        ('ip = "10.0.0.0/8"', 'ip = "10.0.0/8"', "is not an address or network"),
        ('email = "Ada@Example.com"', 'email = "Ada"', "is not an e-mail address"),
    ],
)
def test_an_error_names_its_line(tmp_path: Path, old: str, new: str, text: str) -> None:
    changed = GOOD.replace(old, new, 1)

    errors = _errors(tmp_path, changed)

    assert text in errors
    assert f"edge.toml:{_line(changed, new)}" in errors


def test_a_table_without_a_team_is_refused(tmp_path: Path) -> None:
    assert '"" is not a team name; write team = "acme"' in _errors(tmp_path, "[access]\n")


def _line(text: str, part: str) -> int:
    return next(number for number, line in enumerate(text.splitlines(), 1) if part in line)


def test_two_applications_of_one_name_are_refused(tmp_path: Path) -> None:
    twice = GOOD + '\n[[access.apps]]\nname = "Shop"\ndomain = "b.example.com"\npolicies = ["Staff"]\n'

    assert "has the id or the name of" in _errors(tmp_path, twice)


APP = """
[access]
team = "acme"
[[access.service_tokens]]
name = "ci"
client_id = "0123456789abcdef0123456789abcdef.access"
client_secret = "a-secret-of-the-ci-job"
[[access.identity_providers]]
id = "company"
name = "Company"
type = "oidc"
config = { client_id = "c", auth_url = "https://i/a", token_url = "https://i/t", certs_url = "https://i/c" }
[[access.apps]]
name = "Shop"
domain = "shop.example.com"
policies = [POLICY]
"""


@pytest.mark.parametrize(
    ("policy", "text"),
    [
        (
            'decision = "allow", include = [{ any_valid_service_token = {} }]',
            'a service token never passes a policy with decision = "allow"',
        ),
        (
            'decision = "non_identity", include = [{ service_token = "0123456789abcdef0123456789abcdef.access" }]',
            "is a Client ID or a name; service_token wants the token's UUID. Write",
        ),
        (
            'decision = "allow", include = [{ everyone = {} }], require = [{ geo = "PT" }, { geo = "ES" }]',
            "no one can meet it: require has two countries",
        ),
        (
            'decision = "allow", include = [{ everyone = {} }], exclude = [{ everyone = {} }]',
            "no one can meet it: what it includes or requires it also excludes",
        ),
        ('decision = "bypass", include = [{ email = "a@b.c" }]', "asks no one to log in"),
        (
            'decision = "allow", include = [{ device_posture = {} }]',
            "nothing on this machine can answer device_posture",
        ),
        ('decision = "allow", include = [{ group = "Missing" }]', 'group "Missing" does not exist'),
        ('decision = "allow", include = [{ email_list = "Nobody" }]', 'there is no list "Nobody"'),
        (
            'decision = "allow", include = [{ login_method = "okta" }]',
            'there is no identity provider with the id "okta"',
        ),
        (
            'decision = "allow", include = [{ oidc = { claim_name = "a", claim_value = "b", '
            'identity_provider_id = "gone" } }]',
            'there is no identity provider with the id "gone"',
        ),
        (
            'decision = "allow", include = [{ oidc = { claim_name = "department", claim_value = "b", '
            'identity_provider_id = "company" } }]',
            'the claim "department" is not among the claims of "Company"',
        ),
    ],
)
def test_the_most_common_mistakes_are_told_at_load(tmp_path: Path, policy: str, text: str) -> None:
    _, warnings = _load(tmp_path, APP.replace("POLICY", f'{{ name = "p", {policy} }}'))

    assert text in warnings
    assert f"edge.toml:{_line(APP, '[[access.apps]]')}" in warnings
    assert 'application "Shop", policy "p"' in warnings


@pytest.mark.parametrize(
    ("more", "text"),
    [
        ('name = "Twin"\ndomain = "shop.example.com"\npolicies = []', 'application "Twin" never decides'),
        ('name = "Empty"\ndomain = "b.example.com"\npolicies = []', 'application "Empty" has no policy'),
        ('name = "Sub"\ndomain = "b.example.com/a/*"\npolicies = []', 'does not cover "/a" itself'),
    ],
)
def test_mistakes_of_applications_are_told_at_load(tmp_path: Path, more: str, text: str) -> None:
    policy = '{ name = "p", decision = "allow", include = [{ everyone = {} }] }'
    _, warnings = _load(tmp_path, f"{APP.replace('POLICY', policy)}[[access.apps]]\n{more}\n")

    assert text in warnings


def test_a_provider_that_is_a_name_alone_is_told_at_load(tmp_path: Path) -> None:
    policy = '{ name = "p", decision = "allow", include = [{ everyone = {} }] }'
    provider = '[[access.identity_providers]]\nname = "Our Okta"\ntype = "okta"\n'
    _, warnings = _load(tmp_path, f"{APP.replace('POLICY', policy)}{provider}")

    assert 'identity provider "Our Okta" has no auth_url' in warnings
    assert "Company" not in warnings


async def test_an_edge_of_a_file_asks_for_a_login(tmp_path: Path) -> None:
    (tmp_path / "edge.toml").write_text(GOOD)
    async with Edge(tmp_path / "edge.toml") as edge:
        reply = await edge.fetch("https://shop.example.com/admin")

        assert reply.status == 302
        assert (reply.headers.get("location") or "").startswith("http://acme.localhost:8787/cdn-cgi/access/login/")
        assert (await edge.fetch("http://acme.localhost:8787/cdn-cgi/access/certs")).status == 200
        assert (await edge.fetch("https://shop.example.com/")).status != 302


def test_nothing_of_access_is_in_an_edge_without_it(tmp_path: Path) -> None:
    config, _ = _load(tmp_path, '[[zones]]\nname = "example.com"\n')

    assert [product for product in config.products if isinstance(product, AccessConfig)] == []
