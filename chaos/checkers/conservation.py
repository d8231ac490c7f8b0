"""Conservation, locks and books of a whole state, by an independent walk over its pages."""

from chaos.checkers.finding import CONSERVED, Findings
from chaos.checkers.log_replay import Pages
from node.audit.canonical import CanonicalStateError, read_state
from node.audit.conservation import check_conservation


def check_state(pages: Pages, where: str, findings: Findings) -> None:
    """Add to `findings` every contradiction in the state that `pages` (key order) encode.

    `where` says whose state it is, for people. The state counts as looked at when it can be read.
    """
    try:
        state = read_state(pages)
    except CanonicalStateError as error:
        findings.add(CONSERVED, f"{where}: {error}")
        return
    findings.saw("states conserved")
    findings.saw("orders in them", len(state.orders))
    findings.saw("accounts in them", len(state.accounts))
    for what in check_conservation(state).findings:
        findings.add(CONSERVED, f"{where}: {what}")
