from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from clinic.rules.conditions import Condition, Variant
from clinic.rules.rule_table import COMBINATIONS_FILE, CONDITIONS_FILE, SOURCES_FILE, TABLE, load_table
from clinic.rules.table_entries import LoadError, Verdicts
from clinic.rules.verdicts import COLUMNS, Urgency, Verdict

NEVER_LAXER = [
    ("decompression_vacuum_magnetic", "decompression_vacuum"),
    ("deep_tissue", "swedish"),
    ("deep_tissue", "sports"),
    ("swedish", "relaxation"),
    ("sports", "swedish"),
]
"""The first of each pair is never laxer than the second, in any row, variant or combination."""


def every_code() -> list[tuple[str, Verdicts]]:
    found: list[tuple[str, Verdicts]] = []
    for condition in TABLE.conditions.values():
        parts: list[Condition | Variant] = [condition, *condition.variants]
        for index, part in enumerate(parts):
            found.append((f"{condition.key} {index}", part.on_site))
            if part.off_site is not None:
                found.append((f"{condition.key} {index} off-site", part.off_site))
    found.extend((rule.key, rule.minimum) for rule in TABLE.combinations)
    return found


@pytest.mark.parametrize(("stricter", "laxer"), NEVER_LAXER)
def test_stronger_work_is_never_judged_laxer(stricter: str, laxer: str) -> None:
    first, second = COLUMNS.index(stricter), COLUMNS.index(laxer)
    assert [name for name, code in every_code() if code[first] < code[second]] == []


def test_off_site_is_never_stricter_than_on_site() -> None:
    for condition in TABLE.conditions.values():
        parts: list[Condition | Variant] = [condition, *condition.variants]
        for part in parts:
            if part.off_site is not None:
                assert all(off <= on for off, on in zip(part.off_site, part.on_site, strict=True)), (
                    condition.key
                )


def test_table_is_whole() -> None:
    assert len(TABLE.conditions) == 71
    assert sum(len(condition.variants) for condition in TABLE.conditions.values()) == 119
    assert len(every_code()) == 71 + 119 + 17 + 22
    assert len(TABLE.sources) == 78


def test_red_flags_are_the_eleven_of_the_table() -> None:
    levels: dict[str, Urgency] = {
        key: condition.red_flag for key, condition in TABLE.conditions.items() if condition.red_flag
    }
    assert levels == {
        "rf_chest_pain_breathless": Urgency.EMERGENCY,
        "rf_saddle_numbness": Urgency.EMERGENCY,
        "rf_bladder_bowel_loss": Urgency.EMERGENCY,
        "rf_leg_weakness": Urgency.EMERGENCY,
        "rf_limb_swelling": Urgency.SAME_DAY,
        "rf_stroke_or_sudden_headache": Urgency.EMERGENCY,
        "rf_unexplained_weight_loss": Urgency.PROMPT,
        "rf_constant_night_pain": Urgency.PROMPT,
        "rf_unchecked_trauma": Urgency.SAME_DAY,
        "rf_pregnancy_warning": Urgency.EMERGENCY,
        "fever": Urgency.SAME_DAY,
    }


def test_what_is_about_now_and_what_must_not_be_unsure_is_marked() -> None:
    about_now = {key for key, one in TABLE.conditions.items() if one.about_now}
    red_flags = {key for key in TABLE.conditions if key.startswith("rf_")}
    assert about_now == red_flags | {"fever", "contagious_illness", "alcohol_drugs_today"}
    strict = {key for key, one in TABLE.conditions.items() if one.not_sure_is_strictest}
    assert strict == {"implanted_device", "allergy_contact", "ms_parkinsons", "cancer_metastatic"}
    assert {key for key, one in TABLE.conditions.items() if one.default_site} == {"hernia"}
    without = {key: variant.holds_without for key, one in TABLE.conditions.items() for variant in one.variants
               if variant.holds_without}  # fmt: skip
    assert without == {"spinal_surgery": {"hardware"}, "deep_infection": {"type"}}
    assert TABLE.conditions["hernia"].default_site == ("abdomen",)


@pytest.mark.parametrize(
    ("key", "deciding"),
    [
        ("pregnancy", {"status", "weeks", "weeks_as_of", "high_risk", "complication"}),
        ("blood_thinners", {"med_class", "stable_3_months", "bruising"}),
        ("fracture", {"date"}),
        ("strong_painkillers", set()),
    ],
)
def test_details_that_a_rule_reads_are_marked(key: str, deciding: set[str]) -> None:
    assert {field.name for field in TABLE.conditions[key].fields if field.decides} == deciding


