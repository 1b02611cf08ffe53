"""How settings are read from the environment, and the one way to read them.

Names are those of `.env.example`; a platform's own names (`MONGO_URL`, …) are accepted beside them.
"""

import os
import sys
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, DotEnvSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from service_kit.settings.env_files import SHARED, env_files, misplaced, of_one_service, own_sources, stack_addresses


def _on_railway() -> bool:
    return not os.environ.keys().isdisjoint({"RAILWAY_ENVIRONMENT", "RAILWAY_ENVIRONMENT_NAME"})


class EnvironmentSettings(BaseSettings):
    """How all settings are read: every group below stands on it, else the last one's configuration would win."""

    model_config = SettingsConfigDict(
        env_ignore_empty=True,
        extra="ignore",
        hide_input_in_errors=True,
        populate_by_name=True,
        str_strip_whitespace=True,
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """`ORDERS_SERVICE_LOG_LEVEL` goes before `LOG_LEVEL`: services that share an environment may differ."""
        service = getattr(settings_cls, "service", None)
        if service is None or not isinstance(dotenv_settings, DotEnvSettingsSource):
            return init_settings, env_settings, dotenv_settings, file_secret_settings
        own_environment, own_file = own_sources(settings_cls, service, dotenv_settings.env_file)
        return init_settings, own_environment, env_settings, own_file, dotenv_settings, file_secret_settings

    environment: Literal["development", "production"] = Field(
        default_factory=lambda: "production" if _on_railway() else "development"
    )


SettingsType = TypeVar("SettingsType", bound=BaseSettings)


def _files_for(settings_type: type[BaseSettings]) -> tuple[Path, ...]:
    """The files to read, in the order of `env_files`.

    Raises:
        SystemExit: With status 2 when the file of all has what belongs to one service.
    """
    package = settings_type.__module__.partition(".")[0]
    file = getattr(sys.modules.get(package), "__file__", None)
    files = env_files(Path(file).parent if file else None)
    if SHARED in files and (names := of_one_service(_names_in(SHARED))):
        print(f"Cannot start: {misplaced(names, getattr(settings_type, 'service', None))}", file=sys.stderr)
        raise SystemExit(2)
    addresses = stack_addresses()
    if addresses and EnvironmentSettings(_env_file=files).environment == "development":
        return addresses, *files
    return files


def _names_in(file: Path) -> list[str]:
    return list(DotEnvSettingsSource(EnvironmentSettings, env_file=file).env_vars)


def load_settings(settings_type: type[SettingsType]) -> SettingsType:
    """Read the settings, or end the process with one line per mistake and no value in it.

    Raises:
        SystemExit: With status 2 when a setting is missing or wrong.
    """
    try:
        return settings_type(_env_file=_files_for(settings_type))
    except ValidationError as error:
        for mistake in error.errors(include_url=False, include_input=False, include_context=False):
            name = "_".join(str(part) for part in mistake["loc"]).upper() or "settings"
            print(f"Cannot start: {name}: {mistake['msg'].removeprefix('Value error, ')}.", file=sys.stderr)
        raise SystemExit(2) from None
