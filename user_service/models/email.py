"""The e-mail address of a user."""

from typing import Annotated

from pydantic import Field

from service_kit.fields import email as email_addresses

EmailAddress = Annotated[email_addresses.EmailAddress, Field(description="Unique; case and width do not matter.")]
