"""The system-call filter: what no cell needs is refused in the kernel, before any of its code sees the arguments."""

import ctypes
import errno
import struct

from .calls import ABSENT, ATTRIBUTES, LAST_KNOWN, METADATA, OF_OTHERS, REFUSED
from .kernel import MACHINE, PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, check, libc, prctl

_AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN, _AND = 0x20, 0x15, 0x35, 0x45, 0x06, 0x54
_NR, _ARCH = 0, 4
_SECCOMP_MODE_FILTER = 2
#: CLONE_NEW* flags of clone(2).
_NEW_NAMESPACES = 0x7E020000
#: MAP_SHARED | MAP_ANONYMOUS: memory outside of every limit. MAP_GROWSDOWN: counted as stack, of any size.
_SHARED_ANONYMOUS, _GROWS_DOWN = 0x21, 0x100
#: Calls whose arguments are looked at, on (x86_64, aarch64).
_MMAP, _FCNTL, _IOCTL, _CLONE = (9, 222), (72, 25), (16, 29), (56, 220)
_KILL_CALL, _PRLIMIT = (62, 129), (302, 261)
_SENDTO, _SETSOCKOPT, _SOCKETPAIR = (44, 206), (54, 208), (53, 199)
#: PR_SET_DUMPABLE of prctl(2): a process that is not lets none count its memory and descriptors.
_PRCTL, _DUMPABLE = (157, 167), 4

#: Commands of fcntl(2) that stay: duplicates, flags, locks and questions. Refused are leases and notices (a lease on a
#: file of the host makes the host wait), owners and signals (they reach other processes), sizes of pipes (memory), and
#: hints on files.
FCNTL = (
    # F_DUPFD … F_SETLKW, F_GETOWN, F_GETSIG, F_GETOWN_EX
    *(0, 1, 2, 3, 4, 5, 6, 7, 9, 11, 16),
    # F_OFD_GETLK, F_OFD_SETLK, F_OFD_SETLKW
    *(36, 37, 38),
    # leases, duplicates, pipes, seals, hints: questions; F_ADD_SEALS
    *(1025, 1027, 1028, 1030, 1032, 1033, 1034, 1035, 1037),
)
#: Commands of ioctl(2) that stay: bytes to be read or sent, blocking, inheritance, shared blocks, flags of a file (to
#: read). Others would reach file systems and devices of the host; files that are not terminals answer ENOTTY.
IOCTL = (
    # FIONREAD, SIOCOUTQ, FIONBIO, FIONCLEX, FIOCLEX, FIOQSIZE
    *(0x541B, 0x5411, 0x5421, 0x5450, 0x5451, 0x5460),
    # FICLONE(RANGE), FS_IOC_GETFLAGS, FS_IOC_FSGETXATTR, FIEMAP
    *(0x40049409, 0x4020940D, 0x80086601, 0x801C581F, 0xC020660B),
)
#: Options of sockets that stay: timeouts, least to read, reuse, keep-alive, linger. Sizes of buffers would be memory
#: that nothing counts; the sender's credentials give a socket an address.
SOCKET_OPTIONS = (2, 9, 13, 18, 20, 21, 66, 67)
#: SOCK_STREAM and SOCK_SEQPACKET: sockets that reach their other end only. A datagram socket could name any other.
_PAIRS, _TYPE_BITS, _UNIX = (1, 5), 0xF, 1


def _op(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, value & 0xFFFFFFFF)


def _argument(index: int) -> bytes:
    """Loads the lower half of an argument: the kernel's types of the arguments compared here have 32 bits at most."""
    return _op(_LOAD, 16 + 8 * index)


def _error(number: int) -> bytes:
    return _op(_RETURN, _ERRNO | number)


_REFUSE, _PASS = _error(errno.EPERM), _op(_RETURN, _ALLOW)


def _one_of(values: "tuple[int, ...]", hit: bytes, miss: bytes) -> "list[bytes]":
    """Ends with `hit` when the loaded value is among `values`, with `miss` otherwise."""
    count = len(values)
    return [*(_op(_EQUAL, value, count - at) for at, value in enumerate(values)), miss, hit]


def _of(number: int, body: "list[bytes]") -> "list[bytes]":
    """`body`, which ends with a return, for that call."""
    return [_op(_EQUAL, number, 0, len(body)), *body]


