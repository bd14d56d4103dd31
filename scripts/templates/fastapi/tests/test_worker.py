"""`edge` is a fixture of edgeworker's pytest plugin: this project's worker, in this process, without a socket."""


def test_it_greets(edge):
    assert edge.get("/").json() == {"message": "Hello world!"}


def test_an_item_is_known_by_its_number(edge):
    assert edge.get("/items/7").json() == {"item_id": 7}


def test_what_is_no_number_is_refused(edge):
    assert edge.get("/items/seven").status == 422
