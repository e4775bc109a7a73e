"""The documents say what the program does."""

from __future__ import annotations

import importlib.util
import re
import shlex
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path
from types import ModuleType

import pytest
import typer
import typer.exceptions
import typer.main
from typer.core import TyperGroup

from maestro_cli.changes.policy_file import Freeze, PolicyFile, Rule, load_policy
from maestro_cli.cli.main import app, hoist_global_options
from maestro_cli.cli.registry import COMMANDS
from maestro_cli.config.experiments import Blackout, ExperimentRules, FaultHooks
from maestro_cli.config.intake import Anomalies, Reason, Receiver, Warnings
from maestro_cli.config.settings import ClusterEndpoint, Context, Costs, Endpoint, SettingsFile
from maestro_cli.config.strict import parse_yaml

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md"), *(ROOT / "deploy").rglob("*.md")])


def _writer(name: str = "write_docs") -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_command_page_is_what_the_program_says() -> None:
    page = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    assert page == _writer().document(), "run: python scripts/write_docs.py"


def test_the_page_of_shipped_runbooks_is_what_the_files_say() -> None:
    page = (ROOT / "docs" / "shipped-runbooks.md").read_text(encoding="utf-8")
    assert page == _writer().runbooks_page(), "run: python scripts/write_docs.py"


def test_pictures_of_costs_are_what_the_program_draws() -> None:
    for name, text in _writer("draw_cost_pictures").drawn().items():
        file = ROOT / "docs" / "pictures" / name
        assert file.read_text(encoding="utf-8") == text, "run: python scripts/draw_cost_pictures.py"


def test_the_page_of_keys_is_what_the_console_has() -> None:
    page = (ROOT / "docs" / "console-keys.md").read_text(encoding="utf-8")
    assert page == _writer().keys_page(), "run: python scripts/write_docs.py"


def test_the_settings_example_is_valid_and_names_every_setting() -> None:
    text = (ROOT / "docs" / "contexts.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    parse_yaml(example, "docs/contexts.md").decode(SettingsFile)
    fields = {
        name
        for struct in (
            SettingsFile,
            Context,
            Endpoint,
            ClusterEndpoint,
            Costs,
            Receiver,
            Warnings,
            Reason,
            Anomalies,
            ExperimentRules,
            Blackout,
            FaultHooks,
        )
        for name in struct.__struct_fields__
    }
    assert {name for name in fields if f"{name}:" not in text and f"`{name}`" not in text} == set()


def test_the_policy_example_is_valid_and_names_every_key(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "policy.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    (tmp_path / "policy.yaml").write_text(example, encoding="utf-8")
    assert load_policy(tmp_path / "policy.yaml").content.rules
    fields = {name for struct in (PolicyFile, Rule, Freeze) for name in struct.__struct_fields__}
    assert {name for name in fields if f"{name}:" not in example} == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_no_page_has_the_marks_of_a_conflict(page: Path) -> None:
    assert re.findall(r"^(?:<{7}|>{7}) .*", page.read_text(encoding="utf-8"), re.MULTILINE) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_between_pages_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?://)([^)#]+)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_that_a_page_names_exists(page: Path) -> None:
    known = {stub.name for stub in COMMANDS} | {"--version", "--install-completion", "--help"}
    text = page.read_text(encoding="utf-8")
    named = re.findall(
        r"(?:^|[`(\"])maestro (?:--(?:context[ =]\S+|read-only|plain) )*([a-z-]+)", text, re.MULTILINE
    )
    assert {name for name in named if name not in known} - {"serve"} == set()


def _shown() -> Iterator[tuple[str, str]]:
    """Every line of a block of shell that starts maestro, with its page."""
    for page in PAGES:
        for block in re.findall(r"```bash\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL):
            lines = block.replace("\\\n", " ").splitlines()
            yield from ((str(page.relative_to(ROOT)), one) for one in lines if one.startswith("maestro "))


def _parse(line: str) -> None:
    """As far as the command itself; raises what the parser library refuses."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    words = list(takewhile(lambda word: not set(word) <= set("|&;<>()"), lexer))[1:]
    context = typer.main.get_command(app).make_context("maestro", hoist_global_options(words))
    while isinstance(context.command, TyperGroup) and context._protected_args + context.args:
        name, command, rest = context.command.resolve_command(context, context._protected_args + context.args)
        assert command is not None
        context = command.make_context(name, rest, parent=context)


def test_commands_that_pages_show_are_such_as_the_program_takes() -> None:
    wrong = []
    for page, line in _shown():
        try:
            _parse(line)
        except typer.exceptions.TyperException as error:
            wrong.append(f"{page}: {line}: {error.format_message()}")
    assert wrong == []
