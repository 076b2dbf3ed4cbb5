"""Files shown in the private root cannot be changed by any owner. Each wall has a control: the same without it."""

import contextlib
import ctypes
import fcntl
import os
import stat
import tempfile
import traceback
import unittest
from typing import Callable

from fathom_native.box import mounts
from fathom_native.box.kernel import CLONE_NEWNS, CLONE_NEWPID, CLONE_NEWUSER, fork_into, write_id_maps

_SET_FLAGS, _GET_FLAGS, _NO_DUMP = 0x40086602, 0x80086601, 0x40


def in_namespace(body: "Callable[[], None]") -> None:
    """Runs `body` in a child that is root over mounts and processes of its own: its file system is gone with it."""
    read, write = os.pipe()
    user, group = os.getuid(), os.getgid()
    try:
        pid = fork_into(CLONE_NEWNS | CLONE_NEWPID)
        mapped = False
    except PermissionError:
        pid = fork_into(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID)
        mapped = True
    if pid == 0:
        os.close(read)
        try:
            if mapped:
                write_id_maps(0, user, group)
            mounts.mount("none", "/", None, mounts.MS_REC | mounts.MS_PRIVATE)
            folder = tempfile.mkdtemp()
            mounts.mount("files", folder, "tmpfs", 0, "mode=755")
            os.chdir(folder)
            body()
        except BaseException:
            os.write(write, traceback.format_exc().encode()[-4000:])
        finally:
            os._exit(0)
    os.close(write)
    with open(read, "rb") as pipe:
        said = pipe.read().decode()
    os.waitpid(pid, 0)
    if said:
        raise AssertionError(said)


def read_all(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def touched(path: str) -> "list[str]":
    """The changes to a file's metadata that succeeded. The owner changes nothing but gets the same values again."""
    info = os.stat(path)
    fd = os.open(path, os.O_RDONLY)
    flags = ctypes.create_string_buffer(8)
    attempts: "dict[str, Callable[[], object]]" = {
        "mode": lambda: os.chmod(path, stat.S_IMODE(info.st_mode)),
        "mode by descriptor": lambda: os.fchmod(fd, stat.S_IMODE(info.st_mode)),
        "mode by /proc": lambda: os.chmod(f"/proc/self/fd/{fd}", stat.S_IMODE(info.st_mode)),
        "owner": lambda: os.chown(path, info.st_uid, info.st_gid),
        "times": lambda: os.utime(path, ns=(info.st_atime_ns, info.st_mtime_ns)),
        "times by descriptor": lambda: os.utime(fd),
        "attributes": lambda: os.setxattr(path, "trusted.fathom" if os.getuid() == 0 else "user.fathom", b"1"),
        "flags": lambda: (fcntl.ioctl(fd, _GET_FLAGS, flags), fcntl.ioctl(fd, _SET_FLAGS, flags)),
    }
    found = []
    for name, attempt in attempts.items():
        with contextlib.suppress(OSError):
            attempt()
            found.append(name)
    os.close(fd)
    return found


class ShownFiles(unittest.TestCase):
    def test_devices_work_and_cannot_be_changed(self) -> None:
        def body() -> None:
            with contextlib.suppress(PermissionError):  # in a user namespace: the machine's own
                os.mknod("null", stat.S_IFCHR | 0o666, os.makedev(1, 3))
            source = os.path.abspath("null") if os.path.exists("null") else "/dev/null"
            mounts.bind_device(source, "shown")
            self.assertEqual(touched("shown"), [])
            for flags in (os.O_WRONLY | os.O_CREAT | os.O_TRUNC, os.O_RDWR, os.O_WRONLY | os.O_APPEND):
                fd = os.open("shown", flags)
                self.assertEqual(os.write(fd, b"gone"), 4)
                os.close(fd)
            self.assertEqual(read_all("shown"), b"")
            if os.stat(source).st_uid == os.getuid():
                mounts.empty_file("control")
                mounts.mount(source, "control", None, mounts.MS_BIND)
                self.assertIn("mode", touched("control"))
                self.assertIn("times", touched("control"))

        in_namespace(body)

    def test_folders_with_all_that_is_mounted_below(self) -> None:
        def body() -> None:
            for name in ("source/below", "shown", "control"):
                os.makedirs(name)
            mounts.mount("below", "source/below", "tmpfs", 0)
            for name in ("source/file", "source/below/file"):
                mounts.empty_file(name)
            mounts.mount("source", "control", None, mounts.MS_BIND | mounts.MS_REC)
            self.assertIn("mode", touched("control/below/file"))
            self.assertIn("times", touched("control/file"))
            mounts.bind_read_only("source", "shown")
            for name in ("shown", "shown/file", "shown/below", "shown/below/file"):
                self.assertEqual(touched(name), [], name)
            for name in ("shown/new", "shown/below/new"):
                with self.assertRaises(OSError):
                    mounts.empty_file(name)

        in_namespace(body)

    def test_the_same_without_mount_setattr(self) -> None:
        def body() -> None:
            os.makedirs("source/a b/below")
            os.mkdir("shown")
            mounts.mount("below", "source/a b/below", "tmpfs", mounts.MS_NOEXEC)
            mounts.empty_file("source/a b/below/file")
            mounts.mount("source", "shown", None, mounts.MS_BIND | mounts.MS_REC)
            shown = os.path.abspath("shown")
            below = mounts._mounts_below(shown)
            self.assertEqual(below, [shown, f"{shown}/a b/below"])
            for path in below:
                mounts._restrict_one(path, mounts.MS_RDONLY | mounts.MS_NOSUID | mounts.MS_NODEV)
            self.assertEqual(touched("shown/a b/below/file"), [])
            flags = os.statvfs("shown/a b/below").f_flag
            wanted = mounts.MS_RDONLY | mounts.MS_NOSUID | mounts.MS_NODEV | mounts.MS_NOEXEC
            self.assertEqual(flags & wanted, wanted)

        in_namespace(body)

    def test_processes_are_read_only_and_facts_of_the_machine_masked(self) -> None:
        def body() -> None:
            os.mkdir("control")
            mounts.mount("proc", "control", "proc", 0)
            if os.stat("control/meminfo").st_uid == os.getuid():
                self.assertIn("mode", touched("control/meminfo"))
            self.assertNotEqual(read_all("control/cmdline"), b"")
            mounts.mount_processes()
            self.assertEqual(touched("/proc/meminfo"), [])
            for path in ("/proc/cmdline", "/proc/sys/kernel/random/boot_id"):
                self.assertEqual(read_all(path), b"", path)
            with self.assertRaises(OSError):
                open("/proc/sys/kernel/hostname", "w")
            self.assertIn(b"MemTotal", read_all("/proc/meminfo"))

        in_namespace(body)
