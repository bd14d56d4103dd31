from edgeworker.bindings import UnsupportedBinding
from tests.runtime.stage import Stage


async def test_a_script_that_does_not_use_it_runs_and_one_that_does_is_told(stage: Stage) -> None:
    text = await stage.run(
        """
        try:
            await self.env.BUCKET.get("x")
        except NotImplementedError as error:
            return Response(f"{self.env.BUCKET!r}: {error}")
        """,
        UnsupportedBinding("BUCKET", "R2 Bucket"),
    )

    assert text == (
        "<R2 Bucket BUCKET, not emulated>: env.BUCKET.get: R2 Bucket is not emulated by edgeworker; "
        "wrangler dev runs this part"
    )
