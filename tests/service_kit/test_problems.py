from service_kit.problems import PROBLEM_JSON, ServiceError, StoreUnavailableError, problems


class PaperJamError(ServiceError):
    """The paper is stuck.

    More is of no interest to the caller.
    """

    status = 503
    code = "paper-jam"


def test_an_error_is_a_bad_request_until_it_says_more() -> None:
    error = ServiceError("Turn it around.", side="back")

    assert (error.status, error.code, error.detail, str(error)) == (
        400,
        "bad-request",
        "Turn it around.",
        "Turn it around.",
    )
    assert (error.headers, error.extensions) == ({}, {"side": "back"})


def test_documents_each_error_by_the_first_line_of_its_docstring() -> None:
    (documented,) = problems(PaperJamError).items()

    status, response = documented
    assert (status, response["description"]) == (503, "`paper-jam`: The paper is stuck.")


def test_errors_of_one_status_share_an_entry_with_an_example_each() -> None:
    responses = problems(PaperJamError, ServiceError, StoreUnavailableError)

    assert responses.keys() == {503, 400}
    media = responses[503]["content"][PROBLEM_JSON]
    assert media["schema"] == {"$ref": "#/components/schemas/Problem"}
    assert media["examples"].keys() == {"paper-jam", "store-unavailable"}
    example = media["examples"]["paper-jam"]["value"]
    assert (example["type"], example["status"], example["detail"]) == (
        "urn:problem-type:paper-jam",
        503,
        "The paper is stuck.",
    )
