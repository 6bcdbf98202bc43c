"""Names, e-mails and phone numbers that a person writes in different ways are found to be the same."""

from __future__ import annotations

import pytest

from clinic.rules.contact import (
    as_names,
    check_email,
    email_key,
    for_mail_servers,
    holds_web_address,
    is_like_a_name,
    name_key,
    phone_key,
    phone_words,
)
from clinic.rules.errors import InvalidInput


@pytest.mark.parametrize(
    ("first", "last", "key"),
    [
        ("Nora", "Newman", "nora newman"),
        ("  NORA ", "newman", "nora newman"),
        ("Anne-Marie", "O'Neil", "anne marie o neil"),
        ("José", "Núñez", "jose nunez"),
        ("Jose\u0301", "Nunez", "jose nunez"),
        ("Karl", "Weiß", "karl weiss"),
        ("Nora", "", "nora"),
        ("Li", "王", "li 王"),
    ],
)
def test_name_is_compared_without_case_accents_and_punctuation(first: str, last: str, key: str) -> None:
    assert name_key(first, last) == key


@pytest.mark.parametrize(
    ("typed", "key"),
    [
        (" Nora@Example.ORG ", "nora@example.org"),
        ("n@example.org", "n@example.org"),
        ("  ", None),
        (None, None),
    ],
)
def test_email_is_compared_in_lower_case(typed: str | None, key: str | None) -> None:
    assert email_key(typed) == key


@pytest.mark.parametrize(
    ("typed", "region", "key"),
    [
        ("(212) 555-0123", "US", "+12125550123"),
        (" +49 30 901820 ", "US", "+4930901820"),
        ("030 901820", "DE", "+4930901820"),
        ("", "US", None),
        ("   ", "US", None),
        (None, "US", None),
    ],
)
def test_phone_number_gets_its_country(typed: str | None, region: str, key: str | None) -> None:
    assert phone_key(typed, region) == key


@pytest.mark.parametrize("typed", ["call me", "12", "+1 212 555 0123 4567 8901"])
def test_what_cannot_be_a_phone_number_is_refused_at_its_field(typed: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        phone_key(typed, "US")
    assert refused.value.field == "phone"
    assert refused.value.sentence == "This does not look like a phone number. Write it with its area code."


@pytest.mark.parametrize("typed", ["0041 44 668 18 00", " 0049 30 901820"])
def test_who_writes_00_for_another_country_is_told_to_write_plus(typed: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        phone_key(typed, "US")
    assert refused.value.field == "phone"
    assert refused.value.sentence == "Begin a number from another country with + instead of 00."
    assert phone_key(typed, "DE") == phone_key(typed.strip().replace("00", "+", 1), "DE")


def test_what_a_mail_program_makes_a_link_of_is_no_name() -> None:
    for name in ("https://a.example", "go to WWW.prize.example", "Prize.com", "bit.ly/x", "a://b"):
        assert holds_web_address(name)
    for name in (
        "J.R.",
        "St.John",
        "Dr.Lee",
        "Martin Luther King Jr.",
        "Ann-Marie",
        "s/o Ram",
        "Com",
        "Info Net",
    ):
        assert not holds_web_address(name)


@pytest.mark.parametrize(
    ("typed", "names"),
    [
        ("anne-marie zzqy", ("Anne-Marie", "Zzqy")),
        ("Anne-Marie Zzqy", ("Anne-Marie", "Zzqy")),
        ("McZzq O'Neill", ("McZzq", "O'Neill")),
        ("zzq van der berg", ("Zzq", "van der Berg")),
        ("zzq van der Berg", ("zzq", "van der Berg")),
        ("o’neill", ("O’Neill", "")),
        ("von", ("Von", "")),
        ("émile", ("Émile", "")),
        ("علي حسن", ("علي", "حسن")),
    ],
)
def test_a_name_that_was_searched_for_becomes_that_of_somebody_new(
    typed: str, names: tuple[str, str]
) -> None:
    assert is_like_a_name(typed)
    assert as_names(typed) == names


@pytest.mark.parametrize("typed", ["555 1234", "(212)", "ann@mail.com", "3/4", "room 2", ""])
def test_what_was_searched_for_is_no_name(typed: str) -> None:
    assert not is_like_a_name(typed)


@pytest.mark.parametrize(
    "typed", ["nomail", "a@b", "@mail.com", "a b@mail.com", "ann@mail..com", "jürgen@mail.com"]
)
def test_what_no_mail_reaches_is_no_address(typed: str) -> None:
    with pytest.raises(InvalidInput, match="does not look like an e-mail"):
        check_email(typed)


@pytest.mark.parametrize("typed", ["", "  ", "ann@mail.com", " Ann+x@Mail.Example ", "ann@bücher.example"])
def test_an_address_or_none_is_fine(typed: str) -> None:
    check_email(typed)


@pytest.mark.parametrize(
    ("typed", "region", "written"),
    [
        ("2125550143", "US", "(212) 555-0143"),
        ("212.555.0143", "US", "(212) 555-0143"),
        ("+1 212 555 0143", "US", "(212) 555-0143"),
        ("030 123456", "DE", "030 123456"),
        ("+49 30 123456", "DE", "030 123456"),
        ("+49 30 123456", "US", "+49 30 123456"),
        ("٢١٢٥٥٥٠١٤٣", "US", "(212) 555-0143"),
        ("call me", "US", "call me"),
        ("", "US", ""),
        (None, "US", ""),
    ],
)
def test_a_number_is_written_as_in_its_region(typed: str | None, region: str, written: str) -> None:
    assert phone_words(typed, region) == written
    assert phone_key(written, region) == phone_key(typed, region) if written != "call me" else True


@pytest.mark.parametrize(
    ("typed", "sent_to"),
    [
        ("ann@mail.com", "ann@mail.com"),
        ("Ann.B@people.example", "Ann.B@people.example"),
        ("ann@bücher.example", "ann@xn--bcher-kva.example"),
        ("jürgen@mail.com", "jürgen@mail.com"),  # typed before that was refused: left to the mail server
        ("no address", "no address"),
    ],
)
def test_a_domain_with_an_umlaut_is_spelt_as_mail_servers_take_it(typed: str, sent_to: str) -> None:
    assert for_mail_servers(typed) == sent_to
