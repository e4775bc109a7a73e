"""The playbooks there are. Invariant: one that cannot be read is an error, never one that does not count."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from maestro_cli.config.strict import suggestion
from maestro_cli.core.errors import InvalidFile, NotFound
from maestro_cli.core.untrusted import visible
from maestro_cli.runbooks.playbooks.matching import PlaybookMatch, match_alert
from maestro_cli.runbooks.playbooks.model import Playbook
from maestro_cli.runbooks.playbooks.reader import read_playbook


class PlaybookCatalog:
    """Reads `*.yaml` and `*.yml` of the folders when first asked; raises InvalidFile for the first wrong one:
    a playbook that silently does not count could leave an alert unanswered."""

    def __init__(
        self, folders: Sequence[Path], *, judged: Callable[[Playbook], Playbook] = lambda found: found
    ) -> None:
        """`judged` is what a playbook comes to that an alert has chosen: one that may not run by itself only
        suggests."""
        self._folders = tuple(folders)
        self._judged = judged
        self._read: dict[str, Playbook] | None = None

    def reread(self) -> None:
        """Take the files as they are when they are asked for next."""
        self._read = None

    def all(self) -> list[Playbook]:
        return [playbook for _, playbook in sorted(self._playbooks().items())]

    def get(self, name: str) -> Playbook:
        """The playbook with this id, or the file at this path; raises NotFound with a suggestion."""
        if name.endswith((".yaml", ".yml")):
            return read_playbook(Path(name))
        playbooks = self._playbooks()
        if name not in playbooks:
            fix = suggestion(name, list(playbooks)) if playbooks else "there are none"
            raise NotFound(f"there is no playbook {visible(name, 60)!r}", fix=fix)
        return playbooks[name]

    def match(self, labels: Mapping[str, str], *, firing: bool = True) -> PlaybookMatch:
        """The playbook with the most matchers among those that match; the lower id when two tie."""
        found = match_alert(self.all(), labels, firing=firing)
        if found.playbook is None:
            return found
        return PlaybookMatch(self._judged(found.playbook), found.why, found.why_not)

    def folders(self) -> list[list[Path]]:
        """The files of each folder, readable or not; an earlier folder hides ids of a later one."""
        return [sorted([*folder.glob("*.yaml"), *folder.glob("*.yml")]) for folder in self._folders]

    def _playbooks(self) -> dict[str, Playbook]:
        """What the folders hold, read once; whole at once, whichever thread asks."""
        found = self._read
        if found is not None:
            return found
        found = {}
        for folder in self.folders():
            own: dict[str, Playbook] = {}
            for path in folder:
                playbook = read_playbook(path)
                if playbook.id in own:
                    raise InvalidFile(
                        "the id is taken", file=str(path), key="id", why=f"{own[playbook.id].file} has it"
                    )
                own[playbook.id] = playbook
            found = {**own, **found}
        self._read = found
        return found
