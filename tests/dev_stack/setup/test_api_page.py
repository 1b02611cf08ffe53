from typing import Any, Final

from dev_stack.setup.api_page import page_of, pages_list

GONE: Final = {"detail": "It was thrown away."}
DOCUMENT: Final[dict[str, Any]] = {
    "info": {"title": "notes_service", "description": "Notes."},
    "paths": {
        "/notes/{note_id}": {
            "put": {
                "summary": "Write a note",
                "description": "Write it again.\n\nAll of it.",
                "parameters": [
                    {"name": "note_id", "in": "path", "required": True, "description": "Its id\nor number."}
                ],
                "requestBody": {
                    "content": {
                        kind: {"schema": {"$ref": "#/components/schemas/Note"}} for kind in ("a/json", "b/json")
                    }
                },
                "responses": {
                    "200": {"description": "Successful Response"},
                    "410": {
                        "description": "`gone`: It was thrown away.",
                        "content": {"application/problem+json": {"examples": {"gone": {"value": GONE}}}},
                    },
                },
            }
        },
        "/notes/bulk": {
            "post": {
                "summary": "Load notes | many",
                "description": "Load.",
                "requestBody": {
                    "content": {
                        "application/json": {
                            "schema": {"type": "array", "items": {"$ref": "#/components/schemas/Note"}}
                        },
                        "text/csv": {"schema": {"type": "string"}, "example": "text\nbuy milk\n"},
                    }
                },
                "responses": {"204": {"description": "Stored."}},
            }
        },
    },
    "components": {"schemas": {"Note": {"examples": [{"text": "comprar piña"}]}}},
}


def test_shows_parameters_bodies_and_statuses_of_each_operation() -> None:
    assert (
        page_of(DOCUMENT)
        == """# notes_service

<!-- Written by `make api`. -->

Notes.

This page is made of [notes_service.openapi.json](notes_service.openapi.json).

| operation | what it does | statuses |
| --- | --- | --- |
| [`PUT /notes/{note_id}`](#put-notesnote_id) | Write a note | 200 410 |
| [`POST /notes/bulk`](#post-notesbulk) | Load notes \\| many | 204 |

## PUT /notes/{note_id}

Write it again.

All of it.

| parameter | in | required | what it is |
| --- | --- | --- | --- |
| `note_id` | path | yes | Its id or number. |

Body, as `a/json` or `b/json`:

```json
{
  "text": "comprar piña"
}
```

| status | codes | when |
| --- | --- | --- |
| 200 |  | OK |
| 410 | `gone` | It was thrown away. |

## POST /notes/bulk

Load.

Body, as `application/json` or `text/csv`:

```json
[
  {
    "text": "comprar piña"
  }
]
```

```
text
buy milk
```

| status | codes | when |
| --- | --- | --- |
| 204 |  | Stored. |
"""
    )


def test_leads_to_the_page_of_each_api() -> None:
    assert "| notes_service | Notes. | [page](notes_service.md), [OpenAPI](notes_service.openapi.json) |" in pages_list(
        [DOCUMENT]
    )


def test_needs_neither_an_example_nor_a_description() -> None:
    operation = {
        "summary": "Write",
        "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Bare"}}}},
        "responses": {"204": {"description": "Stored."}},
    }
    document = {**DOCUMENT, "paths": {"/notes": {"post": operation}}, "components": {"schemas": {"Bare": {}}}}

    assert page_of(document).partition("## POST /notes")[2].splitlines()[:5] == [
        "",
        "",
        "Body, as `application/json`:",
        "",
        "| status | codes | when |",
    ]
