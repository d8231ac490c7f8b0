"""What can go wrong for a client. "Rejected" is an answer.

"unknown" is the lack of one, and never means "no".
"""

from node.domain.codes import Code
from node.protocol.refusals import Refusal


class ClientError(Exception):
    """Anything that the client raises."""


class KeyFileError(ClientError):
    """A key file cannot be used."""


class NotConnectedError(ClientError):
    """No node could be reached, or none that leads, before the deadline."""


class LoginRefusedError(ClientError):
    """A node refused the login for a reason that trying again will not change."""

    def __init__(self, reason: Refusal, detail: int) -> None:
        """Keep the reason."""
        super().__init__(f"login refused: {reason.name} (detail {detail})")
        self.reason = reason
        self.detail = detail


class RejectedError(ClientError):
    """The venue executed the command to a rejection: it changed nothing, and that is final."""

    def __init__(self, code: Code, sequence: int, log_index: int, result: int = 0) -> None:
        """Keep the code and where in the log it was given.

        `result` is the reply's: how many ns to wait for a rate, or the leg of a quote, from 1.
        """
        super().__init__(f"rejected: {code.name} (sequence {sequence}, log index {log_index})")
        self.code = code
        self.sequence = sequence
        self.log_index = log_index
        self.result = result


class OutcomeUnknownError(ClientError):
    """No reply came in time: the command may have been executed, may still be, or may never be.

    The session goes on asking for the reply; `sequence` names the command. Query the order by its
    client order id, or wait for the execution stream, to find out.
    """

    def __init__(self, sequence: int, reason: str) -> None:
        """Keep the sequence."""
        super().__init__(f"outcome of sequence {sequence} unknown: {reason}")
        self.sequence = sequence


class SessionLostError(OutcomeUnknownError):
    """The session is gone from the cluster.

    With it the replies to what was not acknowledged.
    """


class QueryRefusedError(ClientError):
    """A query was not answered."""

    def __init__(self, reason: Refusal, detail: int) -> None:
        """Keep the reason."""
        super().__init__(f"query refused: {reason.name} (detail {detail})")
        self.reason = reason
        self.detail = detail


class SubscriptionRefusedError(ClientError):
    """A subscription was not taken, or could not be resumed without a gap."""

    def __init__(self, reason: Refusal, detail: int) -> None:
        """Keep the reason; for TOO_OLD `detail` is the oldest log index that is still held."""
        super().__init__(f"subscription refused: {reason.name} (detail {detail})")
        self.reason = reason
        self.detail = detail
