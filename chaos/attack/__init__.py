"""Attacks: what strangers, broken peers and damaged disks may say, and what must not come of it.

`fuzz` feeds decoders bytes that nobody sends, `authentication` tries to get in without the right,
`overload` crowds the door. Everything stays on the loopback interface and ends by itself.
"""
