"""What every process reads from its environment, and what an API reads beside it."""

from typing import ClassVar, Literal, Self

from pydantic import Field, SecretStr, model_validator

from service_kit.settings.environment import EnvironmentSettings
from service_kit.settings.keys import keys_in


class ServiceSettings(EnvironmentSettings):
    """Settings of any process, API or worker."""

    service: ClassVar[str] = "service"
    """Name of the process in logs, traces and `/docs`."""

    host: str = Field("127.0.0.1", description="Address to listen on; `*` is every address, IPv4 and IPv6.")
    port: int = Field(8000, ge=0, le=65535)
    trusted_proxies: int = Field(0, ge=0, le=10, description="Reverse proxies of ours in front of it; see proxies.py.")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["console", "json"] = "console"
    otel_exporter_otlp_endpoint: str = ""
    max_connections: int = Field(1000, ge=16, description="More callers at the same time are refused with 503.")
    metrics_key: SecretStr = Field(SecretStr(""), description="Keys that open `/metrics`, separated by commas.")

    @property
    def metrics_keys(self) -> list[str]:
        """The keys that open `/metrics`; none means that anybody may read it."""
        return keys_in(self.metrics_key)


class ApiSettings(ServiceSettings):
    """Settings of an HTTP API, whoever may call it."""

    max_body_bytes: int = Field(1_048_576, ge=1024)
    docs: bool = Field(True, description="Whether `/docs` and `/openapi.json` are there.")  # noqa: FBT003 - a default


class ApiKeySettings(EnvironmentSettings):
    """The keys of an API whose callers show one."""

    api_key: SecretStr = Field(SecretStr(""), description="Accepted keys, separated by commas, so that they rotate.")
    allow_anonymous: bool = False

    @property
    def api_keys(self) -> list[str]:
        """The accepted keys; none means that anybody may call."""
        return keys_in(self.api_key)

    @model_validator(mode="after")
    def _require_a_key_in_production(self) -> Self:
        if self.environment == "production" and not self.api_keys and not self.allow_anonymous:
            message = "set API_KEY, or ALLOW_ANONYMOUS=true if anybody may read and write here"
            raise ValueError(message)
        return self
