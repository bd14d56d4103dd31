import subprocess
import sys

import pytest

from edgeworker.host.issuer_scripts import ClientRecords, UserRecords, issuer_module, oauth_folder
from tests.patience import PATIENCE_SECONDS


def test_the_records_are_those_of_the_bundled_server() -> None:
    users = UserRecords()
    hashed = users.hash_password("correct horse", scheme="scrypt")
    user = users.parse(
        {"t": "user", "id": users.new_id(), "email": "Ann@Example.com", "password": hashed, "created": 1}
    )

    assert user.email == "Ann@example.com"
    assert issuer_module("passwords").matches(user.password, "correct horse")
    assert users.parse(users.record(user)) == user
    assert issuer_module("users").__file__ == str(oauth_folder() / "src" / "issuer" / "users.py")


def test_a_faulty_client_says_everything_that_is_wrong() -> None:
    clients = ClientRecords()

    with pytest.raises(clients.bad) as caught:
        clients.parse({"client_id": "a b", "token_format": "paper"})
    assert len(caught.value.faults) == 2


def test_a_package_of_the_same_name_is_neither_used_nor_hidden() -> None:
    script = (
        "import sys, types\n"
        "sys.modules['issuer'] = mine = types.ModuleType('issuer')\n"
        "from edgeworker.host.issuer_scripts import issuer_module\n"
        "assert issuer_module('digests').digest('a') != ''\n"
        "import issuer\n"
        "assert issuer is mine and not hasattr(issuer, 'digests')\n"
    )

    subprocess.run([sys.executable, "-c", script], check=True, timeout=PATIENCE_SECONDS)
