"""docs/notifications.md says what the program does."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from maestro_cli.config.channels import USUAL, Channel
from maestro_cli.config.locations import config_dir
from maestro_cli.config.settings import load_settings
from maestro_cli.core.errors import InvalidFile
from maestro_cli.incidents.notify.moments import MOMENTS

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "notifications.md").read_text(encoding="utf-8")
(EXAMPLE,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


def read(text: str) -> None:
    file = config_dir() / "config.yaml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    load_settings(file.parent, {})


def test_the_example_is_read_and_has_every_kind() -> None:
    read(EXAMPLE)
    kinds = {one.__struct_config__.tag for one in get_args(Channel)}
    assert {kind for kind in kinds if f"kind: {kind}" not in EXAMPLE} == set()
    assert {kind for kind in kinds if f"| `{kind}` |" not in PAGE} == set()


def test_every_moment_is_in_the_table_and_the_usual_ones_are_named() -> None:
    table = PAGE[PAGE.index("| moment |") :]
    told = re.findall(r"^\| (.*?) \|", table, re.MULTILINE)
    assert {name for cell in told for name in re.findall(r"`([a-z-]+)`", cell)} == set(MOMENTS)
    usual = re.findall(r"Without `on` it is (.*?)\. Every", PAGE, re.DOTALL)[0]
    assert tuple(re.findall(r"`([a-z-]+)`", usual)) == USUAL


@pytest.mark.parametrize(
    ("was", "now", "key", "fix"),
    [
        ("url: env:SLACK_WEBHOOK", "url: https://hooks.example/T0", "channels.chat.url", "env:NAME"),
        ("to: [chat, board]", "to: [chat, bord]", "notify[1].to[1]", "board"),
        ("incident.happened", "incident.nothing", "notify[2].template", "incident.happened"),
        ("security: starttls", "security: none", "channels.mail.security", "starttls"),
        ("to: [ops@example.com]", "to: ['a@b, c@d']", "channels.mail.to", "ops@example.com"),
        ("mail.example.com:587", "mail.example.com", "channels.mail.server", "mail.example.com:587"),
        ("mail.example.com:587", "mail..example.com:587", "channels.mail.server", "mail.example.com:587"),
        ("mail.example.com:587", f"{'m' * 64}.com:587", "channels.mail.server", "mail.example.com:587"),
        ("mail.example.com:587", "mail.example.com:65536", "channels.mail.server", "mail.example.com:587"),
        ("        username: maestro\n", "", "channels.mail", ""),
        ("bell: {kind: bell}", "Bell!: {kind: bell}", "channels.Bell!", "letters"),
        ("kind: bell", "kind: gong", "channels.bell", ""),
        ("on: [update, published]", "on: [updated]", "notify[2].on", ""),
        ("key: bao:secret/pagerduty#key", "key: 0123", "channels.pager", ""),
    ],
    ids=["value", "no-channel", "placeholder", "clear", "mailbox", "server", "empty-label", "long-label",
         "port", "user", "name", "kind", "moment", "number"],
)  # fmt: skip
def test_what_is_wrong_is_told_by_file_line_and_key(was: str, now: str, key: str, fix: str) -> None:
    assert was in EXAMPLE
    with pytest.raises(InvalidFile) as refused:
        read(EXAMPLE.replace(was, now, 1))
    told = f"{refused.value.what} {refused.value.why} {refused.value.fix}"
    assert f"contexts.prod.{key}" in told
    assert "config.yaml:" in told
    assert fix in refused.value.fix
