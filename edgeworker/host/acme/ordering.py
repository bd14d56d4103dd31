"""One order at an ACME authority, from account to certificate. Blocks; the protocol is the `acme` library's."""

import importlib.util
import re
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Final

from edgeworker.errors import ConfigError, EdgeworkerError, StoreError
from edgeworker.host.acme.files import ACMEFiles
from edgeworker.strict_json import loads
from edgeworker.tls_settings import ACME

if TYPE_CHECKING:
    from acme.client import ClientV2
    from acme.messages import AuthorizationResource
    from josepy.jwk import JWKEC

_REQUEST_SECONDS: Final = 30
_LONGEST_TEXT: Final = 1000
# A nonce may be refused at any time, and the next one may do (RFC 8555, section 6.5). The library gives up after two.
_NONCES_TRIED: Final = 5
_EAB_KEY: Final = re.compile(rb"[A-Za-z0-9_-]+={0,2}")


class OrderFailed(EdgeworkerError):
    """The authority gave no certificate; the text says why."""


def require_library() -> None:
    """Raises ConfigError where the extra is not installed."""
    if importlib.util.find_spec("acme") is None:
        raise ConfigError('edge.toml: "tls.acme" needs a library that is not here: pip install "edgeworker[acme]"')


def order_certificate(settings: ACME, files: ACMEFiles) -> bytes:
    """PEM: a new key, the certificate for all hosts and its chain. Raises OrderFailed, and StoreError."""
    from acme.crypto_util import make_csr
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    files.forget_challenges()
    try:
        account = _account_key(settings, files)
        client = _client(settings, account)
        order = client.new_order(make_csr(key, list(settings.hosts)))
        with ExitStack() as challenges:
            for authorization in order.authorizations:
                _answer(client, account, authorization, files, challenges)
            done = client.poll_and_finalize(order)
    except StoreError:
        raise
    except ConfigError as error:  # of a file that an order needs
        raise OrderFailed(str(error)) from error
    except Exception as error:  # what a server answers is not checked everywhere in the library
        raise OrderFailed(_explained(error)) from error
    return key + done.fullchain_pem.encode()


def _client(settings: ACME, account: "JWKEC") -> "ClientV2":
    """One whose account is known to the authority: made now, or before."""
    from acme.client import ClientNetwork, ClientV2
    from acme.errors import ConflictError
    from acme.messages import Error, ExternalAccountBinding, NewRegistration, RegistrationResource
    from josepy.jwa import ES256
    from requests import Response

    from edgeworker.server.certificates import read_certificates

    class Network(ClientNetwork):
        def post(self, *arguments: object, **options: object) -> Response:
            for _ in range(_NONCES_TRIED - 1):
                try:
                    return super().post(*arguments, **options)
                except Error as error:
                    if error.code != "badNonce":
                        raise
            return super().post(*arguments, **options)

    network = Network(account, alg=ES256, user_agent="edgeworker", timeout=_REQUEST_SECONDS)
    if settings.ca is not None:
        read_certificates(settings.ca, where="tls.acme.ca")
        # The library knows yes and no here, and gives it to `requests`, which takes a file of authorities too.
        vars(network)["verify_ssl"] = str(settings.ca)
    client = ClientV2(ClientV2.get_directory(settings.directory, network), net=network)
    binding: dict[str, object] | None = None
    if settings.eab_key_id is not None and settings.eab_key_file is not None:
        key = read_eab_key(settings.eab_key_file)
        binding = ExternalAccountBinding.from_data(account.public_key(), settings.eab_key_id, key, client.directory)
    elif client.external_account_required():
        raise ConfigError(
            "the authority makes accounts for its customers only; give tls.acme.eab_key_id and tls.acme.eab_key_file, "
            "which it has given you"
        )
    registration = NewRegistration.from_data(
        email=settings.email, terms_of_service_agreed=settings.terms_agreed, external_account_binding=binding
    )
    try:
        client.new_account(registration)
    except ConflictError as known:
        network.account = RegistrationResource(uri=known.location, body=registration)
    return client


def read_eab_key(file: Path) -> str:
    """Raises ConfigError, which does not quote what is in the file."""
    try:
        content = file.read_bytes().strip()
    except OSError as error:
        raise ConfigError(f"tls.acme.eab_key_file: {file} cannot be read: {error.strerror}") from error
    if _EAB_KEY.fullmatch(content) is None:
        raise ConfigError(
            f'tls.acme.eab_key_file: {file} is not a key in base64url (letters, digits, "-" and "_"); copy what the '
            "authority calls the HMAC key"
        )
    return content.decode("ascii")


def _account_key(settings: ACME, files: ACMEFiles) -> "JWKEC":
    from cryptography.hazmat.primitives.asymmetric import ec
    from josepy.jwk import JWKEC
    from josepy.util import ComparableECKey

    place = files.account(settings)
    try:
        match loads(place.read_bytes()):
            case {"kty": "EC", "crv": str(curve), "x": str(x), "y": str(y), "d": str(d)}:
                key = JWKEC.from_json({"kty": "EC", "crv": curve, "x": x, "y": y, "d": d})
                assert isinstance(key, JWKEC)
                return key
            case _:
                raise ValueError("it is not an elliptic key")
    except FileNotFoundError:
        made = JWKEC(key=ComparableECKey(ec.generate_private_key(ec.SECP256R1())))
        files.write(place, made.json_dumps().encode())
        return made
    except (OSError, ValueError) as error:
        raise StoreError(
            f"{place}: the key of the ACME account cannot be read: {error}; move it away for a new one"
        ) from error


def _answer(
    client: "ClientV2",
    account: "JWKEC",
    authorization: "AuthorizationResource",
    files: ACMEFiles,
    challenges: ExitStack,
) -> None:
    """Lets every process answer, and then the authority ask. What it believes already is not proved again."""
    from acme.challenges import HTTP01
    from acme.messages import STATUS_VALID

    if authorization.body.status == STATUS_VALID:
        return
    for offered in authorization.body.challenges:
        if isinstance(offered.chall, HTTP01):
            response, text = offered.response_and_validation(account)
            challenges.enter_context(files.challenge(offered.chall.encode("token"), text))
            client.answer_challenge(offered, response)
            return
    raise ValueError(f"the authority does not offer HTTP-01 for {authorization.body.identifier.value}")


def _explained(error: Exception) -> str:
    """The library's own texts are long, or only names of classes."""
    from acme.errors import TimeoutError as TooLate
    from acme.errors import ValidationError
    from requests.exceptions import RequestException

    if isinstance(error, ValidationError):
        said = [
            f"{failed.body.identifier.value}: {offered.error.detail or offered.error.typ}"
            for failed in error.failed_authzrs
            for offered in failed.body.challenges
            if offered.error is not None
        ]
        return "the authority could not prove " + "; ".join(said)[:_LONGEST_TEXT]
    if isinstance(error, TooLate):
        return "the authority did not decide in time"
    if isinstance(error, RequestException):
        place = "the authority" if error.request is None else str(error.request.url)
        return f"{place} cannot be reached: {_first_cause(error)}"[:_LONGEST_TEXT]
    return (str(error) or type(error).__name__)[:_LONGEST_TEXT]


def _first_cause(error: BaseException) -> str:
    """What the network or TLS said, without what libraries put around it."""
    while (cause := error.__cause__ or error.__context__) is not None:
        error = cause
    strerror = error.strerror if isinstance(error, OSError) else None
    return strerror or str(error) or type(error).__name__
