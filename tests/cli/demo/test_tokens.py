import jwt

from edgeworker.cli.demo.tokens import AUDIENCE, ISSUER, DemoIssuer, DemoToken, Publisher

SIG4616 = DemoToken("eyJhbGciOiJSUzI1NiJ9.e30.sig4616", exp=1_700_000_300)


def test_a_token_knows_its_two_halves_and_its_key() -> None:
    assert SIG4616.signature == "sig4616"
    assert SIG4616.value == "eyJhbGciOiJSUzI1NiJ9.e30"
    assert SIG4616.key == "//p0H11e353t4zR+7J004M1LWP7fjivdkA74UV7aZF4="


def test_the_publishers_path_has_the_key_as_it_is() -> None:
    publisher = Publisher("http://127.0.0.1:1", "acc", "ns", "secret")

    assert publisher.target(SIG4616, expiration=SIG4616.exp) == (
        "/client/v4/accounts/acc/storage/kv/namespaces/ns/values/"
        "//p0H11e353t4zR+7J004M1LWP7fjivdkA74UV7aZF4=?expiration=1700000300"
    )


def test_an_issued_token_is_verified_by_its_public_key() -> None:
    issuer = DemoIssuer()
    token = issuer.issue_with_slash_in_key(issued_at=1_700_000_000, ttl_seconds=300)

    claims = jwt.decode(
        token.whole,
        issuer.public_key,
        algorithms=["RS256"],
        audience=AUDIENCE,
        issuer=ISSUER,
        options={"verify_exp": False, "verify_iat": False},
    )
    assert claims["exp"] == token.exp == 1_700_000_300
    assert "/" in token.key


def test_two_tokens_of_one_second_have_two_signatures() -> None:
    issuer = DemoIssuer()

    assert len({issuer.issue(issued_at=0, ttl_seconds=1).signature for _ in range(5)}) == 5


def test_neither_a_token_nor_a_publisher_shows_what_is_secret() -> None:
    assert "sig4616" not in repr(SIG4616)
    assert "secret" not in repr(Publisher("http://127.0.0.1:1", "acc", "ns", "secret"))
