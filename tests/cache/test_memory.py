from edgeworker.cache.memory import MAX_VARIANTS, Cached, MemoryCache
from edgeworker.messages import Headers

NOTHING = Headers()


def entry(content: bytes, *, expires_at: int = 100, vary: str | None = None) -> Cached:
    headers = Headers() if vary is None else Headers({"vary": vary})
    return Cached(200, headers, content, kept_at=0, expires_at=expires_at)


def test_an_entry_is_gone_at_its_expiry_second() -> None:
    cache = MemoryCache()
    cache.put("", "u", NOTHING, entry(b"x"))

    assert cache.get("", "u", NOTHING, now=99) is not None
    assert cache.get("", "u", NOTHING, now=100) is None
    assert not cache.delete("", "u", now=100)


def test_each_choice_of_fields_has_its_own_answer() -> None:
    cache = MemoryCache()
    for language in ("de", "fr"):
        cache.put("", "u", Headers({"accept-language": language}), entry(language.encode(), vary="Accept-Language"))

    found = [cache.get("", "u", Headers({"accept-language": language}), now=0) for language in ("de", "fr", "it")]

    assert [item and item.content for item in found] == [b"de", b"fr", None]
    assert cache.get("", "u", NOTHING, now=0) is None
    assert cache.delete("", "u", now=0)
    assert cache.get("", "u", Headers({"accept-language": "de"}), now=0) is None


def test_the_least_recently_used_ones_make_room() -> None:
    cache = MemoryCache(max_bytes=3 * entry(b"x" * 1000).size)
    for url in ("a", "b", "c"):
        cache.put("", url, NOTHING, entry(b"x" * 1000))
    cache.get("", "a", NOTHING, now=0)
    cache.put("", "d", NOTHING, entry(b"x" * 1000))

    assert [url for url in "abcd" if cache.get("", url, NOTHING, now=0) is None] == ["b"]


def test_caches_keep_apart() -> None:
    cache = MemoryCache()
    cache.put("", "u", NOTHING, entry(b"x"))

    assert cache.get("name:n", "u", NOTHING, now=0) is None


def test_h23_a_client_cannot_make_more_answers_of_one_url_than_are_looked_through_in_no_time() -> None:
    cache = MemoryCache()
    for number in range(MAX_VARIANTS + 1):
        cache.put("", "u", Headers({"accept": str(number)}), entry(b"x", vary="Accept"))

    found = [cache.get("", "u", Headers({"accept": str(number)}), now=0) for number in (0, 1, MAX_VARIANTS)]

    assert [item is None for item in found] == [True, False, False]