def _by_arguments(index: int) -> "list[bytes]":
    """The calls whose arguments decide. They come first: the kernel remembers the other ones that are allowed."""
    unknown = _error(errno.ENOTTY)
    mapping = [
        _argument(3),
        _op(_ANY_BIT, _GROWS_DOWN, 3, 0),
        _op(_AND, _SHARED_ANONYMOUS),
        *_one_of((_SHARED_ANONYMOUS,), _REFUSE, _PASS),
    ]
    lower, upper = _op(_LOAD, 16 + 8 * 4), _op(_LOAD, 16 + 8 * 4 + 4)
    named = [lower, _op(_EQUAL, 0, 0, 2), upper, _op(_EQUAL, 0, 1, 0), _REFUSE, _PASS]
    pair = [_argument(0), _op(_EQUAL, _UNIX, 1, 0), _REFUSE, _argument(1), _op(_AND, _TYPE_BITS)]
    return [
        *_of(_MMAP[index], mapping),
        *_of(_FCNTL[index], [_argument(1), *_one_of(FCNTL, _PASS, _REFUSE)]),
        *_of(_IOCTL[index], [_argument(1), *_one_of(IOCTL, _PASS, unknown)]),
        *_of(_CLONE[index], [_argument(0), _op(_ANY_BIT, _NEW_NAMESPACES, 0, 1), _REFUSE, _PASS]),
        # a message to a named socket
        *_of(_SENDTO[index], named),
        *_of(_SOCKETPAIR[index], [*pair, *_one_of(_PAIRS, _PASS, _REFUSE)]),
        *_of(_SETSOCKOPT[index], [_argument(2), *_one_of(SOCKET_OPTIONS, _PASS, _REFUSE)]),
        *_of(_PRCTL[index], [_argument(0), *_one_of((_DUMPABLE,), _REFUSE, _PASS)]),
        # kill(-1): everything at once would take the snapshots with it
        *_of(_KILL_CALL[index], [_argument(0), *_one_of((-1,), _REFUSE, _PASS)]),
    ]


def _of_others(index: int, namespaces: bool) -> "list[bytes]":
    """Limits and priorities of other processes."""
    if namespaces:
        # The limits of pid 1: the kernel ends a supervisor whose processor time is up.
        return _of(_PRLIMIT[index], [_argument(0), *_one_of((1,), _REFUSE, _PASS)])
    program: "list[bytes]" = []
    for numbers, which in OF_OTHERS.values():
        number = numbers[index]
        if number is not None:
            program += _of(number, [_argument(which), *_one_of((0,), _PASS, _REFUSE)])
    return program


def assemble(machine: str = MACHINE, *, namespaces: bool = True) -> bytes:
    """The filter as BPF instructions for `machine`. Without `namespaces` cells share mounts and pids with the host."""
    index = list(_AUDIT_ARCH).index(machine)
    program = [
        _op(_LOAD, _ARCH),
        _op(_EQUAL, _AUDIT_ARCH[machine], 1, 0),
        _op(_RETURN, _KILL),
        _op(_LOAD, _NR),
        # Calls that have not been looked at; on x86_64 also the x32 table, which starts at 0x40000000.
        _op(_AT_LEAST, LAST_KNOWN + 1, 0, 1),
        _error(errno.ENOSYS),
        *_by_arguments(index),
        *_of_others(index, namespaces),
    ]
    lists = [(REFUSED, errno.EPERM), (ABSENT, errno.ENOSYS), (ATTRIBUTES, errno.EOPNOTSUPP)]
    if not namespaces:
        lists.append((METADATA, errno.EPERM))
    for calls, code in lists:
        for numbers in calls.values():
            number = numbers[index]
            if number is not None:
                program += _of(number, [_error(code)])
    program.append(_PASS)
    return b"".join(program)


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]


def restrict(program: bytes) -> None:
    """Lays the filter on this process and everything it will start. It cannot be taken off."""
    buffer = ctypes.create_string_buffer(program, len(program))
    header = _Program(len(program) // 8, ctypes.addressof(buffer))
    prctl(PR_SET_NO_NEW_PRIVS, 1, "no_new_privs")
    check(libc.prctl(PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(header), 0, 0), "seccomp")
