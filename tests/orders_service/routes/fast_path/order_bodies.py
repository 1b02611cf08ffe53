"""Bodies as callers write them: what is taken, and what is refused."""

import json


def order_of(item: str = '"sku":"MUG-01","name":"Mug","quantity":3,"unit_price":"19.99"', more: str = "") -> bytes:
    return f'{{"items":[{{{item}}}],"currency":"EUR"{more}}}'.encode()


def priced(amount: str) -> bytes:
    return order_of(f'"sku":"MUG-01","name":"Mug","quantity":3,"unit_price":{amount}')


def counted(quantity: str) -> bytes:
    return order_of(f'"sku":"MUG-01","name":"Mug","quantity":{quantity},"unit_price":"19.99"')


def of_items(count: int) -> bytes:
    item = {"sku": "MUG-01", "name": "Mug", "quantity": 1_000_000, "unit_price": "9999999999.99"}
    return json.dumps({"items": [item] * count, "currency": "EUR"}).encode()


_NEW_ORDER = [
    order_of(),
    *[priced(amount) for amount in ('"0"', '"0.1"', '"0.10"', '"9999999999.99"', "9999999999.99", "0", "-0", "-0.0")],
    *[priced(amount) for amount in ("19.99", "0.1", "0.30", "1.100", "1e2", "1E-2", "1e9", "0.1000000000000000000001")],
    *[counted(quantity) for quantity in ("3.0", "1e2", "1000000", "1.0000000000000000000001")],
    of_items(100),
    order_of(more=',"user_id":null,"notes":null'),
    order_of(more=',"user_id":"a.b:c_d-9","notes":""'),
    order_of(more=r',"notes":"\u00f1 \ud83d\ude00 \"\\\/\b\f\n\r\t \u007f"'),
    order_of(more=',"notes":"ñ 😀 \u2028 ❤\ufe0f \x7f e\u0301"'),
    order_of(r'"s\u006bu":"\u004d","name":" \u00a0Mug ","quantity":1,"unit_price":"\u0031.5"'),
    order_of(more=',"currency":"XXX","currency":"USD"'),
    order_of(more=',"notes":1,"notes":"the last one counts"'),
    b" \r\n\t" + order_of().replace(b",", b" ,\n") + b" \n",
]
"""What is taken, and by the fast path."""

MISTAKES = [
    *[(body, 422) for body in (b"", b"null", b"[]", b'"text"', b"1", b"{}", b'{"items":[],"currency":"EUR"}')],
    *[(priced(amount), 422) for amount in ("NaN", "Infinity", "-Infinity", "1e400", "true", "null", "[]", "-1")],
    *[(priced(amount), 422) for amount in ("0.001", "1e10", "0.30000000000000004", "1" * 30, '"1e2"', '" 5 "', '"5."')],
    *[(priced(amount), 422) for amount in ('"NaN"', '"1_000"', '"٣"', '"-0"', '""')],
    *[(counted(quantity), 422) for quantity in ("true", '"3"', "3.5", "0", "-0", "-1", "1000001", "1e400", "NaN")],
    *[(counted(quantity), 422) for quantity in ("9" * 30, "null", "[3]", '{"a":3}')],
    (counted("9" * 5000), 400),
    (of_items(101), 422),
    (order_of(more=',"colour":"red"'), 422),
    (order_of(more=',"currency":"eur"'), 422),
    (order_of(more=',"currency":null'), 422),
    (order_of(more=',"items":{}'), 422),
    (order_of(more=',"items":null'), 422),
    (order_of(more=',"notes":1'), 422),
    (order_of(more=r',"notes":"\u0000"'), 422),
    (order_of(more=',"user_id":""'), 422),
    (order_of('"sku":"a b","name":" ","quantity":3,"unit_price":"1","weight":1'), 422),
    (order_of(more=f',"notes":{"[" * 500}{"]" * 500}'), 422),
    (order_of(more=f',"notes":{"[" * 100_000}'), 400),
    (order_of(more=r',"notes":"\ud800"'), 400),
    (order_of(more=',"notes":"a\nb"'), 400),
    (order_of(more=",")[:-1] + b"}", 400),
    (order_of()[:-1], 400),
    (order_of() + b"x", 400),
    (order_of() + order_of(), 400),
    (b"\xef\xbb\xbf" + order_of(), 400),
    (order_of().decode().encode("utf-16"), 400),
    (order_of().replace(b"Mug", b"\xff"), 400),
    (order_of().replace(b'"', b"'"), 400),
]
"""What is refused, and with which status."""
