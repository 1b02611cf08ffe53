"""What HTTP asks of every path, and ids that name nothing."""

import pytest

from tests.every_api.conftest import Served, code_of

HUGE_TAG = '"' + "9" * 4000 + '"'


def allowed_at(served: Served, path: str) -> str:
    methods = {one.method for one in served.operations if one.path == path}
    return ", ".join(sorted({*methods, "OPTIONS", *({"HEAD"} if "GET" in methods else ())}))


def test_names_the_methods_that_a_path_takes(served: Served) -> None:
    for path in {one.path for one in served.operations}:
        address = path.format(**served.ids)
        refused, asked = served.client.request("TRACE", address), served.client.options(address)

        assert (refused.status_code, code_of(refused)) == (405, "method-not-allowed")
        assert (asked.status_code, asked.content) == (204, b"")
        assert refused.headers["allow"] == asked.headers["allow"] == allowed_at(served, path)


def test_a_collection_is_the_same_with_and_without_a_slash(served: Served) -> None:
    for path in served.api.makes.values():
        answers = [served.client.get(f"{path.rstrip('/')}{end}") for end in ("", "/")]
        assert [answer.status_code for answer in answers] == [200, 200]
        assert answers[0].json() == answers[1].json()


def test_head_is_get_without_the_body_and_no_shared_cache_keeps_either(served: Served) -> None:
    for operation in served.operations:
        if operation.method == "GET":
            path = operation.path.format(**served.ids)
            whole, head = served.client.get(path), served.client.head(path)
            assert (head.status_code, head.content) == (whole.status_code, b"") == (200, b"")
            assert whole.headers["cache-control"] == ("private, no-cache" if "etag" in whole.headers else "no-store")
            assert head.headers["cache-control"] == whole.headers["cache-control"]


def test_tags_answers_where_it_says_so(served: Served) -> None:
    for operation in served.operations:
        if "304" in operation.statuses:
            tag = served.call(operation).headers["etag"]
            assert served.call(operation, if_none_match=tag).status_code == 304
            assert served.call(operation, if_none_match=HUGE_TAG).status_code == 200


def test_edits_no_version_that_it_does_not_have(served: Served) -> None:
    answers = [served.call(one, if_match=HUGE_TAG) for one in served.operations if "412" in one.statuses]

    assert {answer.status_code for answer in answers} <= {412}


def test_answers_404_of_what_is_not_there(served: Served) -> None:
    nobody = {name: f"{id_[:-1]}{'0' if id_[-1] != '0' else '1'}" for name, id_ in served.ids.items()}
    answers = {str(one): served.call(one, ids=nobody) for one in served.operations if "{" in one.path}

    assert {name: answer.status_code for name, answer in answers.items()} == dict.fromkeys(answers, 404)


@pytest.mark.parametrize("none", ["x", "7", "%00", "%ff"])
def test_refuses_an_id_that_is_none(served: Served, none: str) -> None:
    ids = dict.fromkeys(served.ids, none)
    answers = {str(one): served.call(one, ids=ids) for one in served.operations if "{" in one.path}

    assert {name: answer.status_code for name, answer in answers.items() if answer.status_code not in {404, 422}} == {}
    assert all(code_of(answer) for answer in answers.values())
