"""The one reader of files people write.

Invariant: limits on size and depth, no aliases, no tags, no duplicate or non-text keys, unknown keys
refused; every refusal names file, line and key. `on:`, `yes:` and `1:` are text when they are keys.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar, cast

import msgspec
import yaml

from maestro_cli.core.errors import InvalidFile
from maestro_cli.core.untrusted import visible

MAX_BYTES = 1_048_576
MAX_DEPTH = 40
_Loader = cast("type[yaml.SafeLoader]", getattr(yaml, "CSafeLoader", yaml.SafeLoader))
_SIMPLE_TAGS = {f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "null")}
_PATH_PART = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]")
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
        return cast(T, _decode(self, self.data if self.data is not None else {}, kind, ()))


def dotted(path: Path_) -> str:
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else (f".{part}" if text else str(part))
    return visible(text, 200)


def read_yaml(path: Path) -> Document:
    """Read one file; raises InvalidFile when it is missing, too large, not UTF-8 or not strict YAML."""
    try:
        with path.open("rb") as stream:
            raw = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise InvalidFile(
            "cannot be read", file=str(path), why=error.strerror or type(error).__name__
        ) from error
    if len(raw) > MAX_BYTES:
        raise InvalidFile(f"is larger than {MAX_BYTES} bytes", file=str(path))
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise InvalidFile("is not UTF-8", file=str(path), line=line) from error
    return parse_yaml(text, str(path))


def parse_yaml(text: str, file: str, *, first_line: int = 1) -> Document:
    """Parse one YAML document of text found in `file` at `first_line`; raises InvalidFile."""
    documents = list(parse_yaml_all(text, file, first_line=first_line))
    if len(documents) > 1:
        raise InvalidFile("holds more than one document", file=file, line=documents[1].first_line)
    return documents[0] if documents else Document(file, None, {}, first_line)


def parse_yaml_all(text: str, file: str, *, first_line: int = 1) -> Iterator[Document]:
    """Parse every document of a `---` separated text; raises InvalidFile."""
    if len(text) > MAX_BYTES:
        raise InvalidFile(f"is larger than {MAX_BYTES} characters", file=file)
    loader = _Loader(text)
    try:
        _refuse_anchors(text, file, first_line)
        while loader.check_node():
            node = loader.get_node()
            assert node is not None  # check_node said so
            lines: dict[Path_, int] = {}
            data = _plain(loader, node, (), lines, file, first_line)
            yield Document(file, data, lines, node.start_mark.line + first_line)
    except yaml.YAMLError as error:
        raise _syntax_error(error, file, first_line) from error
    except RecursionError as error:
        raise InvalidFile("is nested too deeply", file=file) from error
    finally:
        loader.dispose()


def dump_yaml(data: Any) -> str:
    """YAML for files maestro writes; keys keep their order."""
    return yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=100)


def suggestion(word: str, known: Iterator[str] | list[str]) -> str:
    """`did you mean 'x'?`, or the list of what there is."""
    names = sorted(known)
    close = difflib.get_close_matches(word, names, n=1, cutoff=0.6)
    return f"did you mean {close[0]!r}?" if close else f"known here: {', '.join(names)}"


def _syntax_error(error: yaml.YAMLError, file: str, first_line: int) -> InvalidFile:
    mark = getattr(error, "problem_mark", None)
    line = mark.line + first_line if mark is not None else first_line
    problem = getattr(error, "problem", None) or str(error)
    return InvalidFile("is not valid YAML", file=file, line=line, why=visible(str(problem), 300))


def _refuse_anchors(text: str, file: str, first_line: int) -> None:
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            line = _line(event, first_line)
            raise InvalidFile("anchors and aliases are not allowed", file=file, line=line)
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            line = _line(event, first_line)
            raise InvalidFile(f"is nested more than {MAX_DEPTH} deep", file=file, line=line)


def _line(event: yaml.Event, first_line: int) -> int:
    return (event.start_mark.line if event.start_mark is not None else 0) + first_line


def _plain(
    loader: yaml.SafeLoader, node: yaml.Node, path: Path_, lines: dict[Path_, int], file: str, first: int
) -> Any:
    line = node.start_mark.line + first
    lines.setdefault(path, line)
    if isinstance(node, yaml.SequenceNode):
        return [_plain(loader, item, (*path, i), lines, file, first) for i, item in enumerate(node.value)]
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
            result[key] = _plain(loader, value_node, (*path, key), lines, file, first)
        return result
    tag = node.tag
    if tag == "tag:yaml.org,2002:timestamp":
        return str(node.value)
    if tag not in _SIMPLE_TAGS:
        what = f"the tag {visible(tag, 60)} is not allowed"
        raise InvalidFile(what, file=file, line=line, key=dotted(path))
    return _scalar(loader, cast(yaml.ScalarNode, node), file, line, path)


def _scalar(loader: yaml.SafeLoader, node: yaml.ScalarNode, file: str, line: int, path: Path_) -> Any:
    if node.tag.endswith(":bool") and node.value.lower() not in ("true", "false"):
        return str(node.value)  # YAML 1.1 reads on, off, yes and no as booleans
    try:
        return loader.construct_object(node)
    except ValueError as error:
        raise InvalidFile("is not a value", file=file, line=line, key=dotted(path), why=str(error)) from error


def _decode(document: Document, data: Any, kind: Any, path: Path_) -> Any:
    try:
        return msgspec.convert(data, kind, strict=True)
    except msgspec.ValidationError as error:
        _explain(document, data, msgspec.inspect.type_info(kind), path)
        raise document.fail(str(error).split(" - at ")[0], path) from error


def _explain(document: Document, data: Any, kind: Any, path: Path_) -> None:
    """Find the deepest wrong place and raise InvalidFile for it; return when nothing is wrong here."""
    info = msgspec.inspect
    if isinstance(kind, info.StructType) and isinstance(data, Mapping):
        fields = {item.encode_name: item for item in kind.fields}
        for key in data:
            if key not in fields:
                raise document.fail("is not known here", (*path, key), fix=suggestion(key, list(fields)))
        for name, item in fields.items():
            if name in data:
                _explain(document, data[name], item.type, (*path, name))
            elif item.required:
                raise document.fail(f"{name!r} is missing", path, fix=f"add '{name}:'")
    elif isinstance(kind, info.DictType) and isinstance(data, Mapping):
        for key, value in data.items():
            _explain(document, value, kind.value_type, (*path, key))
    elif isinstance(kind, info.ListType | info.VarTupleType) and isinstance(data, list):
        for index, value in enumerate(data):
            _explain(document, value, kind.item_type, (*path, index))
    elif isinstance(kind, info.UnionType):
        structs = [t for t in kind.types if isinstance(t, info.StructType | info.DictType | info.ListType)]
        if structs and isinstance(data, Mapping | list):
            for option in structs:
                _explain(document, data, option, path)
    _check_leaf(document, data, kind, path)


def _check_leaf(document: Document, data: Any, kind: Any, path: Path_) -> None:
    info = msgspec.inspect
    if isinstance(kind, info.StructType | info.DictType | info.ListType | info.VarTupleType):
        wanted = "a list" if isinstance(kind, info.ListType | info.VarTupleType) else "a mapping"
        good = isinstance(data, list) if wanted == "a list" else isinstance(data, Mapping)
        if not good:
            raise document.fail(f"expected {wanted}, found {_kind_name(data)}", path)
        return
    if isinstance(kind, info.LiteralType):
        if data not in kind.values:
            fix = suggestion(str(data), [str(value) for value in kind.values])
            raise document.fail(f"{visible(str(data), 60)!r} is not one of the choices", path, fix=fix)
        return
    simple = {info.StrType: str, info.IntType: int, info.FloatType: (int, float), info.BoolType: bool}
    for type_info, python in simple.items():
        if isinstance(kind, type_info):
            if not isinstance(data, python) or (python is not bool and isinstance(data, bool)):
                wanted = type_info.__name__.removesuffix("Type").lower()
                names = {"str": "text", "int": "a whole number", "float": "a number", "bool": "true or false"}
                raise document.fail(f"expected {names[wanted]}, found {_kind_name(data)}", path)
            return


def _kind_name(data: Any) -> str:
    names = {dict: "a mapping", list: "a list", str: "text", bool: "true or false", type(None): "nothing"}
    return names.get(type(data), "a number")
