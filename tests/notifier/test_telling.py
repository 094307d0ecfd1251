"""A customer is told of an alert."""


def test_a_customer_is_told_by_mail(house):
    customer, address = house.customer()
    told = house.transition(customer)

    mail = house.mail_to(address)
    assert "59.90" in mail["Subject"]
    assert house.fate("sent", alert=told.alert).summary == mail["Subject"]
