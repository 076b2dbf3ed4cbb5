"""The filter's decisions, by an interpreter of the few instructions it uses: also for the machine we are not on."""

import errno
import struct
import unittest

from fathom_native.box import calls, seccomp

ALLOW, REFUSED, ABSENT, KILLED = "allow", "refused", "absent", "killed"
NO_TERMINAL, UNSUPPORTED = "no terminal", "unsupported"
_ERRORS = {errno.EPERM: REFUSED, errno.ENOSYS: ABSENT, errno.ENOTTY: NO_TERMINAL, errno.EOPNOTSUPP: UNSUPPORTED}
X86, ARM = "x86_64", "aarch64"


def decide(
    machine: str, number: int, arguments: "tuple[int, ...]" = (), arch: "int | None" = None, namespaces: bool = True
) -> str:
    """The filter's verdict on a call."""
    arch = seccomp._AUDIT_ARCH[machine] if arch is None else arch
    padded = (*arguments, 0, 0, 0, 0, 0, 0)[:6]
    data = struct.pack("=IIQ6Q", number, arch, 0, *(value & (2**64 - 1) for value in padded))
    assembled = seccomp.assemble(machine, namespaces=namespaces)
    program = [struct.unpack_from("=HBBI", assembled, at) for at in range(0, len(assembled), 8)]
    at = value = 0
    while True:
        code, if_true, if_false, constant = program[at]
        at += 1
        if code == seccomp._LOAD:
            value = struct.unpack_from("=I", data, constant)[0]
        elif code == seccomp._AND:
            value &= constant
        elif code == seccomp._RETURN:
            if constant == seccomp._ALLOW:
                return ALLOW
            if constant == seccomp._KILL:
                return KILLED
            return _ERRORS[constant & 0xFFFF]
        else:
            test = {
                seccomp._EQUAL: value == constant,
                seccomp._AT_LEAST: value >= constant,
                seccomp._ANY_BIT: bool(value & constant),
            }
            at += if_true if test[code] else if_false


