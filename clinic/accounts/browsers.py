"""What a browser calls itself, in words a person knows: `Firefox on Windows`."""

from __future__ import annotations

from clinic.rules.language import N_, _

# In this order: Edge and Opera also call themselves Chrome, and Chrome calls itself Safari.
BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
ON = " on "
SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("CrOS", "Chromebook"),
    ("Mac OS X", "Mac"),
    ("Linux", "Linux"),
)


def browser_words(user_agent: str) -> str:
    """A fixed set of words: nothing of the header itself is kept."""
    browser = next((words for sign, words in BROWSERS if sign in user_agent), N_("A browser"))
    system = next((words for sign, words in SYSTEMS if sign in user_agent), "")
    return f"{browser}{ON}{system}" if system else browser


def shown(kept: str) -> str:
    """What was kept of a browser, in the language of the moment."""
    browser, on, system = (kept or N_("A browser")).partition(ON)
    return _("%(browser)s on %(system)s", browser=_(browser), system=system) if on else _(browser)
