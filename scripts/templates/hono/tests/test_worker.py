"""`edge` is a fixture of edgeworker's pytest plugin: this project's worker behind an edge, without a socket."""


def test_it_greets_by_name(edge):
    answer = edge.get("/?name=Ann")

    assert (answer.status, answer.text) == (200, "Hello Ann!")


def test_a_note_is_kept(edge):
    assert edge.get("/notes/1").status == 404

    assert edge.put("/notes/1", body="remember").status == 204

    assert edge.get("/notes/1").text == "remember"
