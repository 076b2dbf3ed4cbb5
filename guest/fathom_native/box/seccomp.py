"""The system-call filter: what no cell needs is refused in the kernel, before any of its code sees the arguments."""

import ctypes
import errno
import struct

from .kernel import MACHINE, PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, check, libc, prctl

_AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN, _AND = 0x20, 0x15, 0x35, 0x45, 0x06, 0x54
_NR, _ARCH, _ARG0, _ARG3 = 0, 4, 16, 40
_SECCOMP_MODE_FILTER = 2
#: CLONE_NEW* flags of clone(2).
_NEW_NAMESPACES = 0x7E020000
#: The newest call looked at. Later ones do not exist for cells until somebody has thought about them.
_LAST_KNOWN = 466

#: Refused calls: name -> (x86_64, aarch64); None where the machine has no such call.
DENIED: "dict[str, tuple[int | None, int | None]]" = {
    # other processes' memory, state and descriptors
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "process_madvise": (440, 440),
    "process_mrelease": (448, 448),
    "kcmp": (312, 272),
    "pidfd_getfd": (438, 438),
    "pidfd_send_signal": (424, 424),
    "migrate_pages": (256, 238),
    "move_pages": (279, 239),
    # mounts, namespaces, roots
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "unshare": (272, 97),
    "setns": (308, 268),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "acct": (163, 89),
    # sockets: none at all. socketpair(2) stays: asyncio needs it and it leads nowhere
    "socket": (41, 198),
    "connect": (42, 203),
    "accept": (43, 202),
    "accept4": (288, 242),
    "bind": (49, 200),
    "listen": (50, 201),
    # kernel interfaces with a large attack surface
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "fanotify_init": (300, 262),
    "fanotify_mark": (301, 263),
    "lookup_dcookie": (212, 18),
    "vmsplice": (278, 75),
    "memfd_secret": (447, 447),
    # memory that no limit counts: only mappings that RLIMIT_DATA or the tmpfs quota see are allowed, and no System V
    # semaphores and messages, of which the kernel would hold gigabytes (POSIX ones lie in /dev/shm)
    "memfd_create": (319, 279),
    "shmget": (29, 194),
    "semget": (64, 190),
    "msgget": (68, 186),
    "remap_file_pages": (216, 234),
    "modify_ldt": (154, None),
    "personality": (135, 92),
    # the machine itself
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "reboot": (169, 142),
    "sethostname": (170, 161),
    "setdomainname": (171, 162),
    "settimeofday": (164, 170),
    "clock_settime": (227, 112),
    "adjtimex": (159, 171),
    "clock_adjtime": (305, 266),
    "syslog": (103, 116),
    "vhangup": (153, 58),
    "iopl": (172, None),
    "ioperm": (173, None),
    "uselib": (134, None),
    "ustat": (136, None),
    "sysfs": (139, None),
    "nfsservctl": (180, 42),
}
_CLONE = {"x86_64": 56, "aarch64": 220}
_CLONE3 = 435
_KILL_CALL = {"x86_64": 62, "aarch64": 129}
_PRLIMIT = {"x86_64": 302, "aarch64": 261}
_MMAP = {"x86_64": 9, "aarch64": 222}
#: MAP_SHARED | MAP_ANONYMOUS: memory outside of every limit. MAP_GROWSDOWN: counted as stack, of any size.
_SHARED_ANONYMOUS, _GROWS_DOWN = 0x21, 0x100


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]


def _op(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, value & 0xFFFFFFFF)


def assemble(machine: str = MACHINE) -> bytes:
    """The filter as BPF instructions for that machine."""
    index = list(_AUDIT_ARCH).index(machine)
    refuse = _op(_RETURN, _ERRNO | errno.EPERM)
    absent = _op(_RETURN, _ERRNO | errno.ENOSYS)
    program = [
        _op(_LOAD, _ARCH),
        _op(_EQUAL, _AUDIT_ARCH[machine], 1, 0),
        _op(_RETURN, _KILL),
        _op(_LOAD, _NR),
        # Calls nobody has looked at; on x86_64 also the x32 table, which starts at 0x40000000.
        _op(_AT_LEAST, _LAST_KNOWN + 1, 0, 1),
        absent,
        # clone3's flags lie in memory, where a filter cannot see them; the C library falls back to clone.
        _op(_EQUAL, _CLONE3, 0, 1),
        absent,
    ]
    for numbers in DENIED.values():
        number = numbers[index]
        if number is not None:
            program += [_op(_EQUAL, number, 0, 1), refuse]
    program += [
        _op(_EQUAL, _CLONE[machine], 0, 4),
        _op(_LOAD, _ARG0),
        _op(_ANY_BIT, _NEW_NAMESPACES, 0, 1),
        refuse,
        _op(_RETURN, _ALLOW),
        _op(_EQUAL, _MMAP[machine], 0, 7),
        _op(_LOAD, _ARG3),
        _op(_ANY_BIT, _GROWS_DOWN, 0, 1),
        refuse,
        _op(_AND, _SHARED_ANONYMOUS),
        _op(_EQUAL, _SHARED_ANONYMOUS, 0, 1),
        refuse,
        _op(_RETURN, _ALLOW),
        # kill(-1): everything at once would take the snapshots with it.
        _op(_EQUAL, _KILL_CALL[machine], 0, 4),
        _op(_LOAD, _ARG0),
        _op(_EQUAL, -1, 0, 1),
        refuse,
        _op(_RETURN, _ALLOW),
        # The limits of pid 1: the kernel ends a keeper whose processor time is up.
        _op(_EQUAL, _PRLIMIT[machine], 0, 3),
        _op(_LOAD, _ARG0),
        _op(_EQUAL, 1, 0, 1),
        refuse,
        _op(_RETURN, _ALLOW),
    ]
    return b"".join(program)


def restrict(program: bytes) -> None:
    """Lays the filter on this process and everything it will start. It cannot be taken off."""
    buffer = ctypes.create_string_buffer(program, len(program))
    header = _Program(len(program) // 8, ctypes.addressof(buffer))
    prctl(PR_SET_NO_NEW_PRIVS, 1, "no_new_privs")
    check(libc.prctl(PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(header), 0, 0), "seccomp")
