"""Names from right to left within sentences from left to right: they turn round nothing beside them."""

from __future__ import annotations

from jinja2 import Environment
from markupsafe import Markup

from clinic.shared.languages import APART, END, teach

NAME = "שירה כהן"
KEPT = f"{APART}{NAME}{END}"


def said(template: str, **values: object) -> str:
    environment = Environment(autoescape=True)
    teach(environment)
    return environment.from_string(template).render(**values)


def test_a_name_from_right_to_left_keeps_its_direction_to_itself() -> None:
    assert said('{{ _("with %(name)s, $95", name=name) }}', name=NAME) == f"with {KEPT}, $95"
    assert said("{% trans name=name %}For <b>{{ name }}</b>{% endtrans %}", name=NAME) == f"For <b>{KEPT}</b>"
    form = '{{ ngettext("%(num)d visit of %(name)s", "%(num)d visits of %(name)s", 2, name=name) }}'
    assert said(form, name=NAME) == f"2 visits of {KEPT}"


def test_other_values_stay_as_they_are_and_all_are_escaped() -> None:
    sentence = '{{ _("with %(name)s", name=name) }}'
    assert said(sentence, name="Zoë <b>") == "with Zoë &lt;b&gt;"
    assert said(sentence, name=f"<i>{NAME}") == f"with {APART}&lt;i&gt;{NAME}{END}"
    assert said(sentence, name=Markup(f"<i>{NAME}</i>")) == f"with {APART}<i>{NAME}</i>{END}"
