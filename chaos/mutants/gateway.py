"""Planted bugs of what clients see: sessions, answers, feeds."""

from typing import Final

from chaos.mutants.mutant import Mutant

_NEW_STATES: Final = ("--faults", "disk-loss,isolate,bounce,kill,restart,client-reset")
"""Nodes that are sent a snapshot while clients hang on them."""
_CUT_OFF_LEADERS: Final = ("--faults", "isolate-leader,client-reset,transfer,reset")
"""Leaders that go on believing so, and clients who come back to them."""

GATEWAY: Final = (
    Mutant(
        "replies-to-another-session",
        "replies go to whoever speaks for the session before",
        "node/gateway/reply_router.py",
        "            taker = takers.get(session)\n",
        "            taker = takers.get(max(takers))\n",
    ),
    Mutant(
        "answer-without-barrier",
        "a linearizable question is answered at once",
        "node/gateway/queries.py",
        "                await self._leadership.read_barrier()\n",
        "                await asyncio.sleep(0)\n",
        options=_CUT_OFF_LEADERS,
    ),
    Mutant(
        "read-without-quorum",
        "a leader takes its own word for it that it still leads",
        "node/consensus/read_index.py",
        "        self._waiting.extend((self._number, commit, answer) for answer in self._asked)\n"
        "        self._asked = []\n",
        "        asked, self._asked = self._asked, []\n"
        "        for answer in asked:\n"
        "            answer(commit)\n",
        options=_CUT_OFF_LEADERS,
    ),
    Mutant(
        "at-least-index-ignored",
        "a node that lags answers all the same",
        "node/gateway/queries.py",
        "        if question.at_least_index > self._view.log_index:\n",
        "        if question.at_least_index < 0:\n",
    ),
    Mutant(
        "answers-from-the-replaced-state",
        "behind an installed snapshot questions are answered from the state before it",
        "node/assembly.py",
        "        self._view.replace(venue)\n",
        "",
        options=_NEW_STATES,
    ),
    Mutant(
        "feeds-outlive-the-state",
        "subscribers are not told that a snapshot has taken the state's place",
        "node/assembly.py",
        "        self.gateway.state_replaced()\n",
        "",
        options=_NEW_STATES,
    ),
    Mutant(
        "past-with-a-hole",
        "events from before an installed snapshot are kept as if nothing were missing",
        "node/machine.py",
        "        self._events.restart(self.venue.log_index)\n",
        "",
        options=_NEW_STATES,
    ),
    Mutant(
        "feed-resumes-behind-the-group",
        "what is left of the group in which a stream stopped is passed over",
        "node/gateway/replay.py",
        "        self._after = max(from_index - 1, 0) if self._is_single else from_index\n",
        "        self._after = from_index + (not self._is_single)\n",
    ),
    Mutant(
        "feed-goes-live-late",
        "between the past and the present of a feed a few milliseconds are missing",
        "node/gateway/replay.py",
        "        self._feeds.go_live(self._connection, self._key)\n",
        "        self._feeds.loop.call_later(\n"
        "            0.02, self._feeds.go_live, self._connection, self._key\n        )\n",
    ),
)
