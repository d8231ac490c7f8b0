"""Planted bugs of the connections between nodes, and of what is on its way over them."""

from typing import Final

from chaos.mutants.mutant import Mutant

TRANSPORT: Final = (
    Mutant(
        "half-a-frame-lost",
        "what was read of the next frame is thrown away with the frames before it",
        "node/consensus/peer_wire.py",
        "            del buffer[:start]\n",
        "            buffer.clear()\n",
    ),
    Mutant(
        "frame-counter-per-node",
        "the sender's counter is not moved on: a repeated frame could not be told",
        "node/consensus/peer_wire.py",
        "        self._sent += 1\n",
        "",
    ),
    Mutant(
        "in-flight-not-rewound",
        "bytes that were in flight on a lost connection count for ever",
        "node/consensus/peer_progress.py",
        "        self.in_flight.clear()\n        self.in_flight_bytes = 0\n",
        "        self.in_flight.clear()\n",
        options=("--faults", "reset,flap,one-way,slow-disk", "--seconds", "6"),
    ),
    Mutant(
        "transfer-outlives-its-connection",
        "a snapshot's answer that was lost with a connection is waited for on the next one",
        "node/consensus/raft_guard.py",
        "        self.sender.cancel(progress)\n        self.receiver.disconnect(peer)\n",
        "        self.receiver.disconnect(peer)\n",
        options=("--faults", "disk-loss,isolate,bounce,kill,restart,reset,flap"),
    ),
    Mutant(
        "stale-connection-speaks-for-its-peer",
        "when an old connection ends, the new one of the same peer is forgotten",
        "node/consensus/peer_transport.py",
        "        if self.is_current(connection):\n            assert connection.peer is not None\n",
        "        if connection.peer in self._connections:\n"
        "            assert connection.peer is not None\n",
    ),
    Mutant(
        "success-told-for-a-conflicting-log",
        "a follower says yes to entries that do not fit behind its own",
        "node/consensus/log_matching.py",
        "            return False, wanted\n",
        "            return True, wanted\n",
        options=("--faults", "isolate-leader,bounce,kill-leader,restart,reset"),
    ),
    Mutant(
        "stale-votes-count",
        "a vote for an older candidacy counts for the one under way",
        "node/consensus/election.py",
        "            self._core.receive_vote(progress.peer, message.term)\n",
        "            self._core.receive_vote(progress.peer, self._core.term)\n",
    ),
)
