"""loans_service: clients, their loans and payments. A table of contents; start reading here."""

from fastapi import FastAPI

from loans_service.config.accounts import POLICY
from loans_service.config.database import open_store
from loans_service.config.settings import LoansSettings
from loans_service.routes import clients, commands, loans, payments, portfolio
from loans_service.services.context import Policy
from service_kit.accounts.assembly import Accounts
from service_kit.accounts.guard import ACCOUNT_GUARD
from service_kit.accounts.routes import accounts, own, tokens
from service_kit.api.app import create_app
from service_kit.api.guards import Guarded
from service_kit.settings.environment import load_settings


def build(settings: LoansSettings) -> FastAPI:
    """The API on the server that `settings` name."""
    store = open_store(settings)
    return create_app(
        settings,
        description="Clients of a lender, their loans and payments. Press Authorize to log in.",
        guard=ACCOUNT_GUARD,
        routers=[
            Guarded(tokens.router, None),
            own.router,
            accounts.router,
            clients.router,
            loans.router,
            commands.router,
            payments.router,
            portfolio.router,
        ],
        resources=[store, Accounts(POLICY, settings, store, settings.service)],
        services=[Policy(settings.time_zone, settings.second_approval_above)],
        tags={
            "auth": "Logging in and out, and what one does with one's own account.",
            "accounts": "Who may log in, managed by administrators.",
            "clients": "Who borrows.",
            "loans": "Drafted, quoted, read, listed, edited; with their histories.",
            "commands": "The life of a loan: approved, paid out, cancelled and so on.",
            "payments": "Posted, quoted, reversed; what they make of balance and schedule.",
            "portfolio": "All loans, added up.",
        },
    )


app = build(load_settings(LoansSettings))
