"""Every setting of the program, read from the environment in one place. Only clinic/app.py reads this file:

    settings = runpy.run_path(str(ROOT / "config.py"))["settings"]
    app.config.from_mapping(settings(os.environ, overrides or {}))

CLINIC_DATA_DIR      the one folder that holds all data (in a checkout: ./instance)
CLINIC_DATABASE_URL  sqlite:///…, postgresql://… or postgres://… (SQLite in <data>/database/clinic.db)
CLINIC_READ_DATABASE_URL  a PostgreSQL copy that follows the database; free times are listed from it (empty: none)
CLINIC_HOST          the address served (127.0.0.1)
CLINIC_PORT          the port served (8000)
CLINIC_PUBLIC_URL    how people reach it, used for links in mails; https makes cookies secure (http://<host>:<port>)
CLINIC_KEY_FILE      the keys that encrypt health data (<data>/keys/clinic.key)
CLINIC_SECRET_KEY    signs cookies and links (made once, kept in <data>/keys/secret.key)
CLINIC_MAIL_URL      smtp://user:password@host:port or smtps://… (empty: mails become files in <data>/mail)
CLINIC_SMS_URL       https://… of a provider that takes To, From and Body as Twilio does (empty: no SMS)
CLINIC_SMS_FROM, CLINIC_SMS_USER, CLINIC_SMS_KEY_FILE  the number it sends from, who we are there, and the key
CLINIC_QUEUE_URL     redis://… or postgresql://… where several workers share their ticks (empty: a file in <data>/queue)
CLINIC_LIMITS_URL    database or redis://host:port/0 counts requests for all processes together (empty: each by itself)
CLINIC_TRUSTED_PROXIES  how many proxies of your own stand in front: who asks is then read from what they say (0)
CLINIC_STAFF_IDLE_MINUTES  the screen of somebody of the team locks itself after so many minutes (15)
CLINIC_CLIENT_IDLE_DAYS  a client who was away for so many days signs in anew (7)
CLINIC_CLIENT_DAYS   a client signs in anew after so many days in any case (30); the team after 12 hours
CLINIC_AUDIT_DIR     where the newest links of the audit are noted (<data>/audit); another disk or machine is better
CLINIC_BACKUP_DIR    where backups are kept (<data>/backups); a folder on another disk or machine is better
CLINIC_BACKUP_KEY_FILE  the key that opens backups (<data>/keys/backup.key)
CLINIC_BACKUP_HOURS  a backup is made by itself whenever the newest is this old (24; 0: never; in the demo never)
CLINIC_BACKUPS_KEPT  how many backups are kept (14)
CLINIC_PG_BINDIR     the folder of pg_dump and pg_restore (empty: where the shell finds them)
CLINIC_METRICS_TOKEN  what Prometheus says to read /metrics (empty: there is no such page); 32 characters or more

A wrong value ends the program with a sentence that names the variable and what it takes.
"""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

HERE = Path(__file__).resolve().parent
MAX_REQUEST_BYTES = 1024 * 1024  # the largest honest form is an intake with a drawn signature, about 200 kB
SQLITE_FILE = "sqlite:///"
EVERY_ADDRESS = {"0.0.0.0", "::"}  # noqa: S104 - recognised here, never chosen: links in mails need a name


