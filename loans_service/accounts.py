"""`python -m loans_service.accounts`: create, disable, password, new-key."""

from loans_service.config.accounts import POLICY
from loans_service.config.database import SCHEMA
from loans_service.config.settings import LoansSettings
from service_kit.accounts.commands import account_commands

app = account_commands(POLICY, SCHEMA, LoansSettings)

if __name__ == "__main__":
    app()