def test_every_source_of_a_rule_is_in_the_register() -> None:
    named = {source for one in TABLE.conditions.values() for source in one.sources}
    named |= {source for rule in TABLE.combinations for source in rule.sources}
    assert named <= TABLE.sources.keys()
    assert all(one.sources and one.source_basis for one in TABLE.conditions.values())
    assert all(rule.sources for rule in TABLE.combinations)


def test_interval_raises_and_lengths_of_clearances() -> None:
    raised = {
        key: one.interval_vacuum_raise.word
        for key, one in TABLE.conditions.items()
        if one.interval_vacuum_raise
    }
    blocked = (
        "poor_artery_circulation aneurysm swelling_lymphoedema heart_failure port_line_stent_stoma hernia "
        "kidney_liver_disease"
    )
    assert raised == {
        **dict.fromkeys(blocked.split(), "block"),
        **dict.fromkeys(("high_blood_pressure", "low_blood_pressure", "heart_rhythm"), "clearance"),
    }
    for key, one in TABLE.conditions.items():
        assert bool(one.clearance_days) is bool(one.who_may_clear), key
    ninety = {key for key, one in TABLE.conditions.items() if one.clearance_days == 90}
    assert ninety == {
        "rf_chest_pain_breathless",
        "blood_clot",
        "aneurysm",
        "heart_disease",
        "heart_failure",
        "high_blood_pressure",
        "deep_infection",
        "fracture",
        "disc_herniation",
        "spinal_stenosis_cord",
        "acute_injury",
        "stroke_tia",
        "cancer_active",
        "cancer_metastatic",
        "pregnancy",
        "postpartum",
        "recent_surgery",
        "spinal_surgery",
        "kidney_liver_disease",
    }
    assert {one.clearance_days for one in TABLE.conditions.values()} == {0, 90, 180}


def test_combinations_are_no_laxer_than_what_they_name_to_clear() -> None:
    assert {rule.key: rule.must_name for rule in TABLE.combinations if rule.must_name} == {
        "I01": ("blood_thinners", "easy_bruising"),
        "I04": ("steroids_long_term", "osteoporosis"),
        "I08": ("pregnancy",),
        "I10": ("weak_immune", "open_wound_burn"),
        "I11": ("heart_failure", "kidney_liver_disease"),
        "I13": ("osteoporosis", "fracture"),
        "I14": ("high_blood_pressure", "heart_disease", "stroke_tia"),
        "I15": ("age_under_18",),
    }


def test_version_is_a_number_and_a_hash_that_changes_with_any_file(tmp_path: Path) -> None:
    assert re.fullmatch(r"1-[0-9a-f]{12}", TABLE.version)
    assert load_table().version == TABLE.version
    files = {"conditions": CONDITIONS_FILE, "combinations": COMBINATIONS_FILE, "sources": SOURCES_FILE}
    versions = {TABLE.version}
    for name, path in files.items():
        changed = tmp_path / path.name
        changed.write_text(path.read_text(encoding="utf-8") + "\n# a word more\n", encoding="utf-8")
        versions.add(load_table(**{name: changed}).version)
    assert len(versions) == 4


Reload = Callable[[str, str], None]


@pytest.fixture
def conditions_with(tmp_path: Path) -> Reload:
    """Loads the conditions with one piece of text replaced by another."""

    def reload(old: str, new: str) -> None:
        text = CONDITIONS_FILE.read_text(encoding="utf-8")
        assert old in text, "the piece to replace is not in the file"
        path = tmp_path / "conditions.toml"
        path.write_text(text.replace(old, new, 1), encoding="utf-8")
        load_table(conditions=path)

    return reload


@pytest.fixture
def combinations_with(tmp_path: Path) -> Reload:
    """Loads the combinations with one piece of text replaced by another."""

    def reload(old: str, new: str) -> None:
        text = COMBINATIONS_FILE.read_text(encoding="utf-8")
        assert old in text, "the piece to replace is not in the file"
        path = tmp_path / "combinations.toml"
        path.write_text(text.replace(old, new, 1), encoding="utf-8")
        load_table(combinations=path)

    return reload


