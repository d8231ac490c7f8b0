"""Frames of the commands about an owner's accounts, and about what they may do."""

from typing import Final

from librt.strings import write_i32_le, write_i64_le
from mypy_extensions import i32, i64

from node.domain import commands
from node.domain.identifiers import PUBLIC_KEY_SIZE
from node.protocol.lifecycle_frames import LifecycleFrames

AGENT_ENTRIES: Final = 8


class OwnerFrames(LifecycleFrames):
    """Money that moves without a trade, agents, bounds, stops and presence."""

    def subaccount_open(self, account: i64, mode: i64) -> None:
        """Write a SUBACCOUNT_OPEN of the owner's `account`."""
        out = self._begin(commands.SUBACCOUNT_OPEN_SIZE, commands.SUBACCOUNT_OPEN)
        write_i32_le(out, i32(account))
        write_i32_le(out, i32(mode))

    def transfer(self, account: i64, to: i64, amount: i64, number: i64) -> None:
        """Write a TRANSFER of `amount` micro-USDC, the owner's transfer `number`."""
        out = self._begin(commands.TRANSFER_SIZE, commands.TRANSFER)
        write_i32_le(out, i32(account))
        write_i32_le(out, i32(to))
        write_i64_le(out, amount)
        write_i64_le(out, number)

    def withdraw_request(self, account: i64, amount: i64) -> None:
        """Write a WITHDRAW_REQUEST of `amount` micro-USDC."""
        out = self._begin(commands.WITHDRAW_REQUEST_SIZE, commands.WITHDRAW_REQUEST)
        write_i32_le(out, i32(account))
        write_i32_le(out, 0)
        write_i64_le(out, amount)

    def agent_set(
        self,
        account: i64,
        public_key: bytes,
        order_value: i64,
        spend: i64,
        window_ns: i64,
        exposure: i64,
        expiry_ns: i64,
        rate: i64,
        times_in_force: i64,
        allowed: tuple[int, ...],
    ) -> None:
        """Write an AGENT_SET; `allowed` has up to eight entries."""
        assert len(public_key) == PUBLIC_KEY_SIZE
        assert len(allowed) <= AGENT_ENTRIES
        out = self._begin(commands.AGENT_SET_SIZE, commands.AGENT_SET)
        write_i32_le(out, i32(account))
        write_i32_le(out, 0)
        out.write(public_key)
        write_i64_le(out, order_value)
        write_i64_le(out, spend)
        write_i64_le(out, window_ns)
        write_i64_le(out, exposure)
        write_i64_le(out, expiry_ns)
        write_i32_le(out, i32(rate))
        write_i32_le(out, i32(times_in_force))
        for number in range(AGENT_ENTRIES):
            write_i32_le(out, i32(allowed[number]) if number < len(allowed) else 0)

    def agent_revoke(self, account: i64, public_key: bytes) -> None:
        """Write an AGENT_REVOKE."""
        assert len(public_key) == PUBLIC_KEY_SIZE
        out = self._begin(commands.AGENT_REVOKE_SIZE, commands.AGENT_REVOKE)
        write_i32_le(out, i32(account))
        write_i32_le(out, 0)
        out.write(public_key)

    def stop(
        self, kind: i64, account: i64, scope: i64, subject: i64, reason: i64, reference: i64
    ) -> None:
        """Write a STOP or STOP_LIFT."""
        assert commands.STOP <= kind <= commands.STOP_LIFT
        out = self._begin(commands.STOP_SIZE, kind)
        write_i32_le(out, i32(account))
        write_i32_le(out, i32(scope))
        write_i32_le(out, i32(subject))
        write_i32_le(out, i32(reason))
        write_i64_le(out, reference)

    def deadline_set(self, account: i64, deadline_ns: i64) -> None:
        """Write a DEADLINE_SET; 0 takes the deadline back."""
        out = self._begin(commands.DEADLINE_SET_SIZE, commands.DEADLINE_SET)
        write_i32_le(out, i32(account))
        write_i32_le(out, 0)
        write_i64_le(out, deadline_ns)

    def on_disconnect(self, account: i64, scope: i64) -> None:
        """Write an ON_DISCONNECT of the session that sends it."""
        out = self._begin(commands.ON_DISCONNECT_SIZE, commands.ON_DISCONNECT)
        write_i32_le(out, i32(account))
        write_i32_le(out, i32(scope))

    def bounds_set(
        self,
        scope: i64,
        subject: i64,
        reduce_only: i64,
        open_orders: i64,
        positions: i64,
        order_lots: i64,
        order_value: i64,
        position_lots: i64,
    ) -> None:
        """Write a BOUNDS_SET."""
        out = self._begin(commands.BOUNDS_SET_SIZE, commands.BOUNDS_SET)
        write_i32_le(out, i32(scope))
        write_i32_le(out, i32(subject))
        write_i32_le(out, i32(reduce_only))
        write_i32_le(out, i32(open_orders))
        write_i32_le(out, i32(positions))
        write_i32_le(out, 0)
        write_i64_le(out, order_lots)
        write_i64_le(out, order_value)
        write_i64_le(out, position_lots)

    def withdraw_answer(self, kind: i64, withdrawal: i64) -> None:
        """Write a WITHDRAW_CONFIRM or WITHDRAW_REJECT."""
        assert commands.WITHDRAW_CONFIRM <= kind <= commands.WITHDRAW_REJECT
        write_i64_le(self._begin(commands.WITHDRAW_SIZE, kind), withdrawal)
