"""What API Shield did with a request, as values and as one line of the log. Never a token. Pure."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from edgeworker.config import JSON
from edgeworker.messages import RefusalReason, Request
from edgeworker.products.api_shield.config import Action
from edgeworker.products.api_shield.token_checks import TokenFinding

Service = Literal["API Shield - Token Validation", "Custom rules", "Rate limiting rules"]

_MAX_FIELD: Final = 512


@dataclass(frozen=True, slots=True)
class ShieldEvent:
    """One violation. `checks` are what the token configurations that the rule asks for found."""

    timestamp: int
    service: Service
    action: Action
    rule_id: str
    rule_title: str
    ray_id: str
    method: str
    host: str
    path: str
    client_ip: str
    user_agent: str
    operation_id: str = ""
    checks: tuple[TokenFinding, ...] = ()

    @property
    def reasons(self) -> tuple[str, ...]:
        """ "missing", "expired" and the like, one for each configuration that did not find a valid token."""
        return tuple(check.result for check in self.checks if check.result != "valid")

    def record(self) -> Mapping[str, JSON]:
        return {
            "timestamp": self.timestamp,
            "service": self.service,
            "action": self.action,
            "rule_id": self.rule_id,
            "rule_title": self.rule_title,
            "ray_id": self.ray_id,
            "method": self.method,
            "host": self.host,
            "path": self.path,
            "operation_id": self.operation_id,
            "client_ip": self.client_ip,
            "user_agent": self.user_agent,
            "violations": [_violation(check) for check in self.checks],
        }

    def line(self) -> str:
        """ASCII, so that nothing in a claim or a header can write a line of its own."""
        return json.dumps(self.record(), separators=(",", ":"))


def _violation(check: TokenFinding) -> JSON:
    return {
        "config_id": check.configuration_id,
        "result": check.result,
        "source": check.source,
        "kid": check.kid,
        "alg": check.alg,
        "claims": dict(check.claims),
        "detail": check.detail,
    }


def refusal_reason(event: ShieldEvent, *evidence: str) -> RefusalReason:
    """For `edgeworker explain`: without claims, paths and addresses."""
    title = f'"{event.rule_title}" ' if event.rule_title else ""
    found = [
        f"token configuration {check.configuration_id}: {check.result}"
        + "".join(f", {part}" for part in (check.source, check.detail) if part)
        for check in event.checks
    ]
    operation = [f"operation {event.operation_id}"] if event.operation_id else []
    return RefusalReason(f"{event.service}: rule {title}({event.rule_id})", (*operation, *found, *evidence))


def make_event(
    request: Request,
    *,
    now: int,
    service: Service,
    action: Action,
    rule_id: str,
    rule_title: str,
    operation_id: str = "",
    checks: Sequence[TokenFinding] = (),
) -> ShieldEvent:
    return ShieldEvent(
        timestamp=now,
        service=service,
        action=action,
        rule_id=rule_id,
        rule_title=rule_title,
        ray_id=request.headers.get("cf-ray") or "",
        method=request.method,
        host=request.url.hostname,
        path=request.url.path[:_MAX_FIELD],
        client_ip=request.client.ip,
        user_agent=(request.headers.get("user-agent") or "")[:_MAX_FIELD],
        operation_id=operation_id,
        checks=tuple(checks),
    )
