"""The docs stay true: every setting, command, stage and profile is found there."""

import re
import subprocess
from pathlib import Path

from caseferry.choices import Migration, Options
from caseferry.codes import CODES
from caseferry.mapping.cells import Cell
from caseferry.mapping.mapped import MappedFile, MappedTarget, is_mapped, load_mapped
from caseferry.mapping.profile import known_sources, load_profile
from caseferry.mapping.target import TARGETS, load_target
from caseferry.records import RECORDS
from caseferry.records.neutral import NEUTRAL
from config.settings import Settings
from tasks.journey import JOURNEY
from tasks.merge.files import MARK
from tasks.notify.events import CATALOGUE

ROOT = Path(__file__).parents[1]
SETTINGS = (ROOT / "docs" / "settings.md").read_text()


def test_every_setting_and_choice_is_in_the_docs_and_no_other() -> None:
    names = set()
    for group, field in Settings.model_fields.items():
        below = getattr(field.annotation, "model_fields", None)
        names |= {f"CASEFERRY_{group}__{name}".upper() for name in below} if below else {f"CASEFERRY_{group}".upper()}
    assert set(re.findall(r"^\| `(CASEFERRY_\w+)`", SETTINGS, re.MULTILINE)) == names
    assert {f"options.{name}" for name in Options.model_fields} <= set(re.findall(r"`([\w.]+)`", SETTINGS))
    assert set(Migration.model_fields) <= set(re.findall(r"`([\w.]+)`", SETTINGS))


def test_every_number_among_the_settings_is_told_as_it_is() -> None:
    told = dict(re.findall(r"^\| `(CASEFERRY_\w+)` \| `(\d+)` \|", SETTINGS, re.MULTILINE))
    fields = {f"CASEFERRY_{group}__{name}".upper(): one for group, field in Settings.model_fields.items() for name, one in getattr(field.annotation, "model_fields", {}).items()}
    numbers = {name: str(one.default) for name, one in fields.items() if type(one.default) is int}
    assert numbers and {name: told.get(name) for name in numbers} == numbers


def test_every_step_and_event_is_in_the_docs() -> None:
    journey, hooks = (ROOT / "docs" / "journey.md").read_text(), (ROOT / "docs" / "webhooks.md").read_text()
    assert all(step.name in journey and step.makes.replace("{part}", "<part>") in journey for step in JOURNEY)
    assert all(f"`{kind}`" in hooks for kind in CATALOGUE)


def test_every_profile_loads_and_names_what_exists() -> None:
    for source in known_sources():
        profile = load_profile(source)
        assert {t.record for t in profile.tables.values()} <= set(RECORDS)
    page = (ROOT / "docs" / "adding-a-target.md").read_text()
    for path in TARGETS.glob("*.yaml"):
        assert f"`{path.stem}`" in page
        if is_mapped(path.stem):
            load_mapped(path.stem)
            continue
        target = load_target(path.stem)
        assert all(spec.record in RECORDS or spec.record == "document" for spec in target.files.values())
    assert MARK in (ROOT / "README.md").read_text()


def test_every_word_of_a_mapped_target_is_in_the_docs() -> None:
    page = (ROOT / "docs" / "adding-a-target.md").read_text()
    words = {field.alias or name for model in (Cell, MappedFile, MappedTarget) for name, field in model.model_fields.items()}
    told = set(re.findall(r"`(\w+)`", page))
    assert words <= told, words - told
    assert {field for one in NEUTRAL.values() for field in one.fields} <= told


def test_links_in_the_docs_lead_somewhere() -> None:
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "deploy").glob("*.md")]:
        for link in re.findall(r"\]\(([^)#h][^)#]*)", page.read_text()):
            assert (page.parent / link).exists(), f"{page.name}: {link}"


def test_no_dependency_claims_the_names_of_our_rooms() -> None:
    import importlib.metadata as metadata

    ours = {"config", "tasks", "workers", "samples"}
    for found in metadata.distributions():
        if found.metadata["Name"] != "caseferry":
            tops = {str(path).split("/")[0] for path in found.files or ()}
            assert not tops & ours, found.metadata["Name"]


def test_no_file_names_an_index_or_a_secret() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    for name in listed:
        if name.startswith("requirements"):
            assert "http" not in re.sub(r"^http\w*==", "", (ROOT / name).read_text(), flags=re.MULTILINE).replace("httpx2", "").replace("httpcore2", "")
    assert all(code in (ROOT / "caseferry" / "codes.py").read_text() for code in CODES)
