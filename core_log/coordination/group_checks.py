"""Who may speak for a group: the checks that every request of a member passes."""

from core_log.coordination.group import Group, State
from core_log.errors import ErrorCode


def identity_error(group: Group, member_id: str, instance_id: str | None) -> ErrorCode:
    """UNKNOWN_MEMBER_ID, or FENCED_INSTANCE_ID for a static member whose place another has taken."""
    if instance_id is not None:
        current = group.static_members.get(instance_id)
        if current is None:
            return ErrorCode.UNKNOWN_MEMBER_ID
        return ErrorCode.NONE if current == member_id else ErrorCode.FENCED_INSTANCE_ID
    return ErrorCode.NONE if member_id in group.members else ErrorCode.UNKNOWN_MEMBER_ID


def standing_error(group: Group, generation: int, member_id: str, instance_id: str | None) -> ErrorCode:
    """Whether the member is in the group's current generation."""
    error = identity_error(group, member_id, instance_id)
    if error is ErrorCode.NONE and generation != group.generation:
        return ErrorCode.ILLEGAL_GENERATION
    return error


def commit_error(group: Group, generation: int, member_id: str, instance_id: str | None) -> ErrorCode:
    """Whether an offset commit is taken. Without a generation it comes from outside the group, which must then be empty."""
    if generation < 0 and group.state is State.EMPTY:
        return ErrorCode.NONE
    if generation < 0 and not member_id and instance_id is None:
        return ErrorCode.UNKNOWN_MEMBER_ID
    error = standing_error(group, generation, member_id, instance_id)
    if error is ErrorCode.NONE and group.state is State.COMPLETING:
        return ErrorCode.REBALANCE_IN_PROGRESS  # it knows the generation but not its assignment yet
    return error
