"""Access's own responses: each that refuses tells its reason to `edgeworker explain`."""

import pytest

from edgeworker.messages import RefusalReason, Response
from edgeworker.products.access.authorization_request import oauth_error
from edgeworker.products.access.cli_transfer import _refuse
from edgeworker.products.access.html_page import Markup, page
from edgeworker.products.access.replies import json_reply


@pytest.mark.parametrize(
    ("response", "reason"),
    [
        (
            page("Invalid login", Markup("<p>ada@example.org</p>"), team="t", status=400),
            RefusalReason("Access: one of its own pages", ("Invalid login",)),
        ),
        (
            json_reply({"err": "no valid token"}, status=401),
            RefusalReason("Access: one of its own addresses", ("no valid token",)),
        ),
        (
            oauth_error("invalid_grant", "the code is not valid"),
            RefusalReason("Access: one of its own addresses", ("invalid_grant", "the code is not valid")),
        ),
        (_refuse(429, "full"), RefusalReason("Access: where tokens wait for the command that asks", ("full",))),
        (page("Welcome", Markup(""), team="t"), None),
        (json_reply({"error": "of a 200"}), None),
    ],
)
def test_what_access_refuses_has_a_reason(response: Response, reason: RefusalReason | None) -> None:
    assert response.refusal_reason == reason
