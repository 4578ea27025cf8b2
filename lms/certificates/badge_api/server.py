"""The OAuth 2.0 server (RFC 6749, RFC 7636, RFC 7009) as Authlib has it, on our tables."""

from __future__ import annotations

import logging
from typing import Any

from authlib.common.urls import add_params_to_uri
from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.integrations.flask_oauth2.requests import FlaskOAuth2Payload, FlaskOAuth2Request
from authlib.oauth2.rfc6749 import OAuth2Request
from authlib.oauth2.rfc6749.errors import InvalidGrantError, InvalidRequestError
from authlib.oauth2.rfc6749.grants import (
    AuthorizationCodeGrant,
    BaseGrant,
    RefreshTokenGrant,
    TokenEndpointMixin,
)
from authlib.oauth2.rfc6750 import BearerTokenGenerator
from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oauth2.rfc7636 import CodeChallenge
from flask import Request
from flask import request as current_request

from lms.accounts.models import User
from lms.certificates.badge_api import connections, offers, queries
from lms.certificates.badge_api.models import (
    ACCESS_LIFETIME,
    BadgeClient,
    BadgeCode,
    BadgeToken,
)
from lms.certificates.badge_api.secrets import make_secret

BASIC = ["client_secret_basic"]
logging.getLogger("authlib").setLevel(logging.WARNING)  # below that it writes tokens out


def _word(**_about: Any) -> str:
    return make_secret()


def _active(user: User) -> User | None:
    return user if user.is_active else None


class CodeGrant(AuthorizationCodeGrant):  # type: ignore[misc]
    """From the holder's consent to a token (RFC 6749, 4.1)."""

    TOKEN_ENDPOINT_AUTH_METHODS = BASIC

    def create_authorization_response(
        self, redirect_uri: str, grant_user: User | None
    ) -> tuple[int, str, list[tuple[str, str]]]:
        """Lead back to the client, with the scope too (Open Badges 3.0, 8.3.2)."""
        status, body, headers = super().create_authorization_response(redirect_uri, grant_user)
        scope = [("scope", self.request.scope)]
        return status, body, [(name, add_params_to_uri(value, scope)) for name, value in headers]

    def save_authorization_code(self, code: str, request: Any) -> None:
        """Keep the connection and the code."""
        connection = connections.connect(request.user, request.client, request.scope.split())
        said = request.payload.data
        connections.keep_code(
            connection,
            code,
            request.payload.redirect_uri,
            said["code_challenge"],
            said["code_challenge_method"],
        )

    def query_authorization_code(self, code: str, client: BadgeClient) -> BadgeCode | None:
        """The code, when it may still be used."""
        return connections.open_code(code, client)

    def delete_authorization_code(self, authorization_code: BadgeCode) -> None:
        """Let the code work no second time."""
        connections.use_code(authorization_code)

    def authenticate_user(self, authorization_code: BadgeCode) -> User | None:
        """Who has consented."""
        return _active(authorization_code.connection.user)


class RefreshGrant(RefreshTokenGrant):  # type: ignore[misc]
    """From a refresh token to a new pair (RFC 6749, 6); the old pair ends."""

    TOKEN_ENDPOINT_AUTH_METHODS = BASIC
    INCLUDE_NEW_REFRESH_TOKEN = True

    def authenticate_refresh_token(self, refresh_token: str) -> BadgeToken | None:
        """What it renews, when it may."""
        return connections.open_refresh_token(refresh_token, self.request.client)

    def authenticate_user(self, refresh_token: BadgeToken) -> User | None:
        """Whose it is."""
        return _active(refresh_token.connection.user)

    def revoke_old_credential(self, refresh_token: BadgeToken) -> None:
        """End the old pair."""
        connections.close_token(refresh_token, refreshed=True)