FEVER = 'key = "fever"\n'


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (FEVER, FEVER + 'colour = "red"\n', "fever, colour: unknown key"),
        (FEVER, 'key = "rf_chest_pain_breathless"\n', "rf_chest_pain_breathless: is there twice"),
        (FEVER, 'key = ""\n', "key: needs a text"),
        (FEVER + 'label = "Fever or feeling feverish"\n', FEVER, "fever, label: needs a text"),
        ('on_site = "233233220"', 'on_site = "23323322"', "on_site: unknown verdicts '23323322'"),
        ('on_site = "233233220"', 'on_site = "233233224"', "unknown verdicts"),
        ('on_site = "233233220"', "on_site = 233233220", "on_site: needs a text"),
        ('off_site = "011111110"', 'off_site = "never"', "off_site: unknown verdicts 'never'"),
        ('red_flag = "emergency"', 'red_flag = "soon"', "red_flag: unknown word 'soon'"),
        ('ask_when = ["intake"]', 'ask_when = ["later"]', "ask_when: unknown word 'later'"),
        ('ask_when = ["intake"]', "ask_when = []", "ask_when: is asked nowhere"),
        ('ask_when = ["intake"]', 'ask_when = ["intake", "intake"]', "list without repeats"),
        ('ask_when = ["intake"]', 'ask_when = "intake"', "list without repeats"),
        ('scope = "local"', 'scope = "here"', "scope: unknown word 'here'"),
        ('scope = "local"', 'scope = "systemic"', "scope: is systemic, but"),
        ('scope = "systemic"', 'scope = "local"', "off_site: is missing in a local row"),
        ('page = "blood"', 'page = "bloods"', "page: unknown word 'bloods'"),
        ('sources = ["R37", "K04"]', 'sources = ["R99"]', "sources: unknown word 'R99'"),
        ("clearance_valid_days = 180\nplain", "plain", "clearance_valid_days: needs a positive whole number"),
        ("clearance_valid_days = 90", "clearance_valid_days = 0", "needs a positive whole number"),
        ("clearance_valid_days = 90", "clearance_valid_days = true", "needs a positive whole number"),
        ('who_may_clear = ["physician"', 'who_may_clear = ["barber"', "who_may_clear: unknown word 'barber'"),
        ('interval_vacuum_raise = "block"', 'interval_vacuum_raise = "clear"', "unknown verdict 'clear'"),
        ("about_now = true", 'about_now = "yes"', "about_now: needs true or false"),
        ('not_sure = "strictest_variant"', 'not_sure = "laxest"', "not_sure: unknown word 'laxest'"),
        ('default_site = ["abdomen"]', 'default_site = ["tail"]', "default_site: unknown word 'tail'"),
        ('type = "yes_no"', 'type = "maybe"', "checked_by_doctor, type: unknown word 'maybe'"),
        ('type = "yes_no"', 'type = "choice"', "checked_by_doctor, choices: does not fit"),
        ('name = "new_or_worse"', 'name = "checked_by_doctor"', "does not fit or is there twice"),
        ('["current", "It is there now"]', '["current"]', "needs pairs of key and label"),
        ('name = "fever_free_hours"', 'name = "hours"', "unknown name: fever_free_hours"),
        ('name = "fever_free_hours"\n', 'name = "fever_free_hours"\nunit = "h"\n', "unit: unknown key"),
        ('when = "fever_free_hours>=24"', 'when = "fever_free_hours"', "is not a yes or no"),
        ('when = "fever_free_hours>=24"', 'when = "feverish>=24"', r"fever variant .*unknown name: feverish"),
        ("when = \"status=='inflamed'\"", "when = \"status=='angry'\"", "status is never 'angry'"),
        ('when = "fever_free_hours>=24"\n', 'when = "fever_free_hours>=24"\nif = "x"\n', "if: unknown key"),
        ('on_site = "333333333"\nred_flag = "same_day"', 'on_site = "333333332"\nred_flag = "same_day"',
         "an urgent rule has to block every column"),
        ('holds_without = ["hardware"]', 'holds_without = ["colour"]', "holds_without: unknown word 'colour'"),
        ('red_flag = "same_day"\nnote = "phlebitis', 'off_site = "011111110"\nred_flag = "same_day"\nnote = "phlebitis',
         "varicose_veins, red_flag: an urgent rule has to block every column"),
        ("version = 1\n", "\n", "version: needs a positive whole number"),
        ("version = 1", "version = 0", "version: needs a positive whole number"),
        ("version = 1", 'version = 1\nowner = "x"', "owner: unknown key"),
        ('ends_clearances = [', 'ends_clearances = [\n  "old_age",', "ends_clearances: unknown word 'old_age'"),
        ('ends_clearances_by_date = [', 'ends_clearances_by_date = ["epilepsy", ', "unknown word 'epilepsy'"),
        ('key = "age_under_18"\n', 'key = "age_under_18"\nwhy = "x"\n', "why: unknown key"),
        ('key = "urgent_now"\n', 'key = "urgent_now"\nicon = "x"\n', "icon: unknown key"),
        ("version = 1", "version = = 1", "cannot be read"),
    ],
)  # fmt: skip
def test_conditions_that_cannot_be_trusted_are_refused(
    conditions_with: Reload, old: str, new: str, message: str
) -> None:
    with pytest.raises(LoadError, match=message):
        conditions_with(old, new)


