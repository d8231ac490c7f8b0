"""The kernel's requests, carried out on files that forget, with the faults of the moment."""

import errno
import stat
from collections.abc import Callable
from typing import Final

from chaos.disks import kernel_wire as wire
from chaos.disks.disk_faults import DiskCounters, DiskFaults, concerns
from chaos.disks.forgetful_files import BLOCK_BYTES, DiskError, ForgetfulFiles
from chaos.disks.forgetful_inode import Inode
from chaos.disks.kernel_wire import Operation, Request

_KEEP_SIZE: Final = 1
_NO_REPLACE: Final = 1


class KernelRequests:
    """Answers one connection of the kernel. Whoever holds it closes the connection."""

    def __init__(self, files: ForgetfulFiles, counters: DiskCounters) -> None:
        """Serve `files` and count into `counters`."""
        self._files = files
        self._counters = counters
        self.faults = DiskFaults()
        self.powered = True
        """Without power every request fails with EIO."""
        self._listings: dict[int, list[bytes]] = {}
        self._next_listing = 1
        self._handlers: dict[int, Callable[[Request], bytes]] = {
            Operation.LOOKUP: self._look_up,
            Operation.FORGET: self._forget,
            Operation.GETATTR: lambda request: wire.attributes(files.get(request.inode)),
            Operation.SETATTR: self._set_attributes,
            Operation.READLINK: lambda request: bytes(files.get(request.inode).data),
            Operation.SYMLINK: self._make_link,
            Operation.MKNOD: self._make_node,
            Operation.MKDIR: self._make_folder,
            Operation.UNLINK: self._unlink,
            Operation.RMDIR: self._remove_folder,
            Operation.RENAME: self._rename,
            Operation.LINK: self._link,
            Operation.READ: self._read,
            Operation.WRITE: self._write,
            Operation.STATFS: self._room,
            Operation.FSYNC: self._sync,
            Operation.INIT: lambda request: wire.initial(request.body),
            Operation.OPENDIR: self._open_folder,
            Operation.READDIR: self._read_folder,
            Operation.RELEASEDIR: self._release_folder,
            Operation.FSYNCDIR: self._sync,
            Operation.INTERRUPT: lambda _: b"",
            Operation.DESTROY: lambda _: b"",
            Operation.BATCH_FORGET: self._forget_many,
            Operation.FALLOCATE: self._allocate,
            Operation.RENAME2: self._rename,
        }

    def serve(self, request: Request) -> bytes:
        """Carry out a request and return the reply; b"" for one that gets none."""
        if request.operation in wire.UNANSWERED:
            self._handlers[request.operation](request)
            return b""
        if not self.powered and request.operation != Operation.INIT:
            return wire.answer(request.unique, errno.EIO)
        handler = self._handlers.get(request.operation)
        if handler is None:
            return wire.answer(request.unique, errno.ENOSYS)
        try:
            return wire.answer(request.unique, 0, handler(request))
        except DiskError as error:
            return wire.answer(request.unique, error.number)

    def delay_ms(self, request: Request) -> float:
        """Return how long the request has to wait before it is carried out."""
        faults = self.faults
        if not faults.delay_ms or request.operation not in {Operation.FSYNC, Operation.FSYNCDIR}:
            return 0.0
        return faults.delay_ms if self._concerned(faults.slow, request.inode) else 0.0

    def _concerned(self, pattern: str, number: int) -> bool:
        return concerns(pattern, self._files.path(self._files.get(number)))

    # Names.

    def _entry(self, inode: Inode) -> bytes:
        inode.lookups += 1
        return wire.entry(inode)

    def _look_up(self, request: Request) -> bytes:
        (name,) = wire.names(request.body)
        return self._entry(self._files.look_up(request.inode, name))

    def _forget(self, request: Request) -> bytes:
        (lookups,) = wire.FORGET.unpack_from(request.body)
        self._files.forget(request.inode, lookups)
        return b""

    def _forget_many(self, request: Request) -> bytes:
        count, _ = wire.FORGET_MANY.unpack_from(request.body)
        for place in range(count):
            offset = wire.FORGET_MANY.size + place * wire.FORGET_ONE.size
            self._files.forget(*wire.FORGET_ONE.unpack_from(request.body, offset))
        return b""

    def _make(self, request: Request, name: str, mode: int) -> Inode:
        return self._files.make(request.inode, name, mode, request.uid, request.gid)

    def _make_node(self, request: Request) -> bytes:
        mode = wire.MAKE_NODE.unpack_from(request.body)[0]
        (name,) = wire.names(request.body[wire.MAKE_NODE.size :])
        return self._entry(self._make(request, name, mode))

    def _make_folder(self, request: Request) -> bytes:
        mode = wire.MAKE_FOLDER.unpack_from(request.body)[0]
        (name,) = wire.names(request.body[wire.MAKE_FOLDER.size :])
        return self._entry(self._make(request, name, stat.S_IFDIR | mode))

    def _make_link(self, request: Request) -> bytes:
        name, target = wire.names(request.body)
        inode = self._make(request, name, stat.S_IFLNK | 0o777)
        inode.write(0, target.encode("utf-8", "surrogateescape"))
        inode.sync()  # Its target is a part of its name.
        return self._entry(inode)

    def _link(self, request: Request) -> bytes:
        (number,) = wire.LINK.unpack_from(request.body)
        (name,) = wire.names(request.body[wire.LINK.size :])
        return self._entry(self._files.link(number, request.inode, name))

    def _unlink(self, request: Request) -> bytes:
        (name,) = wire.names(request.body)
        self._files.unlink(request.inode, name)
        return b""

    def _remove_folder(self, request: Request) -> bytes:
        (name,) = wire.names(request.body)
        self._files.remove_folder(request.inode, name)
        return b""

    def _rename(self, request: Request) -> bytes:
        flags, size = 0, wire.RENAME.size
        (folder,) = wire.RENAME.unpack_from(request.body)
        if request.operation == Operation.RENAME2:
            folder, flags, _ = wire.RENAME_FLAGS.unpack_from(request.body)
            size = wire.RENAME_FLAGS.size
        old, new = wire.names(request.body[size:])
        if flags & ~_NO_REPLACE:
            raise DiskError(errno.EINVAL)
        if flags and new in self._files.get(folder).names:
            raise DiskError(errno.EEXIST)
        self._files.rename(request.inode, old, folder, new)
        return b""

    def _open_folder(self, request: Request) -> bytes:
        folder = self._files.get(request.inode)
        number = self._next_listing
        self._next_listing += 1
        found = [(".", folder), ("..", self._files.get(folder.parent or folder.number))]
        found += [(name, self._files.get(inode)) for name, inode in sorted(folder.names.items())]
        self._listings[number] = [
            wire.listing_entry(inode.number, place, inode.mode, name)
            for place, (name, inode) in enumerate(found, start=1)
        ]
        return wire.OPENED.pack(number, 0, 0)

    def _read_folder(self, request: Request) -> bytes:
        number, offset, size, *_ = wire.READ_WRITE.unpack_from(request.body)
        page = b""
        for entry in self._listings[number][offset:]:
            if len(page) + len(entry) > size:
                break
            page += entry
        return page

    def _release_folder(self, request: Request) -> bytes:
        self._listings.pop(wire.SYNC.unpack_from(request.body)[0], None)
        return b""

    # Bytes and attributes.

    def _set_attributes(self, request: Request) -> bytes:
        valid, _, _, size, _, _, modified, _, _, modified_ns, _, mode, _, uid, gid, _ = (
            wire.SET_ATTRIBUTES.unpack_from(request.body)
        )
        inode = self._files.get(request.inode)
        if valid & wire.SETS_SIZE:
            self._files.resize(request.inode, size)
        if valid & wire.SETS_MODE:
            inode.mode = stat.S_IFMT(inode.mode) | stat.S_IMODE(mode)
        if valid & wire.SETS_UID:
            inode.uid = uid
        if valid & wire.SETS_GID:
            inode.gid = gid
        if valid & wire.SETS_MODIFIED:
            inode.modified_ns = modified * 1_000_000_000 + modified_ns
        return wire.attributes(inode)

    def _read(self, request: Request) -> bytes:
        _, offset, size, *_ = wire.READ_WRITE.unpack_from(request.body)
        return bytes(self._files.get(request.inode).data[offset : offset + size])

    def _write(self, request: Request) -> bytes:
        _, offset, size, *_ = wire.READ_WRITE.unpack_from(request.body)
        faults, counters = self.faults, self._counters
        if faults.write_errno and self._concerned(faults.failing, request.inode):
            counters.writes_refused += 1
            raise DiskError(faults.write_errno)
        content = request.body[wire.READ_WRITE.size : wire.READ_WRITE.size + size]
        try:
            written = self._files.write(request.inode, offset, content)
        except DiskError:
            counters.writes_refused += 1
            raise
        counters.writes += 1
        counters.written_bytes += written
        return wire.WRITTEN.pack(written, 0)

    def _sync(self, request: Request) -> bytes:
        faults, counters = self.faults, self._counters
        inode = self._files.get(request.inode)
        if self._concerned(faults.ignored, request.inode):
            counters.syncs_ignored += 1
            return b""
        if faults.fsync_errno and self._concerned(faults.failing, request.inode):
            counters.syncs_failed += 1
            inode.fail_sync()
            raise DiskError(faults.fsync_errno)
        counters.syncs += 1
        if inode.is_folder:
            self._files.sync_names(request.inode)
        else:
            inode.sync()
        return b""

    def _allocate(self, request: Request) -> bytes:
        _, offset, length, mode, _ = wire.ALLOCATE.unpack_from(request.body)
        inode = self._files.get(request.inode)
        if mode & ~_KEEP_SIZE:
            raise DiskError(errno.EOPNOTSUPP)
        size = len(inode.data)
        self._files.resize(request.inode, max(size, offset + length))
        if mode & _KEEP_SIZE:
            self._files.resize(request.inode, size)  # There was room: that is what is promised.
        return b""

    def _room(self, request: Request) -> bytes:
        del request
        files = self._files
        used = files.used_bytes // BLOCK_BYTES * BLOCK_BYTES
        return wire.room(files.capacity_bytes, max(0, files.capacity_bytes - used))
