"""The one reader of files people write.

Invariant: limits on size and depth, no aliases, no tags, no duplicate or non-text keys, unknown keys
refused; every refusal is an InvalidFile that names file, line and key. `on:`, `yes:` and `1:` are text
when they are keys. A number is what people mean by one: `1:30`, `1_000` and `1e3` are text, `1e-05` as JSON
has it is none; infinity and NaN are refused.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar, cast

import yaml

from maestro_cli.config.explanation import explain, suggestion
from maestro_cli.core.errors import InvalidFile
from maestro_cli.core.files import open_file
from maestro_cli.core.untrusted import UNSAFE, visible

__all__ = [
    "Document",
    "dotted",
    "dump_yaml",
    "parse_yaml",
    "parse_yaml_all",
    "read_text",
    "read_yaml",
    "suggestion",
]

MAX_BYTES = 1_048_576
MAX_DEPTH = 40
_Loader = cast("type[yaml.SafeLoader]", getattr(yaml, "CSafeLoader", yaml.SafeLoader))
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_OCTAL = re.compile(r"([-+]?)0([0-7]+)")  # file modes in Kubernetes manifests: 0644
_HEXADECIMAL = re.compile(r"[-+]?0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?([0-9]+\.[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?")
_SIGNED_EXPONENT = re.compile(r"[-+]?[0-9]+[eE][-+][0-9]+")  # YAML 1.1 has a number only with a point
_MAX_DIGITS = 20
_SURROGATE = re.compile("[\ud800-\udfff]")
T = TypeVar("T")
Path_ = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """Plain data of one YAML document, and the line of each path in it."""

    file: str
    data: Any
    lines: Mapping[Path_, int] = field(default_factory=dict)
    first_line: int = 1

    def line_of(self, path: Path_) -> int:
        """The line of a path, or of its nearest parent that has one."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, self.first_line)

    def fail(self, what: str, path: Path_ = (), *, why: str = "", fix: str = "") -> InvalidFile:
        """The error for this place in the file; the caller raises it."""
        return InvalidFile(what, file=self.file, line=self.line_of(path), key=dotted(path), why=why, fix=fix)

    def decode(self, kind: type[T]) -> T:
        """Convert into msgspec structs that forbid unknown fields; raises InvalidFile."""
        data = self.data if self.data is not None else {}
        return cast(T, explain(data, kind, lambda what, path, fix: self.fail(what, path, fix=fix)))


def dotted(path: Path_) -> str:
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else (f".{part}" if text else str(part))
    return visible(text, 200)


def read_yaml(path: Path, accept: Callable[[os.stat_result], None] | None = None) -> Document:
    """Read one file; raises InvalidFile when it is not strict YAML, and as `read_text` does."""
    return parse_yaml(read_text(path, accept), str(path))


def read_text(
    path: Path, accept: Callable[[os.stat_result], None] | None = None, *, most_bytes: int = MAX_BYTES
) -> str:
    """The text of one file; raises InvalidFile when it is missing, no regular file, too large or not UTF-8.

    `accept` sees the state of the file that was opened, before it is read, and may raise.
    """
    try:
        with open_file(path) as stream:
            if accept is not None:
                accept(os.fstat(stream.fileno()))
            raw = stream.read(most_bytes + 1)
    except OSError as error:
        raise InvalidFile(
            "cannot be read", file=str(path), why=error.strerror or type(error).__name__
        ) from error
    if len(raw) > most_bytes:
        raise InvalidFile(f"is larger than {most_bytes} bytes", file=str(path))
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise InvalidFile("is not UTF-8", file=str(path), line=line) from error


def parse_yaml(text: str, file: str, *, first_line: int = 1) -> Document:
    """Parse one YAML document of text found in `file` at `first_line`; raises InvalidFile."""
    documents = list(parse_yaml_all(text, file, first_line=first_line))
    if len(documents) > 1:
        raise InvalidFile("holds more than one document", file=file, line=documents[1].first_line)
    return documents[0] if documents else Document(file, None, {}, first_line)


def parse_yaml_all(text: str, file: str, *, first_line: int = 1) -> Iterator[Document]:
    """Parse every document of a `---` separated text; raises InvalidFile."""
    if len(text) > MAX_BYTES:
        raise InvalidFile(f"is larger than {MAX_BYTES} characters", file=file, line=first_line)
    surrogate = _SURROGATE.search(text)
    if surrogate is not None:
        line = text[: surrogate.start()].count("\n") + first_line
        raise InvalidFile("holds half a character", file=file, line=line, why="a lone UTF-16 surrogate")
    loader = _Loader(text)
    try:
        _refuse_features(text, file, first_line)
        while loader.check_node():
            node = loader.get_node()
            assert node is not None  # check_node said so
            lines: dict[Path_, int] = {}
            data = _plain(node, (), lines, file, first_line)
            yield Document(file, data, lines, node.start_mark.line + first_line)
    except yaml.YAMLError as error:
        raise _syntax_error(error, text, file, first_line) from error
    except RecursionError as error:
        raise InvalidFile("is nested too deeply", file=file) from error
    finally:
        loader.dispose()


