"""The JSON forms of rules."""

import pytest

from edgeworker.config import JSON
from edgeworker.products.access.json_object import InvalidObject
from edgeworker.products.access.rules import parse_rule, rule_json

FORMS: list[JSON] = [
    {"email": {"email": "ada@example.com"}},
    {"email_domain": {"domain": "example.com"}},
    {"email_list": {"id": "x"}},
    {"everyone": {}},
    {"ip": {"ip": "10.0.0.0/8"}},
    {"ip_list": {"id": "x"}},
    {"geo": {"country_code": "PT"}},
    {"group": {"id": "x"}},
    {"service_token": {"token_id": "x"}},
    {"any_valid_service_token": {}},
    {"certificate": {}},
    {"common_name": {"common_name": "x"}},
    {"auth_method": {"auth_method": "mfa"}},
    {"login_method": {"id": "x"}},
    {"oidc": {"claim_name": "a", "claim_value": "b", "identity_provider_id": "c"}},
    {"saml": {"attribute_name": "a", "attribute_value": "b", "identity_provider_id": "c"}},
    {"okta": {"name": "a", "identity_provider_id": "b"}},
    {"azureAD": {"id": "a", "identity_provider_id": "b"}},
    {"gsuite": {"email": "a", "identity_provider_id": "b"}},
    {"github-organization": {"name": "a", "identity_provider_id": "b"}},
    {"linked_app_token": {"app_uid": "x"}},
    {"device_posture": {"integration_uid": "x"}},
]


@pytest.mark.parametrize("form", FORMS, ids=lambda form: next(iter(form)))
def test_a_rule_is_written_as_it_was_read(form: JSON) -> None:
    assert rule_json(parse_rule(form, "")) == form


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ({"emial": {"email": "a@b.c"}}, '"emial" is not a rule of Access; there are: any_valid_service_token'),
        ({"email": {"email": "ada"}}, '"ada" is not an e-mail address, such as "ada@example.com"'),
        ({"email": {}}, 'has no "email"'),
        ({"ip": {"ip": "10.0.0"}}, '"10.0.0" is not an address or network'),
        ({"geo": {"country_code": "Portugal"}}, '"PORTUGAL" is not a country code of two letters'),
        ({"email_domain": {"domain": "*.example.com"}}, "is not a domain"),
        ({"everyone": {}, "ip": {"ip": "::1"}}, "must be an object with one key"),
        ("everyone", "must be an object with one key"),
        ({"email": 7}, "must be an object, not 7"),
    ],
)
def test_a_rule_that_could_not_be_meant_names_its_place(form: JSON, text: str) -> None:
    with pytest.raises(InvalidObject) as error:
        parse_rule(form, "policies[0].include[1]")

    assert text in str(error.value)
    assert str(error.value).startswith("policies[0].include[1]")
