"""The filter's decisions, by an interpreter of the few instructions it uses: also for the machine we are not on."""

import errno
import struct
import unittest

from fathom_native.box import seccomp

ALLOW, REFUSED, ABSENT, KILLED = "allow", "refused", "absent", "killed"
X86, ARM = "x86_64", "aarch64"


def decide(machine: str, number: int, arguments: "tuple[int, ...]" = (), arch: "int | None" = None) -> str:
    """What the filter says to a call."""
    arch = seccomp._AUDIT_ARCH[machine] if arch is None else arch
    padded = (*arguments, 0, 0, 0, 0, 0, 0)[:6]
    data = struct.pack("=IIQ6Q", number, arch, 0, *(value & (2**64 - 1) for value in padded))
    program = [struct.unpack_from("=HBBI", seccomp.assemble(machine), at) for at in range(0, len(seccomp.assemble(machine)), 8)]
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
            return {errno.EPERM: REFUSED, errno.ENOSYS: ABSENT}[constant & 0xFFFF]
        else:
            test = {seccomp._EQUAL: value == constant, seccomp._AT_LEAST: value >= constant, seccomp._ANY_BIT: bool(value & constant)}
            at += if_true if test[code] else if_false


class Filter(unittest.TestCase):
    def test_refuses_what_is_listed(self) -> None:
        for name, (x86, arm) in seccomp.DENIED.items():
            for machine, number in ((X86, x86), (ARM, arm)):
                if number is not None:
                    self.assertEqual(decide(machine, number), REFUSED, (name, machine))

    def test_allows_everyday_calls(self) -> None:
        everyday = {
            X86: (0, 1, 2, 3, 8, 10, 11, 12, 22, 33, 39, 53, 59, 60, 61, 72, 79, 83, 87, 202, 217, 228, 231, 257, 281, 291, 302, 318, 332, 434, 436, 439),
            ARM: (17, 25, 29, 34, 35, 56, 57, 59, 61, 62, 63, 64, 79, 93, 94, 96, 98, 113, 124, 172, 199, 214, 215, 221, 226, 260, 261, 278, 291, 434, 436, 439),
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
            for flags, expected in ((0x22, ALLOW), (0x02, ALLOW), (0x01, ALLOW), (0x20022, ALLOW), (0x21, REFUSED), (0x23, REFUSED), (0x122, REFUSED)):
                self.assertEqual(decide(machine, mmap, (0, 4096, 3, flags)), expected, (machine, hex(flags)))

    def test_signals_to_one_but_not_to_all(self) -> None:
        for machine, kill in ((X86, 62), (ARM, 129)):
            self.assertEqual(decide(machine, kill, (1234, 9)), ALLOW)
            self.assertEqual(decide(machine, kill, (-1234, 9)), ALLOW)
            self.assertEqual(decide(machine, kill, (-1, 9)), REFUSED)

    def test_limits_of_all_but_the_keeper(self) -> None:
        for machine, prlimit in ((X86, 302), (ARM, 261)):
            self.assertEqual(decide(machine, prlimit, (0, 7)), ALLOW)
            self.assertEqual(decide(machine, prlimit, (1234, 7)), ALLOW)
            self.assertEqual(decide(machine, prlimit, (1, 7)), REFUSED)

    def test_knows_no_later_calls_and_no_other_tables(self) -> None:
        self.assertEqual(decide(X86, 600), ABSENT)
        self.assertEqual(decide(X86, 0x40000000 | 1), ABSENT)
        self.assertEqual(decide(X86, 1, arch=0x40000003), KILLED)  # i386 by int 0x80
        self.assertEqual(decide(ARM, 64, arch=0x40000028), KILLED)
