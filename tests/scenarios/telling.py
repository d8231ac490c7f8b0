"""What happened, in the words of a transcript."""

from collections.abc import Mapping

from node.domain.codes import Code
from node.domain.terms import CloseReason, Liquidity, MatchKind, OrderGroupState, WithdrawalState
from tests.naive_records import Fact, Fill
from tests.scenarios.amounts import price, seconds, shares, usdc
from tests.venue_driver import Applied, Reply

VERBS = {
    MatchKind.TRANSFER: "filled {} from {}",
    MatchKind.MINT: "minted {} with {}",
    MatchKind.MERGE: "merged {} with {}",
}


class Telling:
    """Turns the events of one group into phrases, as seen by the account that spoke."""

    def __init__(self, names: Mapping[int, str], speaker: int, applied: Applied) -> None:
        """Tell `applied` to account `speaker`, 0 for nobody in particular."""
        self.names = names
        self.speaker = speaker
        self.facts = applied.facts
        self.fills = {fill.fill_id: fill for fill in applied.fills}

    def outcome(self, reply: Reply) -> str:
        """Return what one command alone came to."""
        if reply.code != Code.OK:
            code = reply.code.name
            if reply.code in (Code.RATE_EXCEEDED, Code.AGENT_RATE_EXCEEDED):
                code += f" for {seconds(reply.result)}"
            elif reply.result:
                code += f" in leg {reply.result}"
            return ", ".join([f"rejected {code}", *self.phrases()])
        return ", ".join(self.phrases()) or "ok"

    def phrases(self) -> list[str]:
        """Return a phrase for each fact; a maker's fill is told with its taker's."""
        return [phrase for fact in self.facts if (phrase := self.phrase(fact))]

    def phrase(self, fact: Fact) -> str:
        """Return the phrase for one fact."""
        if fact.what == "filled":
            fill = self.fills[fact.fill_id]
            if fact.detail == Liquidity.MAKER or fact.order_id == fill.maker_order_id:
                return ""
            return self.filled(fact, fill)
        return self.whose(fact) + str(getattr(self, fact.what)(fact))

    def whose(self, fact: Fact) -> str:
        """Return the owner's name unless it is the speaker."""
        return "" if fact.account == self.speaker else self.names[fact.account] + " "

    def filled(self, fact: Fact, fill: Fill) -> str:
        """Tell a fill and its fees, from the taker's side, at the taker's price."""
        maker = next(
            other
            for other in self.facts
            if other.what == "filled"
            and other.fill_id == fact.fill_id
            and other.order_id == fill.maker_order_id
        )
        text = VERBS[fill.kind].format(shares(fact.lots), self.names[maker.account])
        text = f"{self.whose(fact)}{text} @ {price(fact.price)}"
        if fact.fee:
            text += f" fee {usdc(fact.fee)}"
        if maker.fee:
            text += f" maker fee {usdc(maker.fee)}"
        return text

    def rested(self, fact: Fact) -> str:
        """Tell what joined the book; how much, if that is not all."""
        filled = any(fact.order_id == fill.taker_order_id for fill in self.fills.values())
        return f"rested {shares(fact.leaves)}" if filled else "rested"

    def reduced(self, fact: Fact) -> str:
        """Tell what is left of an order."""
        return f"reduced to {shares(fact.leaves)}"

    def amended(self, fact: Fact) -> str:
        """Tell an order's new price and whole size, and whether it has given up its place."""
        place = "in its place" if fact.detail else "as the newest"
        return f"amended to {shares(fact.lots)} @ {price(fact.price)} {place}"

    def closed(self, fact: Fact) -> str:
        """Tell why an order is over, and with how much unfilled."""
        return f"cancelled {shares(fact.leaves)} {CloseReason(fact.detail).name}"

    def deposited(self, fact: Fact) -> str:
        """Tell a credit."""
        return f"credited {usdc(fact.lots)}"

    def sets(self, fact: Fact) -> str:
        """Tell a split or a merge on request."""
        return f"split {shares(fact.lots)}" if fact.lots > 0 else f"merged {shares(-fact.lots)}"

    def received(self, fact: Fact) -> str:
        """Tell a maker's share of its taker's fee, or what the fee account is given."""
        return f"{'rebate' if fact.order_id else 'fees'} {usdc(fact.fee)}"

    def converted(self, fact: Fact) -> str:
        """Tell a conversion, and the cash that came."""
        return f"converted {shares(fact.lots)} for {usdc(fact.fee)}"

    def outcomes(self, fact: Fact) -> str:
        """Tell a merge of all outcomes."""
        return f"merged {shares(fact.lots)} of every outcome"

    def redeemed(self, fact: Fact) -> str:
        """Tell a payout."""
        return f"redeemed {usdc(fact.fee)}"

    def group(self, fact: Fact) -> str:
        """Tell what a group of orders is now, and how much of its limit is filled."""
        state = OrderGroupState(fact.detail).name.lower()
        return f"group {fact.order_id} {state} {shares(fact.leaves)} of {shares(fact.lots)}"

    def transferred(self, fact: Fact) -> str:
        """Tell one end of a transfer."""
        word = "to" if fact.lots < 0 else "from"
        return f"transferred {usdc(fact.lots)} {word} {self.names[fact.order_id]}"

    def withdrawal(self, fact: Fact) -> str:
        """Tell what became of a request to withdraw."""
        if fact.detail == WithdrawalState.REQUESTED:
            return f"asked to withdraw {usdc(fact.lots)} as {fact.order_id}"
        verb = "withdrew" if fact.detail == WithdrawalState.CONFIRMED else "did not withdraw"
        return f"{verb} {usdc(fact.lots)}"
