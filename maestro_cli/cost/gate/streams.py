"""What a program printed, document by document: all that a chart brings is longer than what people write.

A document goes from its first line to the next `---`, or to `...` (YAML, Document Markers): neither may
begin a line of anything else, whatever it stands in. Invariant: directives and comments are not cut from the
document that they come before.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from maestro_cli.config.strict import Document, parse_yaml_all
from maestro_cli.core.errors import InvalidFile

MOST_CHARACTERS = 67_108_864
_MARK = re.compile(r"^(---|\.\.\.)(?=\s|\Z).*", re.MULTILINE)
_CONTENT = re.compile(r"^[ \t\ufeff]*[^\s#%\ufeff]", re.MULTILINE)  # neither a comment nor a directive


def documents_of(text: str, file: str) -> Iterator[Document]:
    """Each with the line that it has in all of it; raises InvalidFile."""
    if len(text) > MOST_CHARACTERS:
        raise InvalidFile(f"is larger than {MOST_CHARACTERS} characters", file=file)
    begin, line = 0, 1
    for end in _ends(text):
        yield from parse_yaml_all(text[begin:end], file, first_line=line)
        line += text.count("\n", begin, end)
        begin = end


def _ends(text: str) -> Iterator[int]:
    """Where documents end; the last with the text."""
    begin, is_open = 0, False
    for mark in _MARK.finditer(text):
        if mark[1] == "...":
            begin, is_open = mark.end(), False
            yield begin
        elif is_open or _CONTENT.search(text, begin, mark.start()):
            begin = mark.start()
            yield begin
        is_open = is_open or mark[1] == "---"
    yield len(text)
