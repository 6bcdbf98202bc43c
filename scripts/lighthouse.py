"""`make lighthouse`: the median of three runs of Lighthouse's phone profile on pages of clients and of staff.

Lighthouse is fetched at the first run, by npm and in one fixed version, into build/lighthouse. It is no part of the
program: where there is no Node, this says so and ends.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

from clinic.paths import ROOT
from scripts.axe import chromium, demo, open_page, sign_in
from tests.browser import NO_CHROMIUM, Site, find_chromium, sandbox_flags

VERSION = "12.8.2"
FOLDER = ROOT / "build" / "lighthouse"
PROGRAM = Path("node_modules") / "lighthouse" / "cli" / "index.js"
OPEN_PAGES = ("/", "/book", "/book/swedish", "/book/swedish/times?minutes=60", "/services", "/services/compare",
              "/which-massage", "/therapists", "/sign-in")  # fmt: skip
OWN_PAGES = {
    "client": ("/my",),
    "therapist": ("/diary", "/diary/week"),
    "front desk": ("/desk", "/todo"),
    "owner": ("/owner", "/owner/settings", "/owner/reports"),
}
ENOUGH = {"performance": 95, "accessibility": 100, "best-practices": 100}
SLOWEST_PAINT, MOST_SHIFT = 1.5, 0.05
TRIES = 3
"""Now and then Chromium records no page load, and Lighthouse asks to be run again."""
NO_NODE = "no Node here, so Lighthouse cannot run: install Node 18.20 or newer (with npm), or leave this out"


def main() -> None:
    """Measure, print, and end with 1 where a page falls short."""
    parser = argparse.ArgumentParser(prog="make lighthouse")
    parser.add_argument("--folder", type=Path, default=FOLDER)
    parser.add_argument("--runs", type=int, default=3)
    asked = parser.parse_args()
    if shutil.which("node") is None or shutil.which("npm") is None:
        sys.exit(NO_NODE)
    if find_chromium() is None:
        sys.exit(NO_CHROMIUM)
    program = fetch(asked.folder)
    short = False
    with demo() as site:
        for kind, pages in {"": OPEN_PAGES, **OWN_PAGES}.items():
            cookie = signed_in(site, kind) if kind else ""
            for page in pages:
                found = [measure(program, site.url + page, cookie) for _ in range(asked.runs)]
                short = not tell(page, found, is_staff=kind not in ("", "client")) or short
    sys.exit(1 if short else 0)


def fetch(folder: Path) -> Path:
    """Lighthouse in its fixed version."""
    program = folder / PROGRAM
    if not program.exists():
        print(f"Fetching Lighthouse {VERSION} …", flush=True)
        npm = shutil.which("npm") or "npm"
        install = [
            "install",
            "--prefix",
            str(folder),
            "--no-save",
            "--no-audit",
            "--no-fund",
            "--ignore-scripts",
        ]
        subprocess.run([npm, *install, f"lighthouse@{VERSION}"], check=True)  # noqa: S603 - fixed words
    return program


def signed_in(site: Site, kind: str) -> str:
    """The cookie of one of the demo's people."""
    with chromium() as browser:
        page, _watch = open_page(browser, site)
        sign_in(page, kind)
        return "; ".join(f"{one['name']}={one['value']}" for one in page.context.cookies())


def measure(program: Path, url: str, cookie: str) -> dict[str, Any]:
    """One run on the phone profile, again where it came to nothing; `url` and `cookie` are of a clinic made here."""
    with tempfile.TemporaryDirectory() as folder:
        out, headers = Path(folder) / "out.json", Path(folder) / "headers.json"
        headers.write_text(json.dumps({"Cookie": cookie} if cookie else {}))
        flags = " ".join(["--headless=new", *sandbox_flags()])
        words = [
            shutil.which("node") or "node", str(program), url, "--quiet", "--output=json", f"--output-path={out}",
            f"--chrome-flags={flags}", f"--extra-headers={headers}", "--only-categories=" + ",".join(ENOUGH),
        ]  # fmt: skip
        environ = {**os.environ, "CHROME_PATH": find_chromium() or ""}
        for left in reversed(range(TRIES)):
            done = subprocess.run(words, check=not left, env=environ)  # noqa: S603 - the addresses are our own
            if done.returncode == 0:
                break
        found = json.loads(out.read_text())
    audits = found["audits"]
    return {
        **{name: round(100 * (found["categories"][name]["score"] or 0)) for name in ENOUGH},
        "paint": audits["largest-contentful-paint"]["numericValue"] / 1000,
        "shift": audits["cumulative-layout-shift"]["numericValue"],
        "kilobytes": audits["total-byte-weight"]["numericValue"] / 1024,
    }


def tell(page: str, found: list[dict[str, Any]], *, is_staff: bool) -> bool:
    """Print the medians; whether they are good enough. How soon the largest part is painted is promised to clients."""
    middle = {name: median(one[name] for one in found) for name in found[0]}
    good = all(middle[name] >= least for name, least in ENOUGH.items())
    good = good and (is_staff or middle["paint"] < SLOWEST_PAINT) and middle["shift"] < MOST_SHIFT
    scores = ", ".join(f"{name} {middle[name]:.0f}" for name in ENOUGH)
    figures = (
        f"largest paint {middle['paint']:.2f} s, shift {middle['shift']:.3f}, {middle['kilobytes']:.0f} kB"
    )
    print(f"{'ok   ' if good else 'SHORT'} {page}: {scores}; {figures}", flush=True)
    return good


if __name__ == "__main__":
    main()
