"""Addresses and numbers as people typed them, in the form that mail servers and phone networks take."""

import phonenumbers
from email_validator import EmailNotValidError, validate_email


def valid_address(text: str) -> str | None:
    """The address as SMTP takes it, its domain in ASCII; None if it can't be one."""
    try:
        found = validate_email(text, check_deliverability=False, globally_deliverable=False)
    except EmailNotValidError:
        return None
    return found.ascii_email


def valid_number(text: str) -> str | None:
    """The number in E.164; None if no phone could have it."""
    try:
        number = phonenumbers.parse(text, None)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
