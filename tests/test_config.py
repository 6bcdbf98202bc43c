"""The settings: what follows from what, and what a wrong value is answered with."""

from __future__ import annotations

import re
import runpy
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from clinic.paths import ROOT

Settings = Callable[[dict[str, str], dict[str, object]], dict[str, Any]]

settings: Settings = runpy.run_path(str(ROOT / "config.py"))["settings"]


def settings_in(folder: Path, **environ: str) -> dict[str, Any]:
    return settings({"CLINIC_DATA_DIR": str(folder), **environ}, {})


def test_everything_lies_in_the_data_folder_and_the_key_beside_the_database(tmp_path: Path) -> None:
    found = settings_in(tmp_path)
    assert found["CLINIC_DATA_DIR"] == tmp_path
    assert found["SQLALCHEMY_DATABASE_URI"] == f"sqlite:///{tmp_path}/database/clinic.db"
    assert found["CLINIC_KEY_FILE"] == tmp_path / "keys" / "clinic.key"
    assert found["CLINIC_MAIL_DIR"] == tmp_path / "mail"


def test_an_overridden_data_folder_takes_keys_and_mails_with_it(tmp_path: Path) -> None:
    found = settings({"CLINIC_DATA_DIR": str(tmp_path / "real")}, {"CLINIC_DATA_DIR": tmp_path / "demo"})
    assert found["CLINIC_KEY_FILE"] == tmp_path / "demo" / "keys" / "clinic.key"
    assert not (tmp_path / "real").exists()


def test_an_installed_program_keeps_its_data_in_the_persons_own_folder(tmp_path: Path) -> None:
    bundle = tmp_path / "_bundle"
    bundle.mkdir()
    (bundle / "config.py").write_text((ROOT / "config.py").read_text(encoding="utf-8"), encoding="utf-8")
    installed: Settings = runpy.run_path(str(bundle / "config.py"))["settings"]
    assert (
        installed({"XDG_DATA_HOME": str(tmp_path / "xdg")}, {})["CLINIC_DATA_DIR"]
        == tmp_path / "xdg" / "clinic"
    )


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("postgres://u:p@db/clinic", "postgresql+psycopg://u:p@db/clinic"),
        ("postgresql://u@/clinic?host=/run", "postgresql+psycopg://u@/clinic?host=/run"),
        ("postgresql+psycopg://db/clinic", "postgresql+psycopg://db/clinic"),
    ],
)
def test_postgresql_is_reached_through_the_installed_driver(
    given: str, expected: str, tmp_path: Path
) -> None:
    assert settings_in(tmp_path, CLINIC_DATABASE_URL=given)["SQLALCHEMY_DATABASE_URI"] == expected


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CLINIC_DATABASE_URL", "mysql://db/clinic"),
        ("CLINIC_DATABASE_URL", "sqlite://"),
        ("CLINIC_DATABASE_URL", "sqlite:///:memory:"),
        ("CLINIC_DATABASE_URL", "postgresql://"),
        ("CLINIC_PORT", "eighty"),
        ("CLINIC_PORT", "65536"),
        ("CLINIC_PORT", "-1"),
        ("CLINIC_PUBLIC_URL", "book.example.org"),
        ("CLINIC_PUBLIC_URL", "ftp://book.example.org"),
        ("CLINIC_MAIL_URL", "mail.example.org:587"),
        ("CLINIC_MAIL_URL", "smtp://"),
        ("CLINIC_READ_DATABASE_URL", "sqlite:///copy.db"),
        ("CLINIC_LIMITS_URL", "localhost"),
        ("CLINIC_QUEUE_URL", "amqp://localhost"),
        ("CLINIC_SMS_URL", "http://api.example.org/Messages.json"),
        ("CLINIC_SMS_URL", "file:///etc/passwd"),
        ("CLINIC_TRUSTED_PROXIES", "all"),
    ],
)
def test_a_wrong_value_ends_the_program_with_a_sentence_that_names_it(
    name: str, value: str, tmp_path: Path
) -> None:
    with pytest.raises(SystemExit, match=f"^{name} must ") as ended:
        settings_in(tmp_path, **{name: value})
    assert isinstance(ended.value.code, str)


def test_sms_needs_all_its_settings_and_reads_the_key_from_a_file(tmp_path: Path) -> None:
    given = {"CLINIC_SMS_URL": "https://api.example.org/Messages.json", "CLINIC_SMS_FROM": "+15005550006"}
    with pytest.raises(SystemExit, match="CLINIC_SMS_USER and CLINIC_SMS_KEY_FILE"):
        settings_in(tmp_path, **given)
    key = tmp_path / "sms.key"
    given |= {"CLINIC_SMS_USER": "AC1", "CLINIC_SMS_KEY_FILE": str(key)}
    with pytest.raises(SystemExit, match="CLINIC_SMS_KEY_FILE cannot be read"):
        settings_in(tmp_path, **given)
    key.write_text("secret\n", encoding="ascii")
    assert settings_in(tmp_path, **given)["CLINIC_SMS_KEY"] == "secret"


@pytest.mark.parametrize("key_file", ["data/clinic.key", "data/deeper/clinic.key"])
def test_a_key_inside_the_databases_folder_is_refused(key_file: str, tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path}/data/clinic.db"
    with pytest.raises(SystemExit, match="lies inside the database's folder"):
        settings_in(tmp_path, CLINIC_DATABASE_URL=database, CLINIC_KEY_FILE=str(tmp_path / key_file))


def test_https_makes_cookies_secure_and_names_the_accepted_host(tmp_path: Path) -> None:
    found = settings_in(tmp_path, CLINIC_PUBLIC_URL="https://book.example.org/")
    assert found["CLINIC_PUBLIC_URL"] == "https://book.example.org"
    assert found["SESSION_COOKIE_SECURE"] is True
    assert found["SESSION_COOKIE_NAME"] == "__Host-clinic"
    assert found["TRUSTED_HOSTS"] == ["book.example.org", "localhost", "127.0.0.1"]


def test_plain_http_keeps_cookies_usable(tmp_path: Path) -> None:
    found = settings_in(tmp_path, CLINIC_HOST="0.0.0.0", CLINIC_PORT="8123")
    assert found["CLINIC_PUBLIC_URL"] == "http://localhost:8123"
    assert found["SESSION_COOKIE_SECURE"] is False
    assert found["SESSION_COOKIE_NAME"] == "clinic"
    assert found["TRUSTED_HOSTS"] is None


def test_the_secret_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    first, second = settings_in(tmp_path)["SECRET_KEY"], settings_in(tmp_path)["SECRET_KEY"]
    assert first == second
    assert re.fullmatch("[0-9a-f]{64}", first)
    kept = list((tmp_path / "keys").iterdir())
    assert [path.name for path in kept] == ["secret.key"]
    assert stat.S_IMODE(kept[0].stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o700


def test_a_secret_that_is_no_text_is_named(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "secret.key"
    settings_in(tmp_path)
    path.write_bytes(b"\xff" * 64)
    with pytest.raises(SystemExit, match=f"^{re.escape(str(path))} is damaged"):
        settings_in(tmp_path)


def test_a_given_secret_is_used_and_never_written(tmp_path: Path) -> None:
    assert settings_in(tmp_path, CLINIC_SECRET_KEY="given")["SECRET_KEY"] == "given"
    assert not (tmp_path / "keys").exists()


def test_no_setting_makes_a_clinic_a_demo(tmp_path: Path) -> None:
    """In a demo staff get in without a second step."""
    assert settings_in(tmp_path, CLINIC_DEMO="1")["CLINIC_DEMO"] is False
