"""The runbooks there are, and which one an alert means.

Invariant: a binding is deterministic and says why; two files with one id are an error, not a choice. A
file that cannot be read hides no other: it is reported, and raised when it is asked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from maestro_cli.config.strict import suggestion
from maestro_cli.core.errors import InvalidFile, NotFound
from maestro_cli.core.untrusted import visible
from maestro_cli.runbooks.model import Runbook
from maestro_cli.runbooks.parameters import resolve_parameters
from maestro_cli.runbooks.reader import read_runbook

RUNBOOK_URL = "runbook_url"  # the annotation's name by convention of the Prometheus mixins


@dataclass(frozen=True, slots=True)
class Binding:
    """The runbook for an alert, or None, and the reason in words."""

    runbook: Runbook | None
    why: str


@dataclass(frozen=True, slots=True)
class _Read:
    """Runbooks by id, and what cannot be read by file name."""

    books: dict[str, Runbook]
    broken: dict[str, InvalidFile]


class RunbookCatalog:
    """Reads `*.md` of the folders when first asked; an earlier folder hides an equal id of a later one."""

    def __init__(self, folders: Sequence[Path], defaults: Mapping[str, str] | None = None) -> None:
        """`defaults` are the context's values of parameters, whichever runbooks have them."""
        self._folders = tuple(folders)
        self.defaults = dict(defaults or {})
        self._read: _Read | None = None

    def reread(self) -> None:
        """Take the files as they are when they are asked for next."""
        self._read = None

    @property
    def broken(self) -> Mapping[str, InvalidFile]:
        """What cannot be read, by file name without `.md`."""
        return self._files().broken

    def all(self) -> list[Runbook]:
        """Every readable runbook by id; the others are in `broken` by file name without `.md`."""
        return [book for _, book in sorted(self._files().books.items())]

    def get(self, name: str) -> Runbook:
        """The runbook with this id, or the file at this path.

        Raises NotFound with a suggestion, InvalidFile when it is there but wrong.
        """
        if name.endswith(".md") or "/" in name:
            return read_runbook(Path(name))
        files = self._files()
        books = files.books
        if name in books:
            return books[name]
        if name in files.broken:
            raise files.broken[name]
        fix = (
            suggestion(name, list(books))
            if books
            else "there are none in " + ", ".join(map(str, self._folders))
        )
        raise NotFound(f"there is no runbook {visible(name, 60)!r}", fix=fix)

    def values(
        self,
        book: Runbook,
        *,
        given: Mapping[str, str],
        labels: Mapping[str, str],
        annotations: Mapping[str, str],
    ) -> dict[str, str]:
        """What a run of this runbook gets, with the defaults of the context; raises UsageError."""
        return resolve_parameters(
            book, given=given, labels=labels, annotations=annotations, defaults=self.defaults
        )

    def for_alert(self, labels: Mapping[str, str], annotations: Mapping[str, str] | None = None) -> Binding:
        """The runbook for an alert: its own `runbook_url`, then `alerts:` lists, then names.

        The rule that fires knows more than its name does: `ErrorBudgetBurn` is the name of many.
        Raises InvalidFile when two runbooks claim the alert.
        """
        alert = labels.get("alertname", "")
        shown = visible(alert, 80)
        named = _last_part((annotations or {}).get(RUNBOOK_URL, ""))
        if (book := self._called(named)) is not None:
            return Binding(book, f"{RUNBOOK_URL} ends in {visible(named, 80)}")
        claims = [book for book in self.all() if alert and alert in book.alerts]
        if len(claims) > 1:
            others = ", ".join(book.file for book in claims[1:])
            raise InvalidFile(
                f"claims the alert {shown}", file=claims[0].file, key="alerts", why=f"so does {others}"
            )
        if claims:
            return Binding(claims[0], f"{claims[0].id} lists the alert {shown}")
        if (book := self._called(alert)) is not None:
            return Binding(book, f"its file is named {shown}.md")
        return Binding(
            None, f"no runbook lists {shown or 'an alert without a name'}, and none is named after it"
        )

    def _called(self, name: str) -> Runbook | None:
        """The runbook whose id or file has this name, however it is written."""
        wanted = name.lower()
        books = (book for book in self.all() if wanted in (book.id.lower(), Path(book.file).stem.lower()))
        return next(books, None) if wanted else None

    def _files(self) -> _Read:
        """What the folders hold, read once; whole at once, whichever thread asks."""
        read = self._read
        if read is None:
            read = _Read({}, {})
            for folder in self._folders:
                read = _Read({**_folder(folder, read.broken), **read.books}, read.broken)
            self._read = read
        return read


def _folder(folder: Path, broken: dict[str, InvalidFile]) -> dict[str, Runbook]:
    """The readable runbooks of a folder by id; the others are added to `broken`."""
    books: dict[str, Runbook] = {}
    for path in sorted(folder.glob("*.md")):
        try:
            book = read_runbook(path)
        except InvalidFile as error:
            broken.setdefault(path.stem, error)
            continue
        if book.id in books:
            why = f"{books[book.id].file} has it"
            broken.setdefault(path.stem, InvalidFile("the id is taken", file=str(path), key="id", why=why))
            continue
        books[book.id] = book
    return books


def _last_part(url: str) -> str:
    """`high-error-rate` of `https://example.org/runbooks/high-error-rate.md#x`."""
    try:
        path = urlsplit(url).path
    except ValueError:
        return ""
    return PurePosixPath(unquote(path)).name.removesuffix(".md").removesuffix(".html")
