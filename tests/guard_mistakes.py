"""Mistakes that only a script reaches, planted into a lone guard."""

from tests.lone_guard import LoneGuard


def stale_answers_count(lone: LoneGuard) -> None:
    """Take answers to a leader of an older term for answers to this one."""
    guard = lone.guard

    def lax(term: int) -> bool:
        del term
        return lone.core.is_leader

    guard._check_follower_term = lax  # type: ignore[method-assign]


def old_terms_commit_by_counting(lone: LoneGuard, quorum: int) -> None:
    """Commit entries of older terms because a quorum holds them (figure 8)."""
    replication, core = lone.guard.replication, lone.core
    count = replication.count

    def lax() -> None:
        count()
        held = [core.journal.synced_index, *(p.match_index for p in lone.guard.peers.values())]
        durable = sorted(held, reverse=True)[quorum - 1]
        if durable > core.commit_index:
            core._SyncObj__raftCommitIndex = durable
            core.journal.commit = durable

    replication.count = lax  # type: ignore[method-assign]
