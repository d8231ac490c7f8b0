"""A disk whose syncs take as long as one likes, for real processes: a library loaded before libc.

`fsync` and `fdatasync` of a node that was started under `preloaded` sleep first, for as long as its
control file says at that moment. No root is needed, only a C compiler.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_SOURCE: Final = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static volatile int32_t *delay_us;

__attribute__((constructor)) static void look(void) {
    const char *path = getenv("QUORUMBOOK_SLOW_SYNC");
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0) return;
    void *page = mmap(NULL, 4, PROT_READ, MAP_SHARED, file, 0);
    close(file);
    if (page != MAP_FAILED) delay_us = page;
}

static int slowly(const char *name, int file) {
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
    int32_t wait = delay_us ? *delay_us : 0;
    if (wait > 0) usleep(wait);
    return real(file);
}

int fsync(int file) { return slowly("fsync", file); }
int fdatasync(int file) { return slowly("fdatasync", file); }
"""
_CONTROL: Final = "QUORUMBOOK_SLOW_SYNC"
_PRELOAD: Final = "LD_PRELOAD"


class NoCompilerError(Exception):
    """There is no C compiler, and so no slow disk."""


class SlowDisk:
    """The disk of one node."""

    def __init__(self, folder: Path, library: Path, node: int) -> None:
        """Keep the node's control file in `folder`; syncs are not delayed yet."""
        self._library = library
        self._control = folder / f"sync-delay-{node}"
        self.delay(0)

    def delay(self, ms: float) -> None:
        """Make every sync from now on take `ms` longer; 0 makes it as fast as it is."""
        if not self._control.exists():
            self._control.write_bytes(bytes(4))
        with self._control.open("r+b") as file:  # In place: running nodes have the file mapped.
            file.write(int(ms * 1_000).to_bytes(4, "little"))

    @contextmanager
    def preloaded(self) -> Iterator[None]:
        """Have processes that are started meanwhile use this disk."""
        before = {name: os.environ.get(name) for name in (_CONTROL, _PRELOAD)}
        os.environ[_CONTROL] = str(self._control)
        os.environ[_PRELOAD] = str(self._library)
        try:
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value


def build_library(folder: Path) -> Path:
    """Compile the library into `folder`. Raises NoCompilerError."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        raise NoCompilerError("there is no C compiler (cc or gcc) to make a slow disk with")
    source, library = folder / "slow_sync.c", folder / "slow_sync.so"
    source.write_text(_SOURCE)
    command = [compiler, "-shared", "-fPIC", "-O1", "-o", str(library), str(source), "-ldl"]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    if made.returncode:
        raise NoCompilerError(f"{compiler} cannot compile a library: {made.stderr.strip()}")
    return library
