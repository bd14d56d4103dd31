from edgeworker.bindings import StoredSecretBinding
from tests.runtime.stage import Stage


async def test_a_stored_secret_is_got_and_never_shown(stage: Stage) -> None:
    text = await stage.run(
        """
        try:
            await self.env.OTHER.get()
        except Exception as error:
            return Response(f"{await self.env.KEY.get()} {self.env.KEY!r} {error}")
        """,
        StoredSecretBinding("KEY", "the-key", "s3cret"),
        StoredSecretBinding("OTHER", "other"),
    )

    assert text == (
        's3cret <stored secret KEY> Error: Secret "other" not found: set OTHER in .dev.vars, .env or the environment'
    )
