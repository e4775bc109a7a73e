"""Channels of the context, and what they are told.

Invariant: what is told is durable before a channel is tried, and a channel that is down holds up nobody for
longer than one attempt, and one that is slow for no longer than two.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from maestro_cli.core.errors import MaestroError, NotFound
from maestro_cli.services.built_once import built_once
from maestro_cli.services.changing import ChangeServices

if TYPE_CHECKING:
    from maestro_cli.config.channels import Channel
    from maestro_cli.config.settings import Context
    from maestro_cli.incidents.notify.herald import Herald
    from maestro_cli.incidents.notify.reading import ChannelLine
    from maestro_cli.journal.messages import Delivery
    from maestro_cli.journal.outbox import Outbox
    from maestro_cli.sources.web import Web


class NotifyServices(ChangeServices):
    """What tells people."""

    @property
    def _told_by(self) -> Context:
        from maestro_cli.config.settings import Context

        return self.settings.contexts.get(self.context_name, Context())

    @built_once
    def web(self) -> Web:
        from maestro_cli.sources.web import Web

        return Web()

    @property
    def channels(self) -> Mapping[str, Channel]:
        """By name; a context that is gone has none."""
        return self._told_by.channels

    @built_once
    def outbox(self) -> Outbox:
        """The journal, and whatever channels a message names."""
        from maestro_cli.journal.outbox import Outbox
        from maestro_cli.output.terminal import ring
        from maestro_cli.sources.notify.channels import Channels

        sender = Channels(self.web, self.channels, clock=self.clock, ring=ring, secrets=self.secrets)
        return Outbox(self.journal, sender, clock=self.clock, actor=self.actor)

    @built_once
    def herald(self) -> Herald:
        """Puts what happens to incidents into the outbox, by the routes of the context."""
        from maestro_cli.incidents.notify.herald import Herald

        return Herald(self.journal, self.outbox, self.channels, self._told_by.notify, clock=self.clock)

    def channel_lines(self) -> tuple[ChannelLine, ...]:
        """Each channel with what it is told of, and what waits for it."""
        from maestro_cli.incidents.notify.reading import channel_lines

        return channel_lines(self.outbox, self.channels, self._told_by.notify)

    def test_channel(self, name: str) -> Delivery:
        """Send a channel a message that says it is a test, now; raises NotFound."""
        from maestro_cli.incidents.notify.reading import trial

        if name not in self.channels:
            known = ", ".join(self.channels) or "none: add channels: to the context"
            raise NotFound(
                f"there is no channel {name!r}", why=f"channels: {known}", fix="maestro notify list"
            )
        return self.outbox.post(trial(name, self.clock.now(), self.actor), now=True)

    def tell_news(self) -> None:
        """After a command: tell what it did to incidents, each channel until it does not take a message.

        Never raises for a channel or the journal: what is not told waits, and a watch tells it.
        """
        from maestro_cli.output.diagnostics import warn

        if "journal" not in self.__dict__ or not self.journal.last_written or not self.channels:
            return
        try:
            self.herald.tell()
        except MaestroError as error:
            warn(f"nobody could be told: {error.what}")
