# SPDX-License-Identifier: BSD-2-Clause
"""Stops one thread of a process, as if it were stuck: by ptrace, since SIGSTOP stops them all."""

import contextlib
import ctypes
import os

PTRACE_SEIZE, PTRACE_INTERRUPT, PTRACE_DETACH = 0x4206, 0x4207, 17
WALL = 0x40000000

_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
_libc.ptrace.restype = ctypes.c_long


def _ptrace(request, thread):
    if _libc.ptrace(request, thread, None, None) != 0:
        errno = ctypes.get_errno()
        raise OSError(errno, os.strerror(errno), f"ptrace {request:#x}")


def threads(process):
    """Thread id to name."""
    names = {}
    for task in os.listdir(f"/proc/{process}/task"):
        with open(f"/proc/{process}/task/{task}/comm", encoding="ascii") as file:
            names[int(task)] = file.read().strip()
    return names


@contextlib.contextmanager
def stuck(process, thread):
    """Only the calling thread may leave the block again."""
    _ptrace(PTRACE_SEIZE, thread)
    try:
        _ptrace(PTRACE_INTERRUPT, thread)
        os.waitpid(thread, WALL)
        yield
    finally:
        try:
            _ptrace(PTRACE_DETACH, thread)
        except OSError:  # killed meanwhile: no process ends before its tracer knows of its threads
            with contextlib.suppress(ChildProcessError):
                if thread != process:
                    os.waitpid(thread, WALL)
