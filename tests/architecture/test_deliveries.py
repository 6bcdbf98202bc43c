"""What an installation is made of beside the program: its list of packages, and files for systemd and proxies."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

from clinic.cli import main
from clinic.paths import ROOT
from scripts import sbom

DEPLOY = ROOT / "docs" / "deploy"
SETTING = re.compile(r"\b(CLINIC_[A-Z_]+)\b")


def test_every_package_that_is_shipped_is_listed_with_its_hashes() -> None:
    parts = sbom.document()["components"]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = {re.split(r"[<>=\[; ]", one)[0] for one in project["dependencies"]}
    assert asked <= {one["name"] for one in parts}
    assert len(asked) <= 40
    assert [one["name"] for one in parts if not one["hashes"]] == []
    assert {"bootstrap", "htmx.org"} <= {one["name"] for one in parts}
    assert "axe-core" not in {one["name"] for one in parts}  # for development
    assert len({one["bom-ref"] for one in parts}) == len(parts)


def test_service_files_name_commands_and_settings_that_exist() -> None:
    known = set(SETTING.findall((ROOT / "config.py").read_text(encoding="utf-8")))
    told = set(SETTING.findall((ROOT / "docs" / "operations.md").read_text(encoding="utf-8")))
    named = set(SETTING.findall((DEPLOY / "clinic.env").read_text(encoding="utf-8")))
    assert (named - known, named - told) == (set(), set())
    units = "".join(one.read_text(encoding="utf-8") for one in sorted(DEPLOY.glob("*.service")))
    commands = re.findall(r"^ExecStart=\S+ -m clinic (\w+)(.*)$", units, re.M)
    assert commands == [("worker", ""), ("serve", " --no-worker")]
    assert {name for name, _ in commands} <= set(main.commands)
    for promise in ("Type=notify", "NoNewPrivileges=yes", "ProtectSystem=strict", "UMask=0077"):
        assert promise in units


def test_the_command_of_an_installation_has_the_settings_and_finds_the_program_from_any_folder(
    tmp_path: Path,
) -> None:
    """A value in single quotes is the same to systemd and to the shell."""
    said = "sh -c 'pwd; echo $CLINIC_MAIL_URL; echo $*' -"
    script = (DEPLOY / "clinic").read_text(encoding="utf-8")
    (tmp_path / "clinic.env").write_text("CLINIC_MAIL_URL='smtp://a:b&$c@mail.example'\n", encoding="utf-8")
    for what, instead in (
        ("/etc/clinic", str(tmp_path)), ("/opt/clinic/current/.venv/bin/python", said),
        ("setpriv --reuid clinic --regid clinic --init-groups ", ""), ("/opt/clinic/current", str(ROOT)),
    ):  # fmt: skip
        assert what in script
        script = script.replace(what, instead)
    done = subprocess.run(
        ["sh", "-c", script, "clinic", "backup", "--check", "FILE"],
        cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.splitlines() == [
        str(tmp_path), "smtp://a:b&$c@mail.example", "-P -m clinic backup --check FILE"
    ]  # fmt: skip


def test_proxies_speak_new_tls_only_and_keep_machines_pages_and_addresses_to_themselves() -> None:
    nginx, caddy = ((DEPLOY / name).read_text(encoding="utf-8") for name in ("nginx.conf", "Caddyfile"))
    assert "ssl_protocols TLSv1.2 TLSv1.3;" in nginx
    assert "protocols tls1.2 tls1.3" in caddy
    for page in ("/metrics", "/readyz"):
        assert f"location = {page} {{ return 404; }}" in nginx
        assert page in caddy
    logged = re.findall(r"log_format \w+ '([^']*)'", nginx)
    assert [one for line in logged for one in re.findall(r"\$\w+", line)] == [
        "$time_iso8601", "$request_method", "$status", "$request_time", "$request_id"
    ]  # fmt: skip
    assert "request>uri delete" in caddy
