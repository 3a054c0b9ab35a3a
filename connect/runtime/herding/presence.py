"""Who takes part in the cluster, seen from one worker; patient where haste would move tasks for nothing. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from connect.service.membership import Members

# When the group itself begins anew (a broker that restarts may have forgotten it; all workers start at once), everybody
# comes back one after the other. The leader waits so long before it takes somebody for lost. The death of one worker is no
# such moment: there nothing is waited for.
SETTLE_SECONDS = 3.0
# A worker that has lost the group lets its tasks go on for so long: mostly it is back at once.
GRACE_SECONDS = 3.0


@dataclass(slots=True)
class Presence:
    """Times are monotonic seconds, passed in."""

    own_url: str
    members: Members | None = None
    _was_in: bool = False
    _settled_at: float = 0.0
    _lost_at: float = 0.0

    def update(self, members: Members, now: float) -> None:
        before = self.members
        inside = self.own_url in members.workers
        if self._was_in and not inside:
            self._lost_at = now
        reborn = before is None or members.generation <= before.generation or before.leader is None
        if reborn and members.leader is not None:
            self._settled_at = now + SETTLE_SECONDS
        self.members, self._was_in = members, inside

    @property
    def joined(self) -> bool:
        """Is this worker a member?"""
        return self._was_in

    @property
    def leads(self) -> bool:
        return self.members is not None and self.members.is_leader

    @property
    def leader(self) -> str | None:
        return self.members.leader if self.members else None

    def takes_part(self, now: float) -> bool:
        """May this worker run tasks?"""
        return self._was_in or (self._lost_at > 0 and now < self._lost_at + GRACE_SECONDS)

    def workers(self, dealt_to: Iterable[str], now: float) -> frozenset[str]:
        """Those that count as alive; ``dealt_to`` are the workers of the present assignment."""
        present = frozenset(self.members.workers if self.members else ()) | {self.own_url}
        return present | frozenset(dealt_to) if now < self._settled_at else present

    def next_deadline(self, now: float) -> float | None:
        """When patience ends (monotonic seconds)."""
        moments = [self._settled_at, self._lost_at + GRACE_SECONDS if not self._was_in else 0.0]
        return min((moment for moment in moments if moment > now), default=None)
