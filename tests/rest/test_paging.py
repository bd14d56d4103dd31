import pytest

from edgeworker.rest.envelope import page_info
from edgeworker.rest.errors import ApiError, KVCode
from edgeworker.rest.paging import NumberPage, number_page

CODES = (KVCode.MALFORMED_PAGE, KVCode.MALFORMED_PER_PAGE)


@pytest.mark.parametrize(
    ("query", "page", "start"),
    [
        ({}, NumberPage(1, 20), 0),
        ({"page": "3"}, NumberPage(3, 20), 40),
        ({"page": "2", "per_page": "1000"}, NumberPage(2, 1000), 1000),
    ],
)
def test_pages_count_from_one(query: dict[str, str], page: NumberPage, start: int) -> None:
    found = number_page(query, default_per_page=20, malformed=CODES)

    assert (found, found.start) == (page, start)


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"page": "0"}, KVCode.MALFORMED_PAGE),
        ({"page": "1.0"}, KVCode.MALFORMED_PAGE),
        ({"page": "²"}, KVCode.MALFORMED_PAGE),
        ({"per_page": "1001"}, KVCode.MALFORMED_PER_PAGE),
        ({"per_page": ""}, KVCode.MALFORMED_PER_PAGE),
    ],
)
def test_another_number_is_malformed(query: dict[str, str], code: KVCode) -> None:
    with pytest.raises(ApiError) as refused:
        number_page(query, default_per_page=20, malformed=CODES)

    assert (refused.value.status, refused.value.code) == (400, code)


@pytest.mark.parametrize(("total", "pages"), [(0, 0), (1, 1), (20, 1), (21, 2)])
def test_the_pages_are_enough_for_all(total: int, pages: int) -> None:
    assert page_info(page=1, per_page=20, count=0, total_count=total)["total_pages"] == pages
