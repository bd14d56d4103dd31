from edgeworker.rest.permissions import Need
from wrangler_compat.api.endpoints import ENDPOINTS


def test_no_row_stands_twice_and_each_has_a_permission_that_fits_its_method() -> None:
    places = [(endpoint.method, endpoint.template) for endpoint in ENDPOINTS]

    assert len(set(places)) == len(places)
    for endpoint in ENDPOINTS:
        if endpoint.needs.value.endswith(":read") or endpoint.needs is Need.ANY_TOKEN:
            assert endpoint.method == "GET" or endpoint.template.endswith(("/bulk/get", "/rules/preview"))
        else:
            assert endpoint.method != "GET"


def test_only_a_token_may_ask_about_itself_without_a_permission() -> None:
    assert [endpoint.template for endpoint in ENDPOINTS if endpoint.needs is Need.ANY_TOKEN] == ["/user/tokens/verify"]
