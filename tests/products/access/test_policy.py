"""What policies decide, rule kind by rule kind, and in which order."""

import pytest

from edgeworker.config import JSON
from edgeworker.products.access.config import Application, RuleList
from edgeworker.products.access.objects import parse_application, parse_group, parse_list
from edgeworker.products.access.policy import (
    Bypassed,
    Decision,
    Identity,
    IdentityAllowed,
    LoginNeeded,
    PolicyDenied,
    RuleContext,
    ServiceAllowed,
    ServiceAuthNeeded,
    Visitor,
    decide,
    has_early_policies,
    rechecks_identity,
    rule_holds,
)
from edgeworker.products.access.rules import parse_rule

ADA = Identity(
    "ada@example.com",
    "uuid",
    "idp-1",
    "oidc",
    groups=("Eng", {"id": "g-7", "name": "Sales", "email": "sales@example.com"}),
    oidc_fields={"department": "R&D", "level": 3, "admin": True, "teams": ["a", "b"]},
    saml_attributes={"cost": ["17", "18"]},
    amr=("mfa", "pwd"),
)
STAFF: RuleList = parse_list({"id": "l1", "name": "Staff", "emails": ["ADA@example.com"], "networks": ["10.0.0.0/8"]})
CONTEXT = RuleContext(
    groups={
        "g1": parse_group({"id": "g1", "name": "G1", "include": [{"email": "ada@example.com"}]}),
        "loop": parse_group({"id": "loop", "name": "Loop", "include": [{"group": "loop"}]}),
    },
    lists={"l1": STAFF},
)
HERE = Visitor("10.1.2.3", "PT", identity=ADA)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({"email": {"email": "Ada@Example.com"}}, True),
        ({"email": {"email": "bob@example.com"}}, False),
        ({"email_domain": {"domain": "example.com"}}, True),
        ({"email_domain": {"domain": "ample.com"}}, False),
        ({"email_domain": "@example.com"}, True),
        ({"email_list": {"id": "l1"}}, True),
        ({"email_list": {"id": "unknown"}}, None),
        ({"everyone": {}}, True),
        ({"ip": {"ip": "10.0.0.0/8"}}, True),
        ({"ip": {"ip": "10.1.2.3"}}, True),
        ({"ip": {"ip": "::/0"}}, False),
        ({"ip_list": {"id": "l1"}}, True),
        ({"geo": {"country_code": "pt"}}, True),
        ({"geo": {"country_code": "ES"}}, False),
        ({"group": {"id": "g1"}}, True),
        ({"group": {"id": "loop"}}, None),
        ({"group": {"id": "unknown"}}, None),
        ({"service_token": {"token_id": "t1"}}, False),
        ({"any_valid_service_token": {}}, False),
        ({"certificate": {}}, False),
        ({"common_name": {"common_name": "ci"}}, False),
        ({"auth_method": {"auth_method": "mfa"}}, True),
        ({"auth_method": {"auth_method": "hwk"}}, False),
        ({"login_method": {"id": "idp-1"}}, True),
        ({"login_method": {"id": "idp-2"}}, False),
        ({"oidc": {"claim_name": "department", "claim_value": "R&D", "identity_provider_id": "idp-1"}}, True),
        ({"oidc": {"claim_name": "department", "claim_value": "R&D", "identity_provider_id": "idp-2"}}, False),
        ({"oidc": {"claim_name": "teams", "claim_value": "b"}}, True),
        ({"oidc": {"claim_name": "level", "claim_value": "3"}}, True),
        ({"oidc": {"claim_name": "admin", "claim_value": "true"}}, True),
        ({"oidc": {"claim_name": "groups", "claim_value": "Eng"}}, True),
        ({"oidc": {"claim_name": "missing", "claim_value": "None"}}, False),
        ({"saml": {"attribute_name": "cost", "attribute_value": "18", "identity_provider_id": "idp-1"}}, True),
        ({"okta": {"name": "Sales", "identity_provider_id": "idp-1"}}, True),
        ({"azureAD": {"id": "g-7", "identity_provider_id": "idp-1"}}, True),
        ({"gsuite": {"email": "sales@example.com", "identity_provider_id": "idp-1"}}, True),
        ({"github-organization": {"name": "Other", "identity_provider_id": "idp-1"}}, False),
        ({"linked_app_token": {"app_uid": "a"}}, False),
        ({"device_posture": {"integration_uid": "x"}}, None),
    ],
)
def test_each_rule_kind(rule: JSON, expected: bool | None) -> None:
    assert rule_holds(parse_rule(rule, ""), HERE, CONTEXT) is expected


