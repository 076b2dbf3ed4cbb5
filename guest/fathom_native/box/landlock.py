"""Landlock: rules on files, sockets and signals that a process lays on itself and cannot take off."""

import ctypes
import os
import struct

from .kernel import (
    LANDLOCK_ADD_RULE,
    LANDLOCK_CREATE_RULESET,
    LANDLOCK_RESTRICT_SELF,
    PR_SET_NO_NEW_PRIVS,
    check,
    libc,
    prctl,
)

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1, 2, 4, 8
_TRUNCATE, _IOCTL_DEV = 1 << 14, 1 << 15
_RULE_PATH_BENEATH = 1
_FILE_RIGHTS = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL_DEV


def abi() -> int:
    """The kernel's Landlock version; 0 where it has none or it is switched off."""
    return max(0, libc.syscall(LANDLOCK_CREATE_RULESET, None, ctypes.c_size_t(0), 1))


def _handled(version: int) -> "tuple[int, int, int]":
    """The rights that a ruleset of that version governs: file rights, network rights, scopes."""
    files = (1 << 13) - 1
    if version >= 2:
        files |= 1 << 13
    if version >= 3:
        files |= _TRUNCATE
    if version >= 5:
        files |= _IOCTL_DEV
    return files, 3 if version >= 4 else 0, 3 if version >= 6 else 0


def restrict(read: "list[str]", write: "list[str]", devices: "list[str]") -> int:
    """From now on: read and execute below `read`, everything below `write`, read and write the files in `devices`.

    No TCP (from version 4), no signals and no abstract sockets to processes outside (from version 6).
    Returns the version; 0 when there is no Landlock.
    """
    version = abi()
    if version == 0:
        return 0
    files, net, scope = _handled(version)
    attributes = struct.pack("=QQQ", files, net, scope)[: 8 if version < 4 else 16 if version < 6 else 24]
    buffer = ctypes.create_string_buffer(attributes, len(attributes))
    ruleset = check(
        libc.syscall(LANDLOCK_CREATE_RULESET, buffer, ctypes.c_size_t(len(attributes)), 0), "landlock_create_ruleset"
    )
    try:
        for paths, rights in (
            (read, _EXECUTE | _READ_FILE | _READ_DIR),
            (write, files & ~_IOCTL_DEV),
            (devices, _READ_FILE | _WRITE_FILE | _TRUNCATE),
        ):
            for path in paths:
                _allow(ruleset, path, rights & files)
        prctl(PR_SET_NO_NEW_PRIVS, 1, "no_new_privs")
        check(libc.syscall(LANDLOCK_RESTRICT_SELF, ruleset, 0), "landlock_restrict_self")
    finally:
        os.close(ruleset)
    return version


def _allow(ruleset: int, path: str, rights: int) -> None:
    try:
        fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if not os.path.isdir(path):
            rights &= _FILE_RIGHTS
        rule = ctypes.create_string_buffer(struct.pack("=Qi", rights, fd), 12)
        check(libc.syscall(LANDLOCK_ADD_RULE, ruleset, _RULE_PATH_BENEATH, rule, 0), f"landlock_add_rule {path}")
    finally:
        os.close(fd)
