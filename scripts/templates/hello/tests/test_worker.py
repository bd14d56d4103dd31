"""`edge` is a fixture of edgeworker's pytest plugin: this project's worker, in this process, without a socket."""


def test_it_greets_the_world(edge):
    answer = edge.get("/")

    assert (answer.status, answer.text) == (200, "Hello world!")


def test_it_greets_by_name(edge):
    assert edge.get("/?name=Ann").text == "Hello Ann!"
