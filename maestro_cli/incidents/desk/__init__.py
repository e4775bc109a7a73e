"""What responders do to incidents, and what they ask.

Invariant: a command reads, checks and appends in one transaction; a transition that the table does not
allow is refused with nothing done; a command that carries the sequence number it saw is refused when
somebody was faster. A late ack is kept as late and moves nothing.
"""

from __future__ import annotations

from maestro_cli.incidents.desk.attributes import Attributes
from maestro_cli.incidents.desk.bonds import Bonds
from maestro_cli.incidents.desk.findings import Findings
from maestro_cli.incidents.desk.opening import Opening
from maestro_cli.incidents.desk.silences import Silences
from maestro_cli.incidents.desk.transitions import Transitions
from maestro_cli.incidents.desk.writing import DeskPolicy

__all__ = ["DeskPolicy", "IncidentDesk"]


class IncidentDesk(Opening, Attributes, Transitions, Bonds, Silences, Findings):
    """Commands and queries under the name of one actor; every `ref` is what `find_incident` reads.

    Commands raise NotFound, UsageError, GateNotMet (11: nothing was done), Busy or ActionFailed.
    """
