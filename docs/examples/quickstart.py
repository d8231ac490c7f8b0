from secrets import token_bytes

from client import Client, SyncClient
from node.domain.terms import Intent

with SyncClient(Client.local) as venue:  # with the operator's key in ./.quorumbook
    event = venue.admin.create_event("Weather", exclusive=False).result
    market = venue.admin.create_market(event, "Rain tomorrow").result
    venue.admin.open_market(market)
    account = venue.admin.open_account(address=token_bytes(20), public_key=token_bytes(32)).result
    venue.admin.deposit(account, 100_000_000, venue.queries.treasury().deposit_cursor + 1)
    order = venue.orders.place(market, Intent.BUY_YES, price=4_000, lots=500, account=account)
    print(f"order {order.result} at log index {order.log_index}:", venue.queries.depth(market).bids)