def settings(environ: Mapping[str, str], overrides: Mapping[str, object]) -> dict[str, object]:
    """Return the whole configuration; OVERRIDES win, and what follows from an overridden one follows it too.

    Makes the data folder and the secret key where they are missing. Exits with a sentence on a wrong value.
    """
    given = {**environ, **overrides}
    data_dir = Path(str(given.get("CLINIC_DATA_DIR") or default_data_dir(environ))).expanduser().resolve()
    database = str(overrides.get("SQLALCHEMY_DATABASE_URI") or database_uri(environ, data_dir))
    keys = data_dir / "keys"
    key_file = Path(str(given.get("CLINIC_KEY_FILE") or keys / "clinic.key")).expanduser().resolve()
    check_key_is_apart(key_file, database)
    for folder in (data_dir, *database_folder(database)):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found: dict[str, object] = {
        "CLINIC_MAIL_URL": mail_url(environ),
        "CLINIC_MAIL_DIR": data_dir / "mail",
        **sms(environ),
        "CLINIC_QUEUE_URL": queue_url(environ),
        "CLINIC_LIMITS_URL": limits_url(environ),
        "CLINIC_TRUSTED_PROXIES": trusted_proxies(environ),
        "CLINIC_AUDIT_DIR": Path(
            environ.get("CLINIC_AUDIT_DIR", "").strip() or data_dir / "audit"
        ).expanduser(),
        **backups(environ, data_dir),
        "CLINIC_STAFF_IDLE_MINUTES": number(environ, "CLINIC_STAFF_IDLE_MINUTES", "15", least=1, most=60),
        "CLINIC_CLIENT_IDLE_DAYS": number(environ, "CLINIC_CLIENT_IDLE_DAYS", "7", least=1, most=90),
        "CLINIC_CLIENT_DAYS": number(environ, "CLINIC_CLIENT_DAYS", "30", least=1, most=90),
        "CLINIC_METRICS_TOKEN": metrics_token(environ),
        "CLINIC_DEMO": False,  # the demo command alone says otherwise: there staff get in without a second step
        # One connection for each thread of the server and for the worker: to open one costs more than a booking.
        # The one given back last is taken first: what it has prepared is there. No value is in a log or an error.
        "SQLALCHEMY_ENGINE_OPTIONS": {"pool_size": 10, "pool_use_lifo": True, "hide_parameters": True},
        "MAX_CONTENT_LENGTH": MAX_REQUEST_BYTES,
        "MAX_FORM_MEMORY_SIZE": MAX_REQUEST_BYTES,
        **address(environ),
        **overrides,
        "CLINIC_DATA_DIR": data_dir,
        "CLINIC_KEY_FILE": key_file,
        "SQLALCHEMY_DATABASE_URI": database,
    }
    if (copy := copy_uri(environ)) and "SQLALCHEMY_BINDS" not in found:
        found["SQLALCHEMY_BINDS"] = {"copy": copy}
    if "SECRET_KEY" not in found:
        found["SECRET_KEY"] = environ.get("CLINIC_SECRET_KEY") or kept_secret(keys / "secret.key")
    return found


