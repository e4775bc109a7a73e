"""The kinds of change. Invariant: one file a kind, found by name here and treated alike elsewhere."""

from __future__ import annotations

from collections.abc import Mapping

from maestro_cli.changes.kinds.clear_cache import ClearCache
from maestro_cli.changes.kinds.cordon import Cordon
from maestro_cli.changes.kinds.delete_pod import DeletePod
from maestro_cli.changes.kinds.drain import Drain
from maestro_cli.changes.kinds.freeze import Freeze
from maestro_cli.changes.kinds.helm_rollback import HelmRollback
from maestro_cli.changes.kinds.kind import ChangeKind
from maestro_cli.changes.kinds.load_model import LoadModel
from maestro_cli.changes.kinds.pause import Pause
from maestro_cli.changes.kinds.promote import Promote
from maestro_cli.changes.kinds.restart import Restart
from maestro_cli.changes.kinds.resume import Resume
from maestro_cli.changes.kinds.rollback import Rollback
from maestro_cli.changes.kinds.scale import Scale
from maestro_cli.changes.kinds.scale_hpa import ScaleHpa
from maestro_cli.changes.kinds.set_config import SetConfig
from maestro_cli.changes.kinds.set_env import SetEnv
from maestro_cli.changes.kinds.set_image import SetImage
from maestro_cli.changes.kinds.set_resources import SetResources
from maestro_cli.changes.kinds.set_routing import SetRouting
from maestro_cli.changes.kinds.set_traffic import SetTraffic
from maestro_cli.changes.kinds.set_weight import SetWeight
from maestro_cli.changes.kinds.shadow_start import ShadowStart
from maestro_cli.changes.kinds.shadow_stop import ShadowStop
from maestro_cli.changes.kinds.silence import SilenceAlerts
from maestro_cli.changes.kinds.switch_region import SwitchRegion
from maestro_cli.changes.kinds.uncordon import Uncordon
from maestro_cli.changes.kinds.unfreeze import Unfreeze
from maestro_cli.changes.kinds.unload_model import UnloadModel
from maestro_cli.changes.kinds.unsilence import Unsilence
from maestro_cli.core.errors import UsageError

_ALL: tuple[ChangeKind, ...] = (
    Rollback(), Restart(), Scale(), Pause(), Resume(), SetImage(), SetEnv(), SetResources(), Cordon(),
    Uncordon(), DeletePod(), Drain(), SetConfig(), ScaleHpa(), SilenceAlerts(), Unsilence(), SetTraffic(),
    Promote(),
    ShadowStart(), ShadowStop(), SetRouting(), Freeze(), Unfreeze(), LoadModel(), UnloadModel(), ClearCache(),
    SetWeight(), SwitchRegion(),
    HelmRollback(),
)  # fmt: skip
KINDS: Mapping[str, ChangeKind] = {kind.name: kind for kind in _ALL}


def kind_named(name: str, kinds: Mapping[str, ChangeKind] = KINDS) -> ChangeKind:
    """The kind of that name; raises UsageError."""
    if name not in kinds:
        raise UsageError(
            f"there is no kind of change {name!r}", fix=f"use one of: {', '.join(sorted(kinds))}"
        )
    return kinds[name]
