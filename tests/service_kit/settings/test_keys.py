from service_kit.settings.keys import identities


def test_tells_keys_apart_without_telling_them() -> None:
    found = identities(["first", "second", "ñ"])

    assert list(found) == [b"first", b"second", "ñ".encode()]
    assert len({*found.values()}) == 3
    assert all(len(identity) == 32 for identity in found.values())


def test_names_a_caller_the_same_in_every_process() -> None:
    assert identities(["first"]) == {b"first": "a244043d474e7b46eb0d30574cbb3290"}
