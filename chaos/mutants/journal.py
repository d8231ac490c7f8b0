"""Planted bugs of the journal."""

from typing import Final

from chaos.mutants.mutant import Mutant

JOURNAL: Final = (
    Mutant(
        "no-fdatasync",
        "flushes are written and never synced",
        "node/consensus/journal.py",
        "        self._files.write(self._descriptor, parts)\n"
        "        self._files.sync_data(self._descriptor)\n",
        "        self._files.write(self._descriptor, parts)\n",
    ),
    Mutant(
        "sync-error-ignored",
        "a flush whose sync has failed counts as durable",
        "node/consensus/journal.py",
        "        self._files.sync_data(self._descriptor)\n"
        "        self._written += sum(map(len, parts))\n",
        "        try:\n"
        "            self._files.sync_data(self._descriptor)\n"
        "        except OSError:\n"
        "            pass\n"
        "        self._written += sum(map(len, parts))\n",
        options=("--faults", "sync-error,restart,kill-leader"),
    ),
    Mutant(
        "no-directory-sync",
        "the name of a new segment is not made durable",
        "node/consensus/journal.py",
        "        self._files.sync_data(self._descriptor)\n"
        "        self._files.sync_directory(self._directory)\n"
        "        self._mark(header.number)\n",
        "        self._files.sync_data(self._descriptor)\n",
    ),
    Mutant(
        "name-error-ignored",
        "a segment whose name may not be durable is used all the same",
        "node/consensus/journal.py",
        "        self._files.sync_data(self._descriptor)\n"
        "        self._files.sync_directory(self._directory)\n"
        "        self._mark(header.number)\n",
        "        self._files.sync_data(self._descriptor)\n"
        "        try:\n"
        "            self._files.sync_directory(self._directory)\n"
        "            self._mark(header.number)\n"
        "        except OSError:\n"
        "            pass\n",
        options=("--faults", "sync-error,restart,kill-leader"),
    ),
    Mutant(
        "last-flush-not-hardened",
        "what a killed process wrote and did not sync counts as durable",
        "node/consensus/journal.py",
        "            self._harden(*recovered.last_flush_at)\n",
        "            pass\n",
        options=("--faults", "bounce,kill,power-loss,restart,power-loss-everywhere,kill-leader"),
    ),
    Mutant(
        "truncation-not-recorded",
        "a cut of the log is made in memory only",
        "node/consensus/journal.py",
        "        self._record(Record(TRUNCATE, index, 0))\n",
        "",
        options=("--faults", "isolate-leader,bounce,kill-leader,restart,reset"),
    ),
    Mutant(
        "segments-removed-too-early",
        "segments go although the base behind them is not durable yet",
        "node/consensus/journal.py",
        "self._segments[0].max_index < self._durable[0]:",
        "self._segments[0].max_index < self.last_index:",
    ),
    Mutant(
        "checksums-not-checked",
        "a record is taken as it stands",
        "node/consensus/journal_record.py",
        "    if google_crc32c.extend(found, payload) != crc:\n        return None\n",
        "    del found, crc\n",
    ),
    Mutant(
        "damage-read-as-torn-tail",
        "a record that cannot be read ends the log, whatever stands behind it",
        "node/consensus/journal_segment.py",
        "            if stored is not None and stored.flush > self._flush:\n",
        "            if stored is not None and stored.flush > self._flush + (1 << 60):\n",
    ),
    Mutant(
        "cut-before-snapshot-is-durable",
        "the log lets go of what the snapshot has not made durable yet",
        "node/assembly.py",
        "        index = checkpoint.log_index\n        term = self.replica.term_at(index)\n",
        "        index = checkpoint.log_index\n        term = self.replica.term_at(index)\n"
        "        self.replica.guard._timing = __import__('dataclasses').replace(\n"
        "            self.replica.guard._timing, margin_bytes=0)\n"
        "        self.replica.snapshot_committed(index)\n",
        options=("--faults", "bounce,power-loss,restart,power-loss-everywhere"),
    ),
    Mutant(
        "torn-tail-kept",
        "what a power loss left of a flush stays in the file, and records follow elsewhere",
        "node/consensus/journal.py",
        "            self._files.truncate(*torn)\n",
        "            pass\n",
        options=("--faults", "power-loss,power-loss-leader,bounce,restart,slow-disk"),
    ),
    Mutant(
        "mark-not-written",
        "nothing says that a segment has begun: losing the newest one goes unnoticed",
        "node/consensus/journal.py",
        "        self._mark(header.number)\n",
        "",
    ),
    Mutant(
        "reset-not-recorded",
        "the journal does not say that a snapshot took the place of its entries",
        "node/consensus/journal.py",
        "        self._record(Record(RESET, index, term))\n",
        "",
    ),
    Mutant(
        "flush-covers-what-came-later",
        "records taken while a flush ran count as durable with it",
        "node/consensus/journal.py",
        "        self.synced_position = flush.position\n",
        "        self.synced_position = self.position\n",
    ),
    Mutant(
        "overwritten-entries-count-as-durable",
        "an entry that replaces a durable one counts as durable at once",
        "node/consensus/journal.py",
        "        self.synced_index = min(self.synced_index, index)\n",
        "",
        options=("--faults", "isolate-leader,isolate,slow-disk,kill-leader,restart"),
    ),
)
