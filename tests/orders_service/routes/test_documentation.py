"""What `/openapi.json` says of the operations is what they do."""

import httpx

from service_kit.fields.idempotency_key import KEY_PATTERN


class TestDocumentation:
    async def test_lists_the_headers_of_the_answers(self, api: httpx.AsyncClient) -> None:
        operations = (await api.get("/openapi.json")).json()["paths"]["/orders"]

        assert list(operations["post"]["responses"]["201"]["headers"]) == ["Location", "Idempotent-Replayed"]
        assert list(operations["get"]["responses"]["200"]["headers"]) == ["Link"]

    async def test_lists_the_key_that_makes_a_repeat_harmless(self, api: httpx.AsyncClient) -> None:
        [parameter] = (await api.get("/openapi.json")).json()["paths"]["/orders"]["post"]["parameters"]

        assert (parameter["name"], parameter["in"], parameter["required"]) == ("Idempotency-Key", "header", False)
        assert parameter["schema"]["pattern"] == KEY_PATTERN

    async def test_has_an_example_that_works_as_it_is(self, api: httpx.AsyncClient) -> None:
        schemas = (await api.get("/openapi.json")).json()["components"]["schemas"]
        [new_order], [order] = schemas["NewOrder"]["examples"], schemas["OrderView"]["examples"]

        answered = (await api.post("/orders", json=new_order)).json()

        nulls = {"cancelled_at": None}  # which FastAPI leaves out of examples
        assert answered == {**order, **nulls, "id": answered["id"], "created_at": answered["created_at"]}
