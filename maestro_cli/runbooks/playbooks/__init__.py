"""YAML playbooks: what starts them, which incident it is, which runbooks run for it, under which policy.

Format: `maestro: playbook/v1`. Invariant: only what fires matches (a resolved signal must never start
anything), and every answer says why, and for every other playbook why not.
"""

from maestro_cli.runbooks.playbooks.catalog import PlaybookCatalog as PlaybookCatalog
from maestro_cli.runbooks.playbooks.model import Playbook as Playbook
from maestro_cli.runbooks.playbooks.model import PlaybookStep as PlaybookStep
from maestro_cli.runbooks.playbooks.reader import read_playbook as read_playbook
