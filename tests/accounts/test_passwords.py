"""Which passwords are taken, and how they are kept."""

from __future__ import annotations

import os
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from argon2 import extract_parameters
from argon2.low_level import Type

from clinic.accounts import common_passwords, passwords
from clinic.accounts.password_rules import check_new_password, is_easily_guessed
from clinic.rules.errors import InvalidInput

LONG = "tall river otter lamp "


def refusal(
    password: str, *, has_second_step: bool = False, email: str = "ann.lee@mail.example", clinic: str = ""
) -> str:
    """The sentence at the field; empty when the password is taken."""
    try:
        check_new_password(
            password, has_second_step=has_second_step, email=email, clinic_name=clinic, field="new"
        )
    except InvalidInput as error:
        return error.sentence
    return ""


@pytest.mark.parametrize(
    ("length", "has_second_step", "is_taken"),
    [
        (14, False, False),
        (15, False, True),
        (7, True, False),
        (8, True, True),
        (64, False, True),
        (256, False, True),
        (257, False, False),
    ],
)
def test_length(length: int, has_second_step: bool, is_taken: bool) -> None:
    assert (refusal((LONG * 20)[:length], has_second_step=has_second_step) == "") is is_taken


def test_refusal_names_the_field() -> None:
    with pytest.raises(InvalidInput) as refused:
        check_new_password("short", has_second_step=False, email="a@b.example", clinic_name="", field="new")
    assert refused.value.field == "new"


def test_length_is_said_in_the_sentence() -> None:
    assert "at least 15 characters" in refusal("short")
    assert "at least 8 characters" in refusal("short", has_second_step=True)
    assert "at most 256 characters" in refusal(LONG * 20)


@pytest.mark.parametrize(
    "password",
    [
        "passwordpassword",
        "Password12345678",
        "P@ssw0rdP@ssw0rd!",
        "password-password-1",
        "qwertyuiop123456",
        "qwertyuiopasdfgh",
        "1234567890123456",
        "0987654321098765",
        "abcdefghijklmnop",
        "1qaz2wsx3edc4rfv",
        "aaaaaaaaaaaaaaaa",
        "abababababababab",
        "iloveyou20252025",
        "welcome to the clinic",
        "letmeinletmein!!",
        "!!!!!!!!!!!!!!!!!!",
        "administrator2026",
        "MassageTherapy2026!",
        "Decompression-Clinic-1",
        "Massagepraxis-Termin",
    ],
)
def test_commonest_ones_are_refused(password: str) -> None:
    assert is_easily_guessed(password)
    assert "first that people try" in refusal(password)


def test_list_of_common_passwords_is_whole_and_refuses_what_is_in_it() -> None:
    rows = common_passwords.LIST.read_bytes()
    size = common_passwords.SIZE
    digests = [rows[at : at + size] for at in range(0, len(rows), size)]
    assert len(digests) >= 100_000
    assert digests == sorted(set(digests))
    # From every part of the hundred thousand commonest, none of them refused by another rule.
    for password in ("corvette", "bigdaddy", "Mailcreated5240", "momsanaladventure", "PolniyPizdec0211"):
        assert not is_easily_guessed(password), password
        assert "first that people try" in refusal(password, has_second_step=True), password
    assert not common_passwords.is_common("tall river otter lamp")


@pytest.mark.parametrize(
    "password",
    [
        "tall river otter lamp",
        "correct horse battery staple",
        "uN8#vq2!Lz0pRw4e",
        "mon père aime le thé",
        "蓝色的河流在山谷里慢慢流过去了又来",
        "password of the lighthouse keeper",
        "93 blue kites over Oslo",
        "<script>alert(1)</script>",
    ],
)
def test_honest_ones_are_taken(password: str) -> None:
    assert refusal(password) == ""


@pytest.mark.parametrize(
    ("password", "clinic"),
    [
        ("ann.lee@mail.example", ""),
        ("my Ann Lee and me too", ""),
        ("we are STILL  waters here", "Still Waters"),
        ("still-waters-run-deep", "Still Waters"),
    ],
)
def test_email_and_clinic_name_are_refused_inside(password: str, clinic: str) -> None:
    assert "Leave the clinic's name and your e-mail address out" in refusal(password, clinic=clinic)


def test_short_names_are_no_reason_to_refuse() -> None:
    assert refusal("a joyful morning swim", email="joy@mail.example", clinic="Spa") == ""


def test_hash_is_argon2id_at_no_less_than_the_minimum() -> None:
    found = extract_parameters(passwords.hash_password(LONG))
    assert found.type is Type.ID
    assert (found.memory_cost, found.time_cost, found.parallelism) == (19456, 2, 1)


def test_two_hashes_of_one_password_differ_and_both_fit() -> None:
    first, second = passwords.hash_password(LONG), passwords.hash_password(LONG)
    assert first != second
    assert passwords.is_right(first, LONG)
    assert passwords.is_right(second, LONG)
    assert not passwords.is_right(first, LONG.strip())


def test_every_character_counts() -> None:
    longest = (LONG * 20)[:256]
    stored = passwords.hash_password(longest)
    assert passwords.is_right(stored, longest)
    assert not passwords.is_right(stored, longest[:-1] + "~")
    assert not passwords.is_right(stored, longest + "x")


def test_same_characters_from_another_keyboard_fit() -> None:
    assert passwords.is_right(passwords.hash_password("cafe\u0301 at the corner"), "caf\u00e9 at the corner")


@pytest.mark.parametrize("stored", [None, "", "junk", "$argon2id$v=19$m=8,t=1,p=1$x$y"])
def test_without_a_usable_hash_nothing_fits(stored: str | None) -> None:
    assert not passwords.is_right(stored, "the password of an account that does not exist")
    assert not passwords.is_right(stored, "")


def test_up_to_date_hash_is_not_renewed() -> None:
    assert passwords.renewed(passwords.hash_password(LONG), LONG) is None


def test_passwords_are_hashed_one_after_the_other_and_after_what_people_wait_for() -> None:
    at_work, most = [], []

    def work(number: str) -> str:
        at_work.append(number)
        most.append(len(at_work))
        time.sleep(0.01)
        at_work.remove(number)
        return number

    with ThreadPoolExecutor(4) as people:
        found = list(people.map(lambda number: passwords._LINE.do(work, number), "abcd"))
    assert found == ["a", "b", "c", "d"]
    assert most == [1, 1, 1, 1]
    assert passwords._LINE.waiting == 0
    assert not passwords.is_right(None, "wrong")
    assert passwords._LINE.waiting == 0


@pytest.mark.skipif(sys.platform != "linux", reason="a thread has a rank of its own on Linux alone")
def test_the_thread_that_hashes_steps_back_and_no_other() -> None:
    def rank() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    before = rank()
    assert passwords._LINE.do(rank) == max(before, 10)
    assert rank() == before
