"""`python -m passengers_service.load FILE --url …`: sends a file of passengers to the bulk route, however long it is.

Each request is one transaction of its own. A repeat changes nothing: so whatever happens, send the whole file again.
"""

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Final

import httpx
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from passengers_service.commands.load_parts import CONTENT_TYPES, SUFFIXES, Format, Part, UnreadableFileError, parts_of

_PIECE_BYTES: Final = 262_144
_TRIES: Final = 6
_TIMEOUT: Final = httpx.Timeout(30, read=300)
_SHOWN_MISTAKES: Final = 20
_COUNTS: Final = ("received", "created", "updated", "unchanged", "rejected_count")
_BUSY: Final = (httpx.codes.BAD_GATEWAY, httpx.codes.SERVICE_UNAVAILABLE, httpx.codes.GATEWAY_TIMEOUT)


class RefusedError(Exception):
    """The service does not take these rows; its message is for people."""


class Loading:
    """The requests of one file."""

    def __init__(self, client: httpx.Client, headers: dict[str, str], progress: Progress, size_bytes: int) -> None:
        self._client = client
        self._headers = headers
        self._progress = progress
        self._task = progress.add_task("", total=size_bytes, rows=0, pace=0)
        self._began = time.monotonic()
        self.counts = dict.fromkeys(_COUNTS, 0)
        self.mistakes: list[str] = []

    def send(self, part: Part) -> None:
        """Send a part until it is answered.

        Raises:
            RefusedError: By a refusal, or by nothing for too long.
        """
        answer = self._answer_to(part)
        if answer.is_error:
            raise RefusedError(self._refusal(answer))
        result = answer.json()
        self._note(result)
        for name in _COUNTS:
            self.counts[name] += result[name]
        rows = self.counts["received"]
        pace = rows / max(time.monotonic() - self._began, 0.001)
        self._progress.update(self._task, completed=part.end_bytes, rows=rows, pace=pace)

    def _answer_to(self, part: Part) -> httpx.Response:
        began = float(self._progress.tasks[self._task].completed)
        for failures in range(_TRIES):
            self._progress.update(self._task, completed=began)
            if failures:
                time.sleep(2.0 ** (failures - 1))
            try:
                answer = self._client.post("/passengers/bulk", content=self._pieces(part), headers=self._headers)
            except httpx.TransportError as error:
                reason = str(error) or type(error).__name__
            else:
                if answer.status_code not in _BUSY:
                    return answer
                reason = f"{answer.status_code} {answer.reason_phrase}"
            self._progress.console.print(f"Not answered ({reason}): trying again, which is harmless.")
        raise RefusedError(f"{self._client.base_url} does not answer: {reason}.")

    def _pieces(self, part: Part) -> Iterator[bytes]:
        for start in range(0, len(part.body), _PIECE_BYTES):
            piece = part.body[start : start + _PIECE_BYTES]
            yield piece
            self._progress.advance(self._task, len(piece) * 0.9)  # the rest is for the answer

    def _refusal(self, answer: httpx.Response) -> str:
        try:
            problem = answer.json()
            self._note(problem)
            return str(problem["detail"])
        except (ValueError, KeyError, TypeError):
            return f"{answer.status_code} {answer.reason_phrase}: {answer.text[:300]}"

    def _note(self, result: dict[str, Any]) -> None:
        """Take down what is wrong with which row of the file."""
        before = self.counts["received"]
        for mistake in result.get("rejected", ()):
            field = f"{mistake['field']}: " if mistake["field"] else ""
            self.mistakes.append(f"Row {before + mistake['row']:,}: {field}{mistake['reason']}.")


def main(  # noqa: PLR0913 - each is an option
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="JSON, NDJSON or CSV.")],
    *,
    url: Annotated[str, typer.Option(help="Where passengers_service is.")] = "http://127.0.0.1:8004",
    api_key: Annotated[str, typer.Option(envvar="API_KEY", help="One of the service's keys.")] = "",
    lenient: Annotated[bool, typer.Option(help="Store the good rows of a request that has bad ones.")] = False,
    written: Annotated[Format | None, typer.Option("--format", help="What the file's name does not say.")] = None,
    encoding: Annotated[str, typer.Option(help="Of a CSV file: windows-1252, say.")] = "utf-8-sig",
    rows: Annotated[int, typer.Option(min=1, max=100_000, help="At most so many a request.")] = 20_000,
) -> None:
    """Send a file of passengers; to do it again is harmless. Ends with 1 if a row was refused."""
    kind = written or SUFFIXES.get(file.suffix.lower())
    if kind is None:
        sys.exit("Say by --format whether the file is json, ndjson or csv.")
    headers = {"Content-Type": CONTENT_TYPES[kind], "Prefer": f"handling={'lenient' if lenient else 'strict'}"}
    headers |= {"X-API-Key": api_key.partition(",")[0].strip()} if api_key else {}
    began = time.monotonic()
    with _progress() as progress, httpx.Client(base_url=url, timeout=_TIMEOUT) as client:
        loading = Loading(client, headers, progress, max(file.stat().st_size, 1))
        refusal = _send(loading, parts_of(file, kind, rows, encoding=encoding))
    sys.exit(_told(loading, refusal, time.monotonic() - began))


def _progress() -> Progress:
    columns = (TextColumn("{task.fields[rows]:,} rows"), BarColumn(), TaskProgressColumn())
    pace = TextColumn("{task.fields[pace]:,.0f} rows/s")
    return Progress(*columns, pace, TimeRemainingColumn(), console=Console(stderr=True))


def _send(loading: Loading, parts: Iterator[Part]) -> str:
    """Send all parts; why it ended early, if it did."""
    try:
        for part in parts:
            loading.send(part)
    except (RefusedError, UnreadableFileError, OSError, LookupError) as error:
        return str(error)
    return "" if loading.counts["received"] else "The file has no rows."


def _told(loading: Loading, refusal: str, seconds: float) -> int:
    """Print how it went; the exit status."""
    counts = loading.counts
    for mistake in loading.mistakes[:_SHOWN_MISTAKES]:
        print(mistake)
    if len(loading.mistakes) > _SHOWN_MISTAKES:
        print(f"… and {len(loading.mistakes) - _SHOWN_MISTAKES:,} more.")
    if refusal:
        print(refusal)
    if refusal and counts["received"]:
        print(f"What came before is stored, {counts['received']:,} rows: sending the file again is harmless.")
    told = ", ".join(f"{counts[name]:,} {name.removesuffix('_count')}" for name in _COUNTS)
    print(f"{told}; in {seconds:.1f} s, {counts['received'] / max(seconds, 0.001):,.0f} rows/s.")
    return 1 if refusal or counts["rejected_count"] else 0


if __name__ == "__main__":
    typer.run(main)
