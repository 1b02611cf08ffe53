"""Dead letters: `python -m service_kit.commands.dead_letters orders_queue list|show|replay|discard`.

A message is here because no try could succeed, or because all tries have failed; its headers say which. Reading changes
nothing: what is read goes back. Replaying puts a message back into its queue with its attempts forgotten.
"""

import asyncio
import logging
import sys
from collections.abc import Awaitable, Callable
from typing import Annotated, Final

import structlog
import typer

from service_kit.background import text_of
from service_kit.observability.printable import printable
from service_kit.rabbit.connection import BROKER_ERRORS
from service_kit.rabbit.dead_letter_queue import MOST_LETTERS, DeadLetterQueue, DeadLettersError, Letter, opened
from service_kit.rabbit.publisher import RabbitPublisher
from service_kit.settings.environment import load_settings
from service_kit.settings.stores import RabbitSettings

app = typer.Typer(help="Messages of a queue that could not be handled.", no_args_is_help=True)

_SHOWN_BYTES: Final = 4000
_CONNECT_SECONDS: Final = 10

_ANY_ID: Final = {"ignore_unknown_options": True}
"""An id may begin with a dash."""

Ids = Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="Message ids, as `list` shows them.")]
All = Annotated[bool, typer.Option("--all", help="Every dead message.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")]


@app.callback()
def choose_queue(
    context: typer.Context, queue: Annotated[str, typer.Argument(help="The queue whose dead letters these are.")]
) -> None:
    """Messages of a queue that could not be handled. The broker is the one that RABBITMQ_URL names."""
    logging.disable()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger("CRITICAL"))
    context.obj = queue


@app.command("list")
def list_letters(context: typer.Context) -> None:
    """List all, with the reason and the number of attempts of each."""

    async def run(dead: DeadLetterQueue) -> None:
        letters = await dead.letters()
        for letter in sorted(letters, key=lambda letter: letter.dead_at):
            since = letter.dead_at or "unknown"
            print(printable(f"{letter.id}  since {since}  attempts {letter.attempts}  {letter.reason}"))
        more = "or more " if len(letters) == MOST_LETTERS else ""
        print(f"{len(letters)} {more}dead in {context.obj}")

    _with_letters(context, run)


@app.command(context_settings=_ANY_ID)
def show(context: typer.Context, ids: Ids = None) -> None:
    """Show messages whole: headers and body."""

    async def run(dead: DeadLetterQueue) -> None:
        for letter in _chosen(await dead.letters(), ids, every=not ids):
            print(f"{printable(letter.id)}\n  headers: {dict(letter.message.headers)}")
            print(f"  body: {printable(letter.message.body[:_SHOWN_BYTES].decode(errors='backslashreplace'))}")

    _with_letters(context, run)


@app.command(context_settings=_ANY_ID)
def replay(context: typer.Context, ids: Ids = None, every: All = False, dry_run: DryRun = False) -> None:  # noqa: FBT002 - typer's options
    """Put messages back into their queue."""

    async def run(dead: DeadLetterQueue) -> None:
        letters = _chosen(await dead.letters(), ids, every=every)
        if not dry_run:
            publisher = RabbitPublisher(_url(), "dead_letters", topologies=[])
            async with publisher.running():
                async with asyncio.timeout(_CONNECT_SECONDS):
                    await publisher.connected()
                _require_all(await dead.replay(letters, publisher), letters)
        _report("replayed", letters, dry_run=dry_run)

    _with_letters(context, run)


@app.command(context_settings=_ANY_ID)
def discard(context: typer.Context, ids: Ids = None, every: All = False, dry_run: DryRun = False) -> None:  # noqa: FBT002 - typer's options
    """Throw messages away for good."""

    async def run(dead: DeadLetterQueue) -> None:
        letters = _chosen(await dead.letters(), ids, every=every)
        if not dry_run:
            await dead.discard(letters)
        _report("discarded", letters, dry_run=dry_run)

    _with_letters(context, run)


def _chosen(letters: list[Letter], ids: list[str] | None, *, every: bool) -> list[Letter]:
    if every and ids:
        sys.exit("Name the messages by their ids, or say --all; not both.")
    if every:
        return letters
    if not ids:
        sys.exit("Name the messages by their ids, or say --all.")
    missing = set(ids) - {name for letter in letters for name in _names(letter)}
    if missing:
        sys.exit(f"No dead letter with these ids: {', '.join(sorted(missing))}. Run `list` to see the ids.")
    return [letter for letter in letters if not _names(letter).isdisjoint(ids)]


def _names(letter: Letter) -> set[str]:
    """Its id, and how `list` shows it."""
    return {letter.id, printable(letter.id)}


def _require_all(settled: int, letters: list[Letter]) -> None:
    if settled < len(letters):
        sys.exit(f"{len(letters) - settled} of {len(letters)} stay where they are. Try again; `list` shows which.")


def _report(what: str, letters: list[Letter], *, dry_run: bool) -> None:
    for letter in letters:
        print(f"{'would be ' if dry_run else ''}{what}: {printable(letter.id)}")
    print(f"{len(letters)} {'would be ' if dry_run else ''}{what}")


def _url() -> str:
    return load_settings(RabbitSettings).rabbitmq_url.get_secret_value()


def _with_letters(context: typer.Context, run: Callable[[DeadLetterQueue], Awaitable[None]]) -> None:
    """Run on an open connection; what goes wrong there is one sentence."""

    async def connected() -> None:
        async with opened(_url(), context.obj) as dead:
            await run(dead)

    try:
        asyncio.run(connected())
    except DeadLettersError as error:
        sys.exit(str(error))
    except BROKER_ERRORS as error:
        sys.exit(f"RabbitMQ cannot be reached; RABBITMQ_URL says where it is: {text_of(error)}")


if __name__ == "__main__":
    app()