def default_data_dir(environ: Mapping[str, str]) -> Path:
    """./instance in a checkout; in an installed wheel the person's own data folder, never site-packages."""
    if HERE.name != "_bundle":
        return HERE / "instance"
    return Path(environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "clinic"


def database_uri(environ: Mapping[str, str], data_dir: Path) -> str:
    """The SQLAlchemy address: PostgreSQL through psycopg, SQLite as a file with an absolute path."""
    given = environ.get("CLINIC_DATABASE_URL", "").strip()
    if not given:
        return f"{SQLITE_FILE}{(data_dir / 'database' / 'clinic.db').as_posix()}"
    scheme, _, rest = given.partition("://")
    if scheme in {"postgres", "postgresql", "postgresql+psycopg"} and rest:
        return f"postgresql+psycopg://{rest}"
    name = given.removeprefix(SQLITE_FILE)
    if name != given and name not in {"", ":memory:"}:
        return f"{SQLITE_FILE}{Path(name).expanduser().resolve().as_posix()}"
    sys.exit("CLINIC_DATABASE_URL must be sqlite:///path/to/file, postgresql://… or postgres://…")


def copy_uri(environ: Mapping[str, str]) -> str:
    """The SQLAlchemy address of the copy that is read, or an empty string."""
    given = environ.get("CLINIC_READ_DATABASE_URL", "").strip()
    scheme, _, rest = given.partition("://")
    if given and (scheme not in {"postgres", "postgresql"} or not rest):
        sys.exit("CLINIC_READ_DATABASE_URL must look like postgresql://… or postgres://…")
    return f"postgresql+psycopg://{rest}" if given else ""


def database_folder(database: str) -> list[Path]:
    """The folder of an SQLite database, as a list of one; an empty list for a server."""
    name = database.removeprefix(SQLITE_FILE)
    return [Path(name).resolve().parent] if name != database else []


def check_key_is_apart(key_file: Path, database: str) -> None:
    """Refuse a key inside the database's folder: whoever copies that folder would hold the key as well."""
    for folder in database_folder(database):
        if key_file.is_relative_to(folder):
            sys.exit(
                f"The key file {key_file} lies inside the database's folder {folder}. Put the database into a "
                "folder of its own (CLINIC_DATABASE_URL), or the key elsewhere (CLINIC_KEY_FILE)."
            )


def address(environ: Mapping[str, str]) -> dict[str, object]:
    """Host, port and public address, and what follows for cookies and accepted host names."""
    host = environ.get("CLINIC_HOST", "").strip() or "127.0.0.1"
    port = environ.get("CLINIC_PORT", "").strip() or "8000"
    if not (port.isascii() and port.isdigit() and int(port) <= 65535):
        sys.exit(f"CLINIC_PORT must be a whole number from 0 to 65535, not {port!r}")
    given = environ.get("CLINIC_PUBLIC_URL", "").strip().rstrip("/")
    public = given or f"http://{'localhost' if host in EVERY_ADDRESS else host}:{port}"
    parts = urlsplit(public)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        sys.exit(f"CLINIC_PUBLIC_URL must look like https://book.example.org, not {given!r}")
    secure = parts.scheme == "https"
    return {
        "CLINIC_HOST": host,
        "CLINIC_PORT": int(port),
        "CLINIC_PUBLIC_URL": public,
        "PREFERRED_URL_SCHEME": parts.scheme,
        "TRUSTED_HOSTS": [parts.hostname, "localhost", "127.0.0.1"] if given else None,
        # A browser takes a __Host- cookie only over https and for this host alone.
        "SESSION_COOKIE_NAME": "__Host-clinic" if secure else "clinic",
        "SESSION_COOKIE_SECURE": secure,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        # A token lasts as long as its session: an intake left open over lunch must not be lost.
        "WTF_CSRF_TIME_LIMIT": None,
    }


def mail_url(environ: Mapping[str, str]) -> str:
    """The SMTP address, or an empty string: then every mail is written as a file."""
    given = environ.get("CLINIC_MAIL_URL", "").strip()
    try:
        parts = urlsplit(given)
        is_right = parts.scheme in {"smtp", "smtps"} and bool(parts.hostname) and parts.port != 0
    except ValueError:  # the port is no number, as behind a # or / in the password
        is_right = False
    if given and not is_right:
        sys.exit(
            "CLINIC_MAIL_URL must look like smtp://user:password@host:587 or smtps://user:password@host:465;"
            " in user and password write @ as %40, / as %2F, # as %23 and % as %25."
        )
    return given


def sms(environ: Mapping[str, str]) -> dict[str, object]:
    """How reminders leave by SMS: one fixed address, which only the owner of this machine can choose."""
    url, number, user, file = (
        environ.get(f"CLINIC_SMS_{name}", "").strip() for name in ("URL", "FROM", "USER", "KEY_FILE")
    )
    parts = urlsplit(url)
    if url and not (
        parts.hostname and (parts.scheme == "https" or parts.hostname in {"127.0.0.1", "localhost"})
    ):
        sys.exit("CLINIC_SMS_URL must look like https://api.example.com/Messages.json")
    if url and not (number and user and file):
        sys.exit("With CLINIC_SMS_URL set CLINIC_SMS_FROM, CLINIC_SMS_USER and CLINIC_SMS_KEY_FILE too.")
    try:
        key = Path(file).expanduser().read_text(encoding="ascii").strip() if url else ""
    except (OSError, ValueError):
        sys.exit(f"CLINIC_SMS_KEY_FILE cannot be read: {file}")
    return {"CLINIC_SMS_URL": url, "CLINIC_SMS_FROM": number, "CLINIC_SMS_USER": user, "CLINIC_SMS_KEY": key}


def queue_url(environ: Mapping[str, str]) -> str:
    """Where the worker's ticks wait: Redis, PostgreSQL, or (an empty string) a file of our own."""
    given = environ.get("CLINIC_QUEUE_URL", "").strip()
    if given and urlsplit(given).scheme not in {"redis", "rediss", "postgres", "postgresql"}:
        sys.exit("CLINIC_QUEUE_URL must look like redis://host:6379/0 or postgresql://…")
    return given


def limits_url(environ: Mapping[str, str]) -> str:
    """`database`, the address of Redis, or an empty string: then each process counts by itself."""
    given = environ.get("CLINIC_LIMITS_URL", "").strip()
    if given not in {"", "database"} and urlsplit(given).scheme not in {"redis", "rediss"}:
        sys.exit("CLINIC_LIMITS_URL must be database, or look like redis://host:6379/0")
    return given


def metrics_token(environ: Mapping[str, str]) -> str:
    """What opens /metrics, or an empty string."""
    given = environ.get("CLINIC_METRICS_TOKEN", "").strip()
    if given and len(given) < 32:
        sys.exit("CLINIC_METRICS_TOKEN must have 32 characters or more, for example: openssl rand -hex 32")
    return given


def trusted_proxies(environ: Mapping[str, str]) -> int:
    """How many proxies add themselves to what a request says about where it comes from."""
    given = environ.get("CLINIC_TRUSTED_PROXIES", "").strip() or "0"
    if given not in {"0", "1", "2", "3"}:
        sys.exit(f"CLINIC_TRUSTED_PROXIES must be a whole number from 0 to 3, not {given!r}")
    return int(given)


def backups(environ: Mapping[str, str], data_dir: Path) -> dict[str, object]:
    """Where backups lie, what opens them, how often one is made and how many are kept."""

    def path(name: str, usual: Path) -> Path:
        return Path(environ.get(name, "").strip() or usual).expanduser().resolve()

    folder = path("CLINIC_BACKUP_DIR", data_dir / "backups")
    key_file = path("CLINIC_BACKUP_KEY_FILE", data_dir / "keys" / "backup.key")
    if key_file.is_relative_to(folder):
        sys.exit(
            f"The key of backups {key_file} lies among the backups in {folder}. Put one of them elsewhere."
        )
    found: dict[str, object] = {
        "CLINIC_BACKUP_DIR": folder,
        "CLINIC_BACKUP_KEY_FILE": key_file,
        "CLINIC_PG_BINDIR": environ.get("CLINIC_PG_BINDIR", "").strip(),
    }
    for name, usual, least in (("CLINIC_BACKUP_HOURS", "24", 0), ("CLINIC_BACKUPS_KEPT", "14", 1)):
        found[name] = number(environ, name, usual, least=least, most=10_000)
    return found


def number(environ: Mapping[str, str], name: str, usual: str, *, least: int, most: int) -> int:
    """A whole number between the two."""
    given = environ.get(name, "").strip() or usual
    if not (given.isascii() and given.isdigit() and least <= int(given) <= most):
        sys.exit(f"{name} must be a whole number from {least} to {most}, not {given!r}")
    return int(given)


def kept_secret(path: Path) -> str:
    """The secret in PATH, made at the first start with mode 0600; safe when two processes start at once."""
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
        draft.touch(mode=0o600, exist_ok=False)
        draft.write_text(secrets.token_hex(32), encoding="ascii")
        try:
            os.link(draft, path)  # unlike a rename, a link never replaces what another process has just made
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    try:
        return path.read_text(encoding="ascii").strip()
    except UnicodeDecodeError:
        sys.exit(
            f"{path} is damaged. Put its copy there, or move it away: a new one is made, and everybody signs in again."
        )
