"""The bytes of the kernel's file system protocol (FUSE, major 7), as `linux/fuse.h` lays them out.

Only what a disk in memory needs. Integers are in the machine's own order.
"""

from enum import IntEnum
from struct import Struct
from typing import Final, NamedTuple

from chaos.disks.forgetful_inode import SECTOR_BYTES, Inode

MAJOR: Final = 7
MINOR: Final = 31
WRITE_BYTES_MAX: Final = 1 << 20
REQUEST_BYTES_MAX: Final = WRITE_BYTES_MAX + 8_192
_CACHE_SECONDS: Final = 3_600
"""Nobody changes the disk but its kernel: names and attributes may be remembered."""
_ASYNC_READ: Final = 1 << 0
_BIG_WRITES: Final = 1 << 5
_MAX_PAGES: Final = 1 << 22

_REQUEST: Final = Struct("=IIQQIIIHH")
_REPLY: Final = Struct("=IiQ")
_INIT_IN: Final = Struct("=IIII")
_INIT_OUT: Final = Struct("=IIIIHHIIHHI28x")
_ATTRIBUTES: Final = Struct("=QQQQQQIIIIIIIIII")
_ENTRY: Final = Struct("=QQQQII")
_CACHED: Final = Struct("=QII")
_ENTRY_HEAD: Final = Struct("=QQII")
_STATFS: Final = Struct("=QQQQQIIII24x")
READ_WRITE: Final = Struct("=QQIIQII")
"""file handle, offset, size, flags, lock owner, open flags, padding."""
SET_ATTRIBUTES: Final = Struct("=IIQQQQQQIIIIIIII")
SYNC: Final = Struct("=QII")
MAKE_NODE: Final = Struct("=IIII")
MAKE_FOLDER: Final = Struct("=II")
RENAME: Final = Struct("=Q")
RENAME_FLAGS: Final = Struct("=QII")
LINK: Final = Struct("=Q")
ALLOCATE: Final = Struct("=QQQII")
FORGET: Final = Struct("=Q")
FORGET_MANY: Final = Struct("=II")
FORGET_ONE: Final = Struct("=QQ")
OPENED: Final = Struct("=QII")
WRITTEN: Final = Struct("=II")

SETS_MODE: Final = 1 << 0
SETS_UID: Final = 1 << 1
SETS_GID: Final = 1 << 2
SETS_SIZE: Final = 1 << 3
SETS_MODIFIED: Final = 1 << 5


class Operation(IntEnum):
    """What the kernel asks for; anything else is answered with ENOSYS."""

    LOOKUP = 1
    FORGET = 2
    GETATTR = 3
    SETATTR = 4
    READLINK = 5
    SYMLINK = 6
    MKNOD = 8
    MKDIR = 9
    UNLINK = 10
    RMDIR = 11
    RENAME = 12
    LINK = 13
    READ = 15
    WRITE = 16
    STATFS = 17
    FSYNC = 20
    INIT = 26
    OPENDIR = 27
    READDIR = 28
    RELEASEDIR = 29
    FSYNCDIR = 30
    INTERRUPT = 36
    DESTROY = 38
    BATCH_FORGET = 42
    FALLOCATE = 43
    RENAME2 = 45


UNANSWERED: Final = frozenset({Operation.FORGET, Operation.BATCH_FORGET, Operation.INTERRUPT})


class Request(NamedTuple):
    """One request; `body` is only valid until the next one is read."""

    operation: int
    unique: int
    inode: int
    uid: int
    gid: int
    body: memoryview


def parse(content: memoryview) -> Request:
    """Return the request that fills `content`."""
    _, operation, unique, inode, uid, gid, _, _, _ = _REQUEST.unpack_from(content)
    return Request(operation, unique, inode, uid, gid, content[_REQUEST.size :])


def answer(unique: int, error: int, body: bytes = b"") -> bytes:
    """Return the reply to a request: an error of `errno`, or a body."""
    return _REPLY.pack(_REPLY.size + len(body), -error, unique) + body


def initial(body: memoryview) -> bytes:
    """Return what this side can, in answer to what the kernel can."""
    _, _, read_ahead, offered = _INIT_IN.unpack_from(body)
    flags = offered & (_ASYNC_READ | _BIG_WRITES | _MAX_PAGES)
    pages = WRITE_BYTES_MAX // 4_096
    return _INIT_OUT.pack(MAJOR, MINOR, read_ahead, flags, 64, 48, WRITE_BYTES_MAX, 1, pages, 0, 0)


def names(body: memoryview) -> list[str]:
    """Return the names in a body, each ended by a zero byte."""
    return [name.decode("utf-8", "surrogateescape") for name in bytes(body).split(b"\0")[:-1]]


def entry(inode: Inode) -> bytes:
    """Return a name's inode with its attributes."""
    head = _ENTRY.pack(inode.number, 0, _CACHE_SECONDS, _CACHE_SECONDS, 0, 0)
    return head + _attributes(inode)


def attributes(inode: Inode) -> bytes:
    """Return an inode's attributes."""
    return _CACHED.pack(_CACHE_SECONDS, 0, 0) + _attributes(inode)


def _attributes(inode: Inode) -> bytes:
    size = len(inode.data)
    seconds, nanoseconds = divmod(inode.modified_ns, 1_000_000_000)
    return _ATTRIBUTES.pack(
        inode.number,
        size,
        -(-size // SECTOR_BYTES),
        *(seconds, seconds, seconds),
        *(nanoseconds, nanoseconds, nanoseconds),
        inode.mode,
        inode.links,
        inode.uid,
        inode.gid,
        0,
        4_096,
        0,
    )


def listing_entry(inode: int, offset: int, mode: int, name: str) -> bytes:
    """Return one name of a folder; `offset` is where the next one starts."""
    encoded = name.encode("utf-8", "surrogateescape")
    whole = _ENTRY_HEAD.pack(inode, offset, len(encoded), mode >> 12) + encoded
    return whole.ljust(-(-len(whole) // 8) * 8, b"\0")


def room(capacity_bytes: int, free_bytes: int) -> bytes:
    """Return how large the disk is and how much of it is free, in blocks of 4 KiB."""
    total, free = capacity_bytes // 4_096, free_bytes // 4_096
    return _STATFS.pack(total, free, free, 1 << 20, 1 << 20, 4_096, 255, 4_096, 0)
