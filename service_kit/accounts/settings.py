"""What a service with accounts reads from its environment."""

from typing import Final, Self

from pydantic import Field, SecretStr, TypeAdapter, ValidationError, model_validator

from service_kit.accounts.signing_keys import signing_keys_in
from service_kit.accounts.strength import WeakPasswordError, require_strength
from service_kit.fields.email import EmailAddress
from service_kit.fields.password import Password
from service_kit.settings.environment import EnvironmentSettings

_EMAIL: Final[TypeAdapter[str]] = TypeAdapter(EmailAddress)
_PASSWORD: Final[TypeAdapter[SecretStr]] = TypeAdapter(Password)


class AccountsSettings(EnvironmentSettings):
    """Settings of any service with accounts."""

    bcrypt_rounds: int = Field(12, ge=4, le=16, description="Cost of a password hash; each step doubles its time.")
    first_admin_email: str = Field("", description="Of an administrator that is made while there is no account.")
    first_admin_password: SecretStr = SecretStr("")

    @model_validator(mode="after")
    def _require_both(self) -> Self:
        if bool(self.first_admin_email) != bool(self.first_admin_password.get_secret_value()):
            raise ValueError("set both FIRST_ADMIN_EMAIL and FIRST_ADMIN_PASSWORD, or none of them")
        if self.first_admin_email:
            _require_usable(self.first_admin_email, self.first_admin_password)
        return self


def _require_usable(email: str, password: SecretStr) -> None:
    """Refuse at the start what could not be an account, rather than to start without one."""
    try:
        _EMAIL.validate_python(email)
        _PASSWORD.validate_python(password)
        require_strength(password, email)
    except ValidationError as error:
        raise ValueError(f"FIRST_ADMIN_EMAIL, FIRST_ADMIN_PASSWORD: {error.errors()[0]['msg']}") from None
    except WeakPasswordError as error:
        raise ValueError(f"FIRST_ADMIN_PASSWORD: {error.detail}") from None


class JwtSettings(AccountsSettings):
    """Settings of a service whose sessions have tokens."""

    jwt_keys: SecretStr = Field(SecretStr(""), description="kid:base64,kid:base64; the first signs, all verify.")

    @model_validator(mode="after")
    def _require_keys(self) -> Self:
        given = self.jwt_keys.get_secret_value()
        if not given and self.environment == "production":
            raise ValueError("set JWT_KEYS to what the command `accounts new-key` prints")
        if given:
            try:
                signing_keys_in(self.jwt_keys)
            except ValueError as error:
                raise ValueError(f"JWT_KEYS: {error}") from None
        return self
