"""What programs print is read document by document, as YAML has it in one piece."""

from __future__ import annotations

import pytest

from maestro_cli.config.strict import parse_yaml_all
from maestro_cli.core.errors import InvalidFile
from maestro_cli.cost.gate.streams import documents_of

STREAMS = [
    "a: 1\n---\nb: 2\n",
    "---\na: 1\n---\nb: 2\n",
    "%YAML 1.1\n---\na: 1\n...\n%YAML 1.1\n---\nb: 2\n",
    "# Source: one\n%YAML 1.1\n# of it\n---\na: 1\n",
    "%YAML 1.1\n%TAG !k! tag:k8s.io,2026:\n---\na: 1\n...\n\n# the next\n---\nb: 1\n...\n# the end\n",
    "a: 1\n...\n---\nb: 1\n",
    "---\n---\na: 1\n",
    "\ufeff---\na: 1\n---\nb: 1",
    "# Source: one\na: 1\n---\n# Source: two\nb: 1\n",
    "---\r\na: 1\r\n---\r\nb: 2\r\n",
    '--- {a: 1}\n--- "x"\n',
    "a: |\n  x\n  ---\n  ...\n---\nb: 1\n",
    "a: 1\n---\n\n---\nb: 1",
    "\n\n",
    "# nothing\n",
]


@pytest.mark.parametrize("text", STREAMS)
def test_it_is_what_yaml_says_with_the_same_lines(text: str) -> None:
    whole = [(one.data, one.first_line) for one in parse_yaml_all(text, "it")]
    assert [(one.data, one.first_line) for one in documents_of(text, "it")] == whole


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("%YAML 1.1\n---\na: 1\n...\n%YAML 1.1\n---\nb: [\n", 7),
        ("a: 1\n---\nb: &x 1\n", 3),
        ("a: 1\n...\n%YAML 3.0\n---\nb: 1\n", 3),
        ("a: 1\n%YAML 1.1\n---\nb: 2\n", 2),  # a directive comes behind the end of the document before it
    ],
)
def test_what_is_wrong_is_told_with_its_file_and_its_line(text: str, line: int) -> None:
    with pytest.raises(InvalidFile) as told:
        list(documents_of(text, "charts/out.yaml"))
    assert (told.value.file, told.value.line) == ("charts/out.yaml", line)


def test_all_of_it_may_be_larger_than_a_file_that_people_write_and_one_document_may_not() -> None:
    padding = "# " + "x" * 400_000 + "\n"
    assert len(list(documents_of(f"{padding}a: 1\n---\n" * 4, "it"))) == 5
    with pytest.raises(InvalidFile, match="it:3: is larger than"):
        list(documents_of(f"a: 1\n---\n---\n{padding * 3}", "it"))