class Filter(unittest.TestCase):
    def test_refuses_what_is_listed(self) -> None:
        lists = ((calls.REFUSED, REFUSED), (calls.ABSENT, ABSENT), (calls.ATTRIBUTES, UNSUPPORTED))
        for listed, expected in lists:
            for name, (x86, arm) in listed.items():
                for machine, number in ((X86, x86), (ARM, arm)):
                    for namespaces in (True, False):
                        if number is not None:
                            said = decide(machine, number, namespaces=namespaces)
                            self.assertEqual(said, expected, (name, machine, namespaces))

    def test_lists_each_call_once(self) -> None:
        for column in (0, 1):
            numbers = [
                row[column]
                for listed in (calls.REFUSED, calls.ABSENT, calls.ATTRIBUTES, calls.METADATA)
                for row in listed.values()
                if row[column] is not None
            ]
            numbers += [numbers_[column] for numbers_, _ in calls.OF_OTHERS.values()]
            self.assertEqual(len(numbers), len(set(numbers)))

    def test_metadata_of_files_only_in_namespaces(self) -> None:
        for name, (x86, arm) in calls.METADATA.items():
            for machine, number in ((X86, x86), (ARM, arm)):
                if number is not None:
                    self.assertEqual(decide(machine, number), ALLOW, (name, machine))
                    self.assertEqual(decide(machine, number, namespaces=False), REFUSED, (name, machine))

    def test_no_leases_owners_and_pipe_sizes(self) -> None:
        for machine, fcntl in ((X86, 72), (ARM, 25)):
            for command in (0, 1, 2, 3, 4, 5, 6, 7, 36, 37, 38, 1025, 1030, 1032):
                self.assertEqual(decide(machine, fcntl, (3, command)), ALLOW, (machine, command))
            # owner, signal, extended owner, lease, notice of changes, size of a pipe, hints on file and inode
            for command in (8, 10, 15, 1024, 1026, 1031, 1036, 1038, 1024 | 1 << 32):
                self.assertEqual(decide(machine, fcntl, (3, command)), REFUSED, (machine, command))

    def test_no_process_hides_from_those_that_count_it(self) -> None:
        for machine, prctl in ((X86, 157), (ARM, 167)):
            self.assertEqual(decide(machine, prctl, (4, 0)), REFUSED)
            self.assertEqual(decide(machine, prctl, (15, 0)), ALLOW)

    def test_no_ioctl_but_a_few(self) -> None:
        for machine, ioctl in ((X86, 16), (ARM, 29)):
            for command in (0x541B, 0x5421, 0x5451, 0x40049409, 0x80086601):
                self.assertEqual(decide(machine, ioctl, (3, command)), ALLOW, (machine, hex(command)))
            # FS_IOC_SETFLAGS, FS_IOC_FSSETXATTR, FS_IOC_ADD_ENCRYPTION_KEY, FIOSETOWN, SIOCSPGRP, FIOASYNC, TIOCSTI,
            # FIFREEZE, BLKROSET
            for command in (0x40086602, 0x401C5820, 0xC0506617, 0x8901, 0x8902, 0x5452, 0x5412, 0xC0045877, 0x125D):
                self.assertEqual(decide(machine, ioctl, (3, command)), NO_TERMINAL, (machine, hex(command)))

    def test_sockets_that_reach_their_other_end_only(self) -> None:
        for machine, pair, send, option in ((X86, 53, 44, 54), (ARM, 199, 206, 208)):
            for kind in (1, 5, 1 | 0o2004000):
                self.assertEqual(decide(machine, pair, (1, kind, 0)), ALLOW, (machine, kind))
            for kind in (2, 3, 2 | 0o2000000):
                self.assertEqual(decide(machine, pair, (1, kind, 0)), REFUSED, (machine, kind))
            self.assertEqual(decide(machine, pair, (30, 1, 0)), REFUSED)  # AF_TIPC
            self.assertEqual(decide(machine, send, (3, 4096, 1, 0, 0, 0)), ALLOW)
            for name in (4096, 1 << 32, 1 << 63):
                self.assertEqual(decide(machine, send, (3, 4096, 1, 0, name, 16)), REFUSED)
            for name in (2, 20, 21):
                self.assertEqual(decide(machine, option, (3, 1, name)), ALLOW)
            # SO_SNDBUF, SO_RCVBUF, both FORCE, SO_PASSCRED, SO_ATTACH_FILTER, SO_ATTACH_BPF
            for name in (7, 8, 32, 33, 16, 26, 50):
                self.assertEqual(decide(machine, option, (3, 1, name)), REFUSED, (machine, name))

    def test_processes_of_others_where_ids_are_shared(self) -> None:
        for name, (numbers, which) in calls.OF_OTHERS.items():
            for machine, number in zip((X86, ARM), numbers):
                own, other = [0] * 6, [0] * 6
                other[which] = 1234
                self.assertEqual(decide(machine, number, tuple(own), namespaces=False), ALLOW, name)
                self.assertEqual(decide(machine, number, tuple(other), namespaces=False), REFUSED, name)
                self.assertEqual(decide(machine, number, tuple(other)), ALLOW, name)

    def test_allows_everyday_calls(self) -> None:
        everyday = {
            X86: (*(0, 1, 2, 3, 8, 10, 11, 12, 22, 33, 39, 59, 60, 61, 72, 79, 83, 87, 202, 217),
                  *(228, 231, 257, 281, 291, 302, 318, 332, 434, 436, 439)),
            ARM: (*(17, 25, 34, 35, 56, 57, 59, 61, 62, 63, 64, 79, 93, 94, 96, 98, 113, 124, 172),
                  *(214, 215, 221, 226, 260, 261, 278, 291, 434, 436, 439)),
        }  # fmt: skip
        for machine, numbers in everyday.items():
            for number in numbers:
                self.assertEqual(decide(machine, number), ALLOW, (machine, number))

    def test_forks_and_threads_but_no_namespaces(self) -> None:
        for machine, clone in ((X86, 56), (ARM, 220)):
            self.assertEqual(decide(machine, clone, (17,)), ALLOW)
            self.assertEqual(decide(machine, clone, (0x3D0F00,)), ALLOW)
            for flag in (0x20000, 0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000):
                self.assertEqual(decide(machine, clone, (17 | flag,)), REFUSED)
            self.assertEqual(decide(machine, 435), ABSENT)

    def test_no_memory_outside_of_the_limits(self) -> None:
        for machine, mmap in ((X86, 9), (ARM, 222)):
            for flags in (0x22, 0x02, 0x01, 0x20022):
                self.assertEqual(decide(machine, mmap, (0, 4096, 3, flags)), ALLOW, (machine, hex(flags)))
            for flags in (0x21, 0x23, 0x122):
                self.assertEqual(decide(machine, mmap, (0, 4096, 3, flags)), REFUSED, (machine, hex(flags)))

    def test_signals_to_one_but_not_to_all(self) -> None:
        for machine, kill in ((X86, 62), (ARM, 129)):
            self.assertEqual(decide(machine, kill, (1234, 9)), ALLOW)
            self.assertEqual(decide(machine, kill, (-1234, 9)), ALLOW)
            self.assertEqual(decide(machine, kill, (-1, 9)), REFUSED)

    def test_limits_of_all_but_the_supervisor(self) -> None:
        for machine, prlimit in ((X86, 302), (ARM, 261)):
            self.assertEqual(decide(machine, prlimit, (0, 7)), ALLOW)
            self.assertEqual(decide(machine, prlimit, (1234, 7)), ALLOW)
            self.assertEqual(decide(machine, prlimit, (1, 7)), REFUSED)

    def test_knows_no_later_calls_and_no_other_tables(self) -> None:
        self.assertEqual(decide(X86, 600), ABSENT)
        self.assertEqual(decide(X86, 0x40000000 | 1), ABSENT)
        self.assertEqual(decide(X86, 1, arch=0x40000003), KILLED)  # i386 by int 0x80
        self.assertEqual(decide(ARM, 64, arch=0x40000028), KILLED)
