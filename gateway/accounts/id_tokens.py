"""What OpenID Connect asks of a browser, and ID tokens: what they claim, once everything about them is right."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from energy.errors import EnergyError
from gateway.accounts.provider import Provider

# Signed with a key that the provider alone has: `none`, and what is signed with the client's secret, is nobody's word.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "Ed25519", "EdDSA")
# Clocks of two machines may differ so much.
_LEEWAY_S = 60


class TokenFault(EnergyError):
    """A token that is not taken."""


def entrance(endpoint: str, provider: Provider, verifier: str, asked: Mapping[str, str]) -> str:
    """The address at a provider where a code is asked for; of the verifier it is told the digest (RFC 7636, S256)."""
    address = prepare_grant_uri(
        endpoint,
        provider.client_id,
        "code",
        scope=" ".join(provider.scopes),
        code_challenge=create_s256_code_challenge(verifier),
        code_challenge_method="S256",
        **asked,
    )
    return str(address)


def claims_of(
    given: Mapping[str, Any], keys: Mapping[str, Any], provider: Provider, nonce: str, now_s: float
) -> dict[str, Any]:
    """The claims of the ID token in the answer of a token endpoint.

    TokenFault where the signature is of none of the keys, it is of another issuer, for another client, too old, not of
    this flow, or belongs to another access token.
    """
    text = given.get("id_token")
    if not isinstance(text, str):
        raise TokenFault("there is no id_token in the answer")
    options = {
        "iss": {"essential": True, "value": provider.issuer},
        "aud": {"essential": True, "value": provider.client_id},
    }
    of = {"nonce": nonce, "client_id": provider.client_id, "access_token": given.get("access_token")}
    try:
        token = jwt.decode(text, KeySet.import_key_set(dict(keys)), algorithms=list(ALGORITHMS))  # type: ignore[arg-type]
        claims = CodeIDToken(token.claims, token.header, options, of)
        claims.validate(now=int(now_s), leeway=_LEEWAY_S)
    except JoseError as error:
        raise TokenFault(f"the token is not taken: {error}") from error
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise TokenFault(f"the token is broken: {error!r}") from error
    return dict(claims)
