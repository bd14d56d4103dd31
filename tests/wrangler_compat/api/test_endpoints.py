from edgeworker.rest.permissions import Need
from wrangler_compat.api.endpoints import ENDPOINTS
from wrangler_compat.api.usual_endpoints import USUAL_ENDPOINTS
from wrangler_compat.api.v4 import ACCESS_SEGMENT


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


def test_a_path_without_the_segment_of_access_needs_no_endpoint_of_access() -> None:
    late = [endpoint.template for endpoint in ENDPOINTS if endpoint not in USUAL_ENDPOINTS]

    assert late
    assert [template for template in late if ACCESS_SEGMENT not in template] == []
