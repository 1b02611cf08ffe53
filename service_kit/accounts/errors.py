"""What accounts refuse. At `POST /auth/token` a refusal also has the `error` of OAuth 2 (RFC 6749, 5.2)."""

from http import HTTPStatus
from typing import Final
from uuid import UUID

from service_kit.problems import InvalidRequestError, ServiceError

_CHALLENGE: Final = {"WWW-Authenticate": "Bearer"}


class BadCredentialsError(ServiceError):
    """No active account has this e-mail address and password."""

    status = HTTPStatus.UNAUTHORIZED
    code = "bad-credentials"

    def __init__(self) -> None:
        sentence = "No active account has this e-mail address and password."
        super().__init__(sentence, headers=_CHALLENGE, error="invalid_grant")


class RefreshInvalidError(ServiceError):
    """There is no refresh token that is valid now."""

    status = HTTPStatus.UNAUTHORIZED
    code = "token-invalid"

    def __init__(self) -> None:
        sentence = "This refresh token is not valid. Log in again with the password."
        super().__init__(sentence, headers=_CHALLENGE, error="invalid_grant")


class RefreshReusedError(ServiceError):
    """The refresh token was replaced by another one before: its session is over."""

    status = HTTPStatus.UNAUTHORIZED
    code = "refresh-reused"

    def __init__(self) -> None:
        sentence = "This refresh token was used before, so its session has ended. Log in again with the password."
        super().__init__(sentence, headers=_CHALLENGE, error="invalid_grant")


class TooManyAttemptsError(ServiceError):
    """Too many passwords were tried."""

    status = HTTPStatus.TOO_MANY_REQUESTS
    code = "too-many-attempts"

    def __init__(self, again_in_seconds: int) -> None:
        super().__init__(
            "Too many passwords were tried here. Try again after the seconds in the Retry-After header.",
            headers={"Retry-After": str(again_in_seconds)},
            error="invalid_grant",
        )


class TokenRequestError(InvalidRequestError):
    """The form of `POST /auth/token` is not complete, or asks for what is not given."""

    def __init__(self, sentence: str, error: str) -> None:
        super().__init__(sentence, error=error)


class WrongPasswordError(ServiceError):
    """The old password is not the account's."""

    status = HTTPStatus.UNAUTHORIZED
    code = "bad-credentials"

    def __init__(self) -> None:
        super().__init__("The old password is not that of your account.", headers=_CHALLENGE)


class AccountNotFoundError(ServiceError):
    """No account has this id."""

    status = HTTPStatus.NOT_FOUND
    code = "account-not-found"

    def __init__(self, account_id: UUID) -> None:
        super().__init__(f"There is no account {account_id}. GET /accounts lists them.")


class SessionNotFoundError(ServiceError):
    """You have no living session with this id."""

    status = HTTPStatus.NOT_FOUND
    code = "session-not-found"

    def __init__(self, session_id: UUID) -> None:
        super().__init__(f"You have no session {session_id}. GET /auth/sessions lists those that you have.")


class EmailTakenError(ServiceError):
    """Another account has this e-mail address."""

    status = HTTPStatus.CONFLICT
    code = "email-taken"

    def __init__(self) -> None:
        super().__init__("Another account has this e-mail address.")


class LastAdministratorError(ServiceError):
    """Nobody would be left who can manage accounts."""

    status = HTTPStatus.CONFLICT
    code = "last-administrator"

    def __init__(self) -> None:
        super().__init__("This is the last active account that manages accounts. Give another one its role first.")
