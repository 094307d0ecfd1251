from datetime import UTC, datetime

from beforehand.inbox.threads import Summary, threads
from beforehand.pages.shelf import Shelf


def test_the_newest_are_kept_and_an_id_is_never_given_twice(tmp_path):
    with Shelf(tmp_path / "shelf", limit=3) as shelf:
        ids = [shelf.add({"n": n}) for n in range(5)]
        assert [kept.document["n"] for kept in shelf.all()] == [2, 3, 4]
        shelf.clear()
        assert shelf.add({"n": 5}) not in ids


def mail(number, message_id, *answers):
    return Summary(number, "", "", "", "", datetime.now(UTC), message_id, answers)


def test_mails_are_threaded_by_what_they_answer():
    found = threads(
        [
            mail(1, "<a>"),
            mail(2, "<b>"),
            mail(3, "<c>", "<a>"),
            mail(4, "", "<gone>"),
            mail(5, "<d>", "<gone>", "<c>"),
        ]
    )
    assert [[one.id for one in thread.mails] for thread in found] == [[4, 5], [1, 3], [2]]
