"""`GET /orders`: a page of 50 among 1,000,000 orders beside one among 1,000."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import islice
from typing import Any, Final

from bson import ObjectId

from benchmarks.harness.processes import Contender
from benchmarks.harness.row import Row, alternate, row_of
from benchmarks.harness.testbed import Site
from benchmarks.harness.wrk import load
from orders_service.models.order import NewItem, NewOrder
from orders_service.services.new_order import as_document, new_order_id, placed_view
from service_kit.pagination import encode_cursor

_MANY: Final = 1_000_000
_FEW: Final = 1_000
_BATCH: Final = 10_000
_SECONDS: Final = 3
_CALLERS: Final = 8
_USERS: Final = 20
_GOAL: Final = {"among 1,000": 1.5}


def measure(site: Site) -> Sequence[Row]:
    """Milliseconds a page, median: the newest, one user's, by status, and from the middle."""
    few, many = _service(site, "few", _FEW), _service(site, "many", _MANY)
    rows = []
    for name in ("newest", "of_a_user", "by_status", "from_the_middle"):
        contenders: dict[str, Callable[[], float]] = {
            "ours": _page_ms(site, many, "many", name),
            "among 1,000": _page_ms(site, few, "few", name),
        }
        samples = alternate(contenders, site.rounds, site.say)
        rows.append(row_of(f"listing_{name}", "ms a page", samples, _GOAL, more_is_better=False, digits=2))
    return rows


def _service(site: Site, database: str, count: int) -> Contender:
    service = site.ours("orders_service", database)  # which makes the indexes
    orders = site.collection(database)
    documents = _documents(count)
    while batch := list(islice(documents, _BATCH)):
        orders.insert_many(batch, ordered=False)
    site.say(f"{count} orders are there")
    return service


def _documents(count: int) -> Iterator[dict[str, Any]]:
    item = NewItem(sku="MUG-01", name="Coffee mug", quantity=3, unit_price=Decimal("19.99"))
    wishes = [NewOrder(user_id=f"user-{number}", items=[item], currency="EUR") for number in range(_USERS)]
    first = datetime(2026, 1, 1, tzinfo=UTC)
    for number in range(count):
        at = first + timedelta(seconds=number)
        order_id = new_order_id(at)
        yield as_document(order_id, placed_view(order_id, wishes[number % _USERS], at)) | {"outbox": []}


def _page_ms(site: Site, service: Contender, database: str, name: str) -> Callable[[], float]:
    queries = {
        "newest": "",
        "of_a_user": "&user_id=user-7",
        "by_status": "&status=placed",
        "from_the_middle": f"&cursor={encode_cursor(str(_middle(site, database)))}",
    }
    url = f"{service.url}/orders?limit=50{queries[name]}"
    return lambda: load(url, _SECONDS, connections=_CALLERS).p50_ms / _CALLERS


def _middle(site: Site, database: str) -> ObjectId:
    orders = site.collection(database)
    [found] = orders.find({}, {"_id": 1}).sort("_id", 1).skip(orders.estimated_document_count() // 2).limit(1)
    middle: ObjectId = found["_id"]
    return middle
