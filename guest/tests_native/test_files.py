"""Copies of files: what changed is copied, what did not is linked, and all of it comes back."""

import os
import stat
import tempfile
import time
import unittest

from fathom_native import file_tree, files
from fathom_native.file_tree import FilesTooDeep, remove, scan
from fathom_native.files import FileStore


class Copies(unittest.TestCase):
    def setUp(self) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self.live = f"{self._folder.name}/live"
        self.kept = f"{self._folder.name}/store"
        os.mkdir(self.live)
        os.mkdir(self.kept)
        self.store = FileStore(self.live, self.kept, own=False)
        self._tick = files._TICK_NS
        files._TICK_NS = 0  # the clock of the file system is finer than the tests are quick

    def tearDown(self) -> None:
        files._TICK_NS = self._tick
        self._folder.cleanup()

    def write(self, name: str, text: str) -> None:
        path = f"{self.live}/{name}"
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            file.write(text)
        time.sleep(0.012)

    def read(self, name: str) -> str:
        with open(f"{self.live}/{name}") as file:
            return file.read()

    def test_an_unchanged_tree_is_the_same_copy(self) -> None:
        self.write("a", "1")
        first = self.store.take()
        self.assertIs(self.store.take(), first)
        self.write("a", "2")
        self.assertIsNot(self.store.take(), first)

    def test_what_did_not_change_is_not_copied_again(self) -> None:
        self.write("large", "x" * 100_000)
        first = self.store.take()
        self.write("small", "y")
        second = self.store.take()
        self.assertEqual((first.bytes, second.bytes), (100_000, 1))
        self.assertEqual(os.stat(f"{first.folder}/large").st_ino, os.stat(f"{second.folder}/large").st_ino)

    def test_everything_comes_back(self) -> None:
        self.write("kept", "kept")
        self.write("changed", "old")
        self.write("removed/deep/file", "there")
        os.symlink("kept", f"{self.live}/link")
        os.mkfifo(f"{self.live}/pipe")
        os.chmod(f"{self.live}/changed", 0o640)
        before = scan(self.live)
        copy = self.store.take()
        self.write("changed", "new")
        self.write("added/more", "x")
        remove(f"{self.live}/removed")
        self.write("removed", "a file now")
        os.unlink(f"{self.live}/link")
        self.store.put_back(copy)
        after = scan(self.live)
        self.assertEqual(set(before), set(after))
        self.assertEqual(self.read("changed") + self.read("removed/deep/file") + self.read("link"), "oldtherekept")
        self.assertEqual([stat.S_IMODE(after["changed"][0]), stat.S_ISFIFO(after["pipe"][0])], [0o640, True])
        self.assertEqual(before["kept"], after["kept"])  # was not touched

    def test_going_back_and_forth(self) -> None:
        self.write("f", "one")
        one = self.store.take()
        self.write("f", "two")
        two = self.store.take()
        for copy, text in ((one, "one"), (two, "two"), (one, "one"), (one, "one"), (two, "two")):
            self.store.put_back(copy)
            self.assertEqual(self.read("f"), text)

    def test_copies_nobody_needs_are_freed(self) -> None:
        for text in "abc":
            self.write("f", text)
            self.store.release(self.store.take())
        self.assertEqual(len(os.listdir(self.kept)), 1)  # the latest, to compare with

    def test_a_change_within_the_clocks_tick_is_seen(self) -> None:
        files._TICK_NS = self._tick
        self.write("f", "a")
        first = self.store.take()
        with open(f"{self.live}/f", "w") as file:
            file.write("b")
        self.assertIsNot(self.store.take(), first)

    def test_links_are_not_followed(self) -> None:
        os.mkdir(f"{self._folder.name}/outside")
        with open(f"{self._folder.name}/outside/secret", "w") as file:
            file.write("s")
        os.symlink(f"{self._folder.name}/outside", f"{self.live}/out")
        copy = self.store.take()
        self.assertEqual(os.listdir(copy.folder), ["out"])
        self.assertTrue(os.path.islink(f"{copy.folder}/out"))
        remove(f"{self.live}/out")
        self.assertTrue(os.path.exists(f"{self._folder.name}/outside/secret"))

    def test_folders_nested_too_deep_are_an_error(self) -> None:
        path = self.live
        for _ in range(file_tree._MAX_DEPTH + 2):
            path += "/d"
            os.mkdir(path)
        with self.assertRaises(FilesTooDeep):
            self.store.take()

    def test_paths_too_long_are_an_error(self) -> None:
        self.nest("n" * 250, 20)
        with self.assertRaises(FilesTooDeep):
            self.store.take()

    def test_what_no_copy_can_hold_does_not_stand_in_the_way_of_one(self) -> None:
        self.write("kept", "kept")
        copy = self.store.take()
        for name, count in (("d", 3000), ("n" * 250, 40)):
            self.nest(name, count)
            self.store.put_back(copy)
            self.assertEqual(os.listdir(self.live), ["kept"])
            self.nest(name, count)
            remove(f"{self.live}/{name}")
            self.assertEqual(os.listdir(self.live), ["kept"])

    def nest(self, name: str, count: int) -> None:
        """Folders in folders, each with a file and a folder that is closed, deeper than a path can say."""
        folder = os.open(self.live, os.O_RDONLY)
        for _ in range(count):
            os.mkdir(name, dir_fd=folder)
            inner = os.open(name, os.O_RDONLY, dir_fd=folder)
            os.close(os.open("file", os.O_CREAT, dir_fd=inner))
            os.mkdir("closed", 0o000, dir_fd=inner)
            os.close(folder)
            folder = inner
        os.close(folder)
