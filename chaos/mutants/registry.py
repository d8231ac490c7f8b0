"""Every planted bug, by name."""

from typing import Final

from chaos.mutants.accounts import ACCOUNTS
from chaos.mutants.consensus import CONSENSUS
from chaos.mutants.gateway import GATEWAY
from chaos.mutants.journal import JOURNAL
from chaos.mutants.mutant import Mutant
from chaos.mutants.transport import TRANSPORT
from chaos.mutants.venue import VENUE

MUTANTS: Final[dict[str, Mutant]] = {
    mutant.name: mutant
    for mutant in (*CONSENSUS, *JOURNAL, *TRANSPORT, *GATEWAY, *VENUE, *ACCOUNTS)
}