def test_local_row_without_a_site_to_ask_for_is_refused(conditions_with: Reload) -> None:
    with pytest.raises(LoadError, match="medicated_patch, field: a local row has to ask for the site"):
        conditions_with('name = "site"\ntype = "area"\nquestion = "Where is the patch?"',
                        'name = "place"\ntype = "area"\nquestion = "Where is the patch?"')  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('id = "I01"', 'id = "I02"', "I02: is there twice"),
        ('id = "I01"\n', 'id = "I01"\nnote = "x"\n', "I01, note: unknown key"),
        ('minimum = "233233220"', 'minimum = "233233229"', "I01, minimum: unknown verdicts"),
        (
            'when = "blood_thinners and easy_bruising"',
            'when = "blood_thinner"',
            "I01, when: unknown name: blood_thinner",
        ),
        ('when = "age >= 75"', 'when = "age >= old"', "I17, when: not a whole number"),
        (
            'when = "blood_thinners and easy_bruising"',
            'when = "not blood_thinners"',
            "I01, when: holds for somebody who declared none of its conditions",
        ),
        ('must_name = ["pregnancy"]', 'must_name = ["pregnant"]', "I08, must_name: unknown word 'pregnant'"),
        ('must_name = ["pregnancy"]\n', "", "I08, must_name: a minimum of clearance needs"),
        ('sources = ["R23"]', 'sources = ["R00"]', "I07, sources: unknown word 'R00'"),
        ('red_flag = "prompt"', 'red_flag = "later"', "I05, red_flag: unknown word"),
        ('id = "I15"\n', 'id = "I15"\nred_flag = "prompt"\n', "I15, red_flag: an urgent rule has to block"),
        ('id = "I17"\n', 'id = "I17"\nred_flag = "prompt"\n', "I17, red_flag: an urgent rule has to block"),
    ],
)
def test_combinations_that_cannot_be_trusted_are_refused(
    combinations_with: Reload, old: str, new: str, message: str
) -> None:
    with pytest.raises(LoadError, match=message):
        combinations_with(old, new)


def test_empty_and_malformed_files_are_refused(tmp_path: Path) -> None:
    empty = tmp_path / "empty.toml"
    empty.write_text("", encoding="utf-8")
    with pytest.raises(LoadError, match="combination: has no entries"):
        load_table(combinations=empty)
    odd = tmp_path / "odd.toml"
    odd.write_text("source = 3", encoding="utf-8")
    with pytest.raises(LoadError, match="source: needs a list"):
        load_table(sources=odd)
    odd.write_text("source = [3]", encoding="utf-8")
    with pytest.raises(LoadError, match="source, entry: is not a table"):
        load_table(sources=odd)


def test_error_names_the_entry_and_the_key(conditions_with: Reload) -> None:
    with pytest.raises(LoadError) as caught:
        conditions_with(FEVER, FEVER + "colour = 1\n")
    assert (caught.value.entry, caught.value.key) == ("fever", "colour")


def test_clearable_finds_rows_and_what_is_no_row() -> None:
    assert TABLE.clearable("epilepsy") is TABLE.conditions["epilepsy"]
    assert TABLE.clearable("age_under_18").clearance_days == 180
    assert Verdict.CLEARANCE in TABLE.conditions["epilepsy"].on_site
    with pytest.raises(KeyError):
        TABLE.clearable("nothing")