@pytest.mark.parametrize(
    ("rule", "visitor"),
    [
        ({"service_token": {"token_id": "t1"}}, Visitor("::1", service_token_id="t1")),
        ({"any_valid_service_token": {}}, Visitor("::1", service_token_id="t2")),
        ({"certificate": {}}, Visitor("::1", has_certificate=True)),
        ({"common_name": {"common_name": "ci"}}, Visitor("::1", has_certificate=True, common_name="ci")),
        ({"linked_app_token": {"app_uid": "a"}}, Visitor("::1", linked_app_ids=frozenset({"a"}))),
        ({"ip": {"ip": "10.0.0.0/8"}}, Visitor("::ffff:10.0.0.1")),
    ],
)
def test_rules_about_the_request_hold_without_a_login(rule: JSON, visitor: Visitor) -> None:
    assert rule_holds(parse_rule(rule, ""), visitor, CONTEXT) is True


def _app(*policies: dict[str, JSON], **more: JSON) -> Application:
    return parse_application({"name": "a", "domain": "a.com", "policies": list(policies), **more})


EVERYONE: JSON = [{"everyone": {}}]
ANY_TOKEN: JSON = [{"any_valid_service_token": {}}]


def _policy(decision: str, include: JSON = EVERYONE, **more: JSON) -> dict[str, JSON]:
    return {"name": decision, "decision": decision, "include": include, **more}


@pytest.mark.parametrize(
    ("application", "visitor", "expected"),
    [
        # Bypass and Service Auth come first, wherever they stand.
        (_app(_policy("deny"), _policy("bypass")), HERE, Bypassed),
        (
            _app(_policy("allow"), _policy("non_identity", ANY_TOKEN)),
            Visitor("::1", service_token_id="t"),
            ServiceAllowed,
        ),
        (_app(_policy("allow"), _policy("non_identity", ANY_TOKEN)), Visitor("::1"), LoginNeeded),
        # The first of Allow and Deny that holds ends it.
        (_app(_policy("allow"), _policy("deny")), HERE, IdentityAllowed),
        (_app(_policy("deny"), _policy("allow")), HERE, PolicyDenied),
        (_app(_policy("deny", [{"email": "bob@example.com"}]), _policy("allow")), HERE, IdentityAllowed),
        (_app(_policy("allow", [{"email": "bob@example.com"}])), HERE, PolicyDenied),
        # An Allow policy never lets a service token in.
        (_app(_policy("allow", ANY_TOKEN)), Visitor("::1", service_token_id="t"), LoginNeeded),
        (_app(_policy("non_identity", ANY_TOKEN)), Visitor("::1"), ServiceAuthNeeded),
        (_app(_policy("non_identity", ANY_TOKEN)), HERE, PolicyDenied),
        (_app(), Visitor("::1"), ServiceAuthNeeded),
        # Include is OR, require is AND, exclude is NOT.
        (
            _app(_policy("allow", [{"email": "bob@example.com"}, {"email_domain": "example.com"}])),
            HERE,
            IdentityAllowed,
        ),
        (_app(_policy("allow", require=[{"geo": "PT"}, {"geo": "ES"}])), HERE, PolicyDenied),
        (_app(_policy("allow", exclude=[{"email": "ada@example.com"}])), HERE, PolicyDenied),
        # What no one can say lets no one in, and denies.
        (_app(_policy("allow", exclude=[{"device_posture": {}}])), HERE, PolicyDenied),
        (_app(_policy("allow", require=[{"device_posture": {}}])), HERE, PolicyDenied),
        (_app(_policy("deny", [{"device_posture": {}}]), _policy("allow")), HERE, PolicyDenied),
        (_app(_policy("bypass", exclude=[{"email": "bob@example.com"}])), Visitor("::1"), ServiceAuthNeeded),
        (_app(_policy("bypass", exclude=[{"geo": "PT"}])), Visitor("::1"), ServiceAuthNeeded),
        # An application for end users has no policies.
        (_app(type="end_user"), HERE, IdentityAllowed),
        (_app(type="end_user"), Visitor("::1"), LoginNeeded),
    ],
)
def test_the_order_of_policies_and_rules(application: Application, visitor: Visitor, expected: type[Decision]) -> None:
    assert isinstance(decide(application, visitor, CONTEXT), expected)


def test_only_rules_about_the_request_are_asked_again_with_a_session() -> None:
    assert not rechecks_identity(_app(_policy("allow", [{"email": "a@b.c"}])), CONTEXT)
    assert rechecks_identity(_app(_policy("allow", require=[{"geo": "PT"}])), CONTEXT)
    assert not rechecks_identity(_app(_policy("allow"), _policy("bypass", [{"ip": "10.0.0.1"}])), CONTEXT)
    assert has_early_policies(_app(_policy("allow"), _policy("bypass", [{"ip": "10.0.0.1"}])))
    assert not has_early_policies(_app(_policy("allow"), _policy("deny")))
    group = parse_group({"id": "office", "name": "Office", "include": [{"ip": "10.0.0.0/8"}]})
    assert rechecks_identity(_app(_policy("allow", [{"group": "office"}])), RuleContext({"office": group}))
