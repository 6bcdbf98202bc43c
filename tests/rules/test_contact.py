"""Names, e-mails and phone numbers that a person writes in different ways are found to be the same."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis.provisional import domains
from hypothesis.strategies import characters, lists, sampled_from, text, tuples

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


A_LINK = (
    "https://a.example", "a://b", "go to WWW.prize.example", "https:evil", "http:\\\\evil", "Prize.com",
    "evil.org", "j.com", "bit.ly/x", "evil.shop", "login.evil.app", "Nora evil.click now", "gewinn24.de",
    "Sie haben gewonnen: gewinn24.de/abholen", "evil.DE", "evil.de.", "evil.de,", "(evil.de)", "evil.de:80",
    "evil.de?x", "https:evil.de", "evil.ru", "evil.eu", "evil.co.uk", "evil.x.de", "x-y.de", "bücher.de",
    "4evil.me", "login.bank.app/verify", "prize.shop/x", "evil.family/x", "t.me/x", "bit.do/x", "a.kim/",
    "evil.kim:443/x", "evil.kim#x", "evil.kim?x", "evil.kim\\x", "evil.xn--p1ai/x", "жизнь.рф/x",
    "93.184.216.34", "see 93.184.216.34/login", "ann@evil.kim", "ann@evil.de", "evil\uff0ede", "evil。de",
    "evil\uff61de", "\uff45\uff56\uff49\uff4c.de", "evil.family\uff0fx", "Dr.Li", "Jan.de Vries", "Dr.J.Li",
    "Dr.Smith/Jones",
)  # fmt: skip
"""The last four are people. A mail program takes them for pages all the same (Li is Liechtenstein's ending): they are
asked to write a space."""
A_NAME = (
    "J.R.", "J.R. Smith", "J.R.Smith", "St. John", "St.John", "O.Henry", "Dr.Smith", "Dr.Lee", "Dr. Li",
    "J.Li", "J.R.Li", "Anne-Marie v.d. Berg", "Anne-Marie v.d.Berg", "v.de Berg", "M.de Vries",
    "Jan. de Vries", "Dr.med.Weber", "Dr.h.c. Weber", "Dipl.-Ing. Weber", "Weber, M.Sc.", "Ph.D.", "M.D.",
    "Ma.Teresa", "J.-P. Sartre", "J.-P.Sartre", "J.-P.De", "Martin Luther King Jr.", "King Jr.III",
    "Dr.Li-Wang", "Dr.O'Neil", "Dr.De’Ath", "Ann-Marie", "O'Neil", "s/o Ram", "c/o Weber", "Ann/Bob", "Com",
    "Info Net", "De Li", "Li De", "Hans .de", "Ю.И.Шишкин", "王.小", "Weber 3.5.1980", "Ann (212.555.0143)",
    "Ann @home", "Ann...", "evil.de-lightful", "",
)  # fmt: skip


@pytest.mark.parametrize("name", A_LINK)
def test_what_a_mail_program_makes_a_link_of_is_no_name(name: str) -> None:
    assert holds_web_address(name)
    assert holds_web_address(f"Nora {name} Newman")


@pytest.mark.parametrize("name", A_NAME)
def test_dots_and_strokes_of_names_are_no_web_address(name: str) -> None:
    assert not holds_web_address(name)
    assert not holds_web_address(f"Nora {name} Newman")


@given(domain=domains(), path=text(max_size=9), before=text(max_size=9))
def test_whatever_web_address_has_a_path_is_no_name(domain: str, path: str, before: str) -> None:
    assert holds_web_address(f"{before} {domain}/{path}")


WORDS = text(characters(categories=["L"]), min_size=1, max_size=9).filter(
    lambda one: one.lower() != "www" and unicodedata.is_normalized("NFKC", one)  # one sign may be two letters
)


@given(
    first=WORDS,
    rest=lists(tuples(sampled_from([" ", "-", "'", "\u2019", ". ", ", ", "/"]), WORDS), max_size=5),
)
def test_whoever_writes_a_space_behind_each_dot_has_a_name(first: str, rest: list[tuple[str, str]]) -> None:
    assert not holds_web_address(first + "".join(mark + word for mark, word in rest))
    assert not holds_web_address("".join(f"{word[0]}." for _mark, word in rest) + f" {first}.")


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