def dump_yaml(data: Any) -> str:
    """YAML for files maestro writes; keys keep their order."""
    text: str = yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)
    return UNSAFE.sub(lambda match: _yaml_escape(match.group(0)), text)


def _syntax_error(error: yaml.YAMLError, text: str, file: str, first_line: int) -> InvalidFile:
    mark = getattr(error, "problem_mark", None)
    last = text.rstrip().count("\n")  # what is missing at the end is missing on the last line
    line = first_line + (min(mark.line, last) if mark is not None else 0)
    problem = getattr(error, "problem", None) or str(error)
    return InvalidFile("is not valid YAML", file=file, line=line, why=visible(str(problem), 300))


def _refuse_features(text: str, file: str, first_line: int) -> None:
    """Refuse anchors, aliases, tags and deep nesting before anything is built from them."""
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            line = _line(event, first_line)
            raise InvalidFile("anchors and aliases are not allowed", file=file, line=line)
        tag = getattr(event, "tag", None)
        if tag is not None:
            line = _line(event, first_line)
            raise InvalidFile(f"the tag {visible(tag, 60)} is not allowed", file=file, line=line)
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            line = _line(event, first_line)
            raise InvalidFile(f"is nested more than {MAX_DEPTH} deep", file=file, line=line)


def _line(event: yaml.Event, first_line: int) -> int:
    return (event.start_mark.line if event.start_mark is not None else 0) + first_line


def _plain(node: yaml.Node, path: Path_, lines: dict[Path_, int], file: str, first: int) -> Any:
    line = node.start_mark.line + first
    lines.setdefault(path, line)
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item, (*path, i), lines, file, first) for i, item in enumerate(node.value)]
    if isinstance(node, yaml.MappingNode):
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key_line = key_node.start_mark.line + first
            if not isinstance(key_node, yaml.ScalarNode) or key_node.tag.endswith(":merge"):
                raise InvalidFile("keys must be plain text", file=file, line=key_line, key=dotted(path))
            key = str(key_node.value)
            if key in result:
                raise InvalidFile(
                    "the key is there twice", file=file, line=key_line, key=dotted((*path, key))
                )
            lines[(*path, key)] = key_line
            result[key] = _plain(value_node, (*path, key), lines, file, first)
        return result
    tag, text = node.tag.rpartition(":")[2], str(node.value)
    is_plain = not getattr(node, "style", None)  # neither quoted nor a block
    is_number = tag == "str" and is_plain and _SIGNED_EXPONENT.fullmatch(text)
    return _scalar("float" if is_number else tag, text, file, line, path)


def _scalar(tag: str, text: str, file: str, line: int, path: Path_) -> Any:
    """The value of plain text that YAML 1.1 resolved to `tag`; what only YAML 1.1 thinks special is text."""
    if tag == "null":
        return None
    if tag == "bool" and text.lower() in ("true", "false"):  # not on, off, yes and no
        return text.lower() == "true"
    value: int | float | None = None
    if tag == "int" and len(text) > _MAX_DIGITS:
        raise InvalidFile(
            "is too large a number", file=file, line=line, key=dotted(path), fix="quote it if it is text"
        )
    if tag == "int" and _INTEGER.fullmatch(text):
        value = int(text)
    elif tag == "int" and (octal := _OCTAL.fullmatch(text)):
        value = int("".join(octal.groups()), 8)
    elif tag == "int" and _HEXADECIMAL.fullmatch(text):
        value = int(text, 16)
    elif tag == "float" and (_FLOAT.fullmatch(text) or _SIGNED_EXPONENT.fullmatch(text)):
        value = float(text)
    elif tag == "float" and text.lower().lstrip("+-") in (".inf", ".nan"):
        value = math.inf
    if isinstance(value, float) and not math.isfinite(value):
        raise InvalidFile("is not a finite number", file=file, line=line, key=dotted(path))
    return text if value is None else value


class _Dumper(yaml.SafeDumper):
    """Writes what the reader above accepts: no aliases, and invisible characters as escapes."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text_node(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    style = '"' if UNSAFE.search(text) or _SIGNED_EXPONENT.fullmatch(text) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", str(text), style=style)


def _yaml_escape(character: str) -> str:
    """Valid where it is used: the text around it is double-quoted."""
    code = ord(character)
    return f"\\u{code:04X}" if code <= 0xFFFF else f"\\U{code:08X}"


_Dumper.add_multi_representer(str, _text_node)
_Dumper.add_representer(str, _text_node)
