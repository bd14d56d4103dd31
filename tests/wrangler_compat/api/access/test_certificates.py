"""Authorities of clients' certificates, with Cloudflare's own SDK: those of edge.toml, which alone can change them."""

from dataclasses import replace
from pathlib import Path

import cloudflare
import pytest

from edgeworker.config import TLS
from tests.products.access.saml_provider import key
from tests.wrangler_compat.api.access.conftest import ACCOUNT, Stage


async def test_they_are_shown_and_changed_in_edge_toml(stage: Stage, tmp_path: Path) -> None:
    file = tmp_path / "clients.pem"
    file.write_text(key("one").certificate + key("two").certificate)
    certificates = stage.sdk.zero_trust.access.certificates
    assert [item.name async for item in certificates.list(account_id=ACCOUNT)] == []

    stage.api.config = replace(stage.api.config, tls=TLS(client_auth="request", client_ca=file))

    found = [item async for item in certificates.list(account_id=ACCOUNT)]
    assert [item.name for item in found] == ["one", "two"]
    one = await certificates.get(str(found[0].id), account_id=ACCOUNT)
    assert one is not None
    assert (one.fingerprint, len(str(one.fingerprint))) == (found[0].fingerprint, 64)
    with pytest.raises(cloudflare.ConflictError, match=r"tls\.client_ca of edge\.toml"):
        await certificates.create(account_id=ACCOUNT, name="x", certificate=key("three").certificate)
    with pytest.raises(cloudflare.ConflictError):
        await certificates.delete(str(found[0].id), account_id=ACCOUNT)
    with pytest.raises(cloudflare.NotFoundError):
        await certificates.get("0" * 32, account_id=ACCOUNT)
    file.unlink()
    assert [item.name async for item in certificates.list(account_id=ACCOUNT)] == []
