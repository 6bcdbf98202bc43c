"""Are the settings, the keys and the folders those of a clinic with real people in it?"""

from __future__ import annotations

import datetime as dt
import os
import stat
from pathlib import Path
from urllib.parse import urlsplit

from flask import Flask
from sqlalchemy import select

from clinic.accounts import common_passwords
from clinic.accounts.models import User
from clinic.checkup.finding import Finding, Findings, Grade, good, wrong
from clinic.shared.database import db
from clinic.shared.keyring import ring

LOOPBACK = ("127.0.0.1", "localhost", "::1")
SHORTEST_SECRET, FEWEST_CHARACTERS = 32, 10
SAMPLES = ("secret", "change", "sample", "example", "password", "your-", "default", "insecure")
DEMO_ADDRESS = "@willow.example"  # who signs in to the demo, with a password that everybody knows


def program(app: Flask, _now: dt.datetime) -> Findings:
    """What is for developers is off."""
    if app.debug:
        yield wrong(
            "FLASK_DEBUG is set: an error would show strangers the program from inside.", "Unset FLASK_DEBUG."
        )


def secret(app: Flask, _now: dt.datetime) -> Findings:
    """What signs cookies cannot be guessed."""
    value = str(app.config["SECRET_KEY"])
    if len(value) < SHORTEST_SECRET or len(set(value)) < FEWEST_CHARACTERS:
        said = "CLINIC_SECRET_KEY is short enough to be guessed."
    elif any(sample in value.lower() for sample in SAMPLES):
        said = "CLINIC_SECRET_KEY is a sample that others know."
    else:
        return
    yield wrong(said, "Unset it: a good one is made and kept.")


def keys(app: Flask, _now: dt.datetime) -> Findings:
    """The keys are there, and for the program alone."""
    data = Path(app.config["CLINIC_DATA_DIR"])
    paths = [Path(app.config[name]) for name in ("CLINIC_KEY_FILE", "CLINIC_BACKUP_KEY_FILE")]
    found = [
        wrong(f"Others on this machine can read {path}.", f"chmod 600 {path}")
        for path in (*paths, data / "keys" / "secret.key")
        if path.exists() and stat.S_IMODE(path.stat().st_mode) & 0o077
    ]
    if not os.access(paths[0], os.R_OK):
        found.append(
            wrong(
                f"The key file {paths[0]} cannot be read.", "Put its copy there, owned by the program's user."
            )
        )
    if kept := sorted(ring().keys.keys() & ring().gone):
        found.append(
            Finding(
                Grade.LOOK,
                f"Old keys that are to go are in the key file still: {', '.join(kept)}. A change of keys is under"
                " way, or was broken off; nothing is lost.",
                "Run clinic keys drop once more.",
            )
        )
    yield from found or [good("The keys are there, for the program alone.")]


def address(app: Flask, _now: dt.datetime) -> Findings:
    """People reach the clinic by https, and cookies go no other way."""
    public = urlsplit(app.config["CLINIC_PUBLIC_URL"])
    is_near = public.hostname in LOOPBACK and app.config["CLINIC_HOST"] in LOOPBACK
    if public.scheme == "http" and not app.config["CLINIC_DEMO"]:
        yield Finding(
            Grade.LOOK if is_near else Grade.WRONG,
            f"People reach the clinic at {public.geturl()} ({app.config['CLINIC_HOST']}), without https.",
            "Plain http on an address other than this machine is for the demo only. Put a proxy with https in front"
            " and set CLINIC_PUBLIC_URL=https://… (docs/operations.md), or set CLINIC_HOST=127.0.0.1.",
        )
        return
    cookies_are_safe = app.config["SESSION_COOKIE_SECURE"] and app.config["SESSION_COOKIE_HTTPONLY"]
    if public.scheme == "https" and not cookies_are_safe:
        yield wrong(
            "Cookies are sent without https, or shown to scripts.", "Unset SESSION_COOKIE_… settings."
        )
    yield good(f"People reach the clinic at {public.geturl()}.")
    if public.scheme == "https" and not app.config["CLINIC_TRUSTED_PROXIES"]:
        yield Finding(
            Grade.LOOK,
            "No proxy is believed, so that everybody seems to come from the proxy's own address.",
            "Set CLINIC_TRUSTED_PROXIES to the number of your proxies: limits then count each visitor.",
        )


def folders(app: Flask, _now: dt.datetime) -> Findings:
    """The program can write where it keeps its data."""
    for folder in {Path(app.config["CLINIC_DATA_DIR"]), *_folder_of_database()}:
        if not os.access(folder, os.W_OK | os.X_OK):
            yield wrong(
                f"The program cannot write to {folder}.", f"Give the folder to the program's user: {folder}"
            )


def passwords(_app: Flask, _now: dt.datetime) -> Findings:
    """The passwords that everybody tries first are known, so that nobody can choose one."""
    if not common_passwords.LIST.exists():
        yield wrong("The list of common passwords is missing.", "Run `make setup`: it is made there.")


def _folder_of_database() -> list[Path]:
    url = db.engine.url
    return [Path(url.database).parent] if url.get_backend_name() == "sqlite" and url.database else []


def demo(app: Flask, _now: dt.datetime) -> Findings:
    """The invented people of the demo, and their passwords, are in the demo only."""
    if app.config["CLINIC_DEMO"]:
        return
    if db.session.scalar(select(User.id).where(User.email.endswith(DEMO_ADDRESS)).limit(1)) is None:
        return
    is_near = urlsplit(app.config["CLINIC_PUBLIC_URL"]).hostname in LOOPBACK
    yield Finding(
        Grade.LOOK if is_near else Grade.WRONG,
        "This database holds the demo: invented people whose passwords everybody knows.",
        "Set CLINIC_DATA_DIR (or CLINIC_DATABASE_URL) to a place of its own, and run clinic init.",
    )
