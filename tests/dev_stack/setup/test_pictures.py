from dev_stack.setup.pictures import drawn

CYAN = "\x1b[36m"
PLAIN = "\x1b[0m"


def test_draws_what_both_terminals_showed_without_a_font_from_elsewhere() -> None:
    svg = drawn("make up | ready", "HTTP/1.1 201 Created", f"{CYAN}notifications |{PLAIN} New order received: 1")

    text = svg.replace("&#160;", " ")
    assert [words in text for words in ("| ready", "201 Created", "New order received: 1")] == [True] * 3
    assert "url(" not in svg.replace("url(#", "")