class PreAuthorizedGrant(BaseGrant, TokenEndpointMixin):  # type: ignore[misc]
    """From an offer to a token for its one credential (OpenID4VCI 1.0, 6.1); wallets are
    anonymous."""

    GRANT_TYPE = offers.GRANT

    def validate_token_request(self) -> None:
        """Take the code; it works once."""
        code = self.request.form.get("pre-authorized_code")
        if not code or self.request.form.get("tx_code"):
            raise InvalidRequestError("A 'pre-authorized_code' is needed, and no 'tx_code'.")
        taken = offers.take(code)
        if taken is None:
            raise InvalidGrantError("The code is over, was used before, or is none.")
        self.offer, self.token = taken

    def create_token_response(self) -> tuple[int, dict[str, Any], Any]:
        """The token, and which credential it is for when the wallet asked so."""
        said: dict[str, Any] = {
            "access_token": self.token,
            "token_type": "Bearer",
            "expires_in": int(offers.TOKEN_LIFETIME.total_seconds()),
        }
        if self.request.form.get("authorization_details"):
            said["authorization_details"] = [
                {
                    "type": "openid_credential",
                    "credential_configuration_id": offers.CONFIGURATION,
                    "credential_identifiers": [offers.identifier_of(self.offer)],
                }
            ]
        return 200, said, self.TOKEN_RESPONSE_HEADER


class Revocation(RevocationEndpoint):  # type: ignore[misc]
    """A client gives a token back (RFC 7009)."""

    CLIENT_AUTH_METHODS = BASIC

    def query_token(self, token_string: str, token_type_hint: str | None) -> BadgeToken | None:
        """The token, by either of its words."""
        return connections.find_token(token_string)

    def revoke_token(self, token: BadgeToken, request: Any) -> None:
        """End it, and what it could renew."""
        connections.close_token(token)


class Challenge(CodeChallenge):  # type: ignore[misc]
    """PKCE is asked of everybody, with S256 (Open Badges 3.0, 8.3.1); so is `state`."""

    DEFAULT_CODE_CHALLENGE_METHOD = "S256"
    SUPPORTED_CODE_CHALLENGE_METHOD = ["S256"]

    def validate_code_challenge(self, grant: CodeGrant, redirect_uri: str) -> None:
        """Refuse a request without a challenge."""
        said = grant.request.payload.data
        if not said.get("code_challenge") or said.get("code_challenge_method") != "S256":
            raise InvalidRequestError("A 'code_challenge' with S256 is needed.")
        if not said.get("state"):
            raise InvalidRequestError("A 'state' is needed.")
        super().validate_code_challenge(grant, redirect_uri)


class _Request(FlaskOAuth2Request):  # type: ignore[misc]
    """A request of this Flask; what stands in front of it sees to TLS, which is not seen here."""

    def __init__(self, request: Request) -> None:
        OAuth2Request.__init__(
            self,
            method=request.method,
            uri=request.url.replace("http://", "https://", 1),
            headers=request.headers,
        )
        self._request = request
        self.payload = FlaskOAuth2Payload(request)


class Server(AuthorizationServer):  # type: ignore[misc]
    """Who may have which token."""

    def __init__(self) -> None:
        super().__init__(query_client=queries.find_client, save_token=_save_token)
        seconds = int(ACCESS_LIFETIME.total_seconds())
        generator = BearerTokenGenerator(_word, _word, lambda client, grant_type: seconds)
        self.register_token_generator("default", generator)
        self.register_grant(CodeGrant, [Challenge(required=True)])
        self.register_grant(RefreshGrant)
        self.register_grant(PreAuthorizedGrant)
        self.register_endpoint(Revocation)

    def create_oauth2_request(self, _request: None) -> OAuth2Request:
        """The present request in Authlib's form."""
        return _Request(current_request)


def _save_token(token: dict[str, Any], request: Any) -> None:
    source = request.authorization_code or request.refresh_token
    connections.keep_token(
        source.connection, token["access_token"], token.get("refresh_token"), token["scope"]
    )


server = Server()
