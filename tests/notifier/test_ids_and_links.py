"""Ids that never change, and links that only we can make."""

import uuid

from notifier.links import Links, OptOut
from notifier.message_id import NAMESPACE, of_alert


def test_a_messages_id_is_the_same_on_any_machine():
    made = of_alert("37486c7d-5ac0-53fa-b145-971a5da0b0d8", 1, 0, "c1", "email")
    assert made == str(uuid.uuid5(NAMESPACE, '["37486c7d-5ac0-53fa-b145-971a5da0b0d8",1,0,"c1","email"]'))
    assert made == "361c6bdc-b3b4-5c7c-b764-7af9ae2b71aa"


def test_a_link_comes_back_as_the_wish_that_it_stands_for_and_only_with_our_secret():
    wish = OptOut("c1", "billing", "email")
    url = Links("secret", "https://shop.example").unsubscribe_url(wish)
    token = url.removeprefix("https://shop.example/unsubscribe/")
    assert Links("secret", "").opt_out(token) == wish
    assert Links("another secret", "").opt_out(token) is None
    assert Links("secret", "").opt_out("nonsense") is None
