### file by writing
total = 0
with open("/tmp/bomb", "wb") as file:
    for _ in range(160):
        total += file.write(b"x" * (1 << 20))
r = total > 128 << 20
### file by truncating
with open("/tmp/bomb2", "wb") as file:
    file.truncate(200 << 20)
r = True
### file by one first write
data = b"x" * (100 << 20)
import os
fd = os.open("/tmp/bomb3", os.O_CREAT | os.O_WRONLY)
r = os.write(fd, data) > 64 << 20
### file by seeking
with open("/tmp/bomb4", "wb") as file:
    file.seek(150 << 20)
    file.write(b"x")
r = True
### file by a map
import mmap, os
fd = os.open("/tmp/bomb5", os.O_CREAT | os.O_RDWR)
os.ftruncate(fd, 90 << 20)
r = True
### many first writes
for index in range(120):
    with open(f"/tmp/part{index}", "wb", buffering=0) as file:
        file.write(b"x" * (1 << 20))
r = True
### many files
import os
os.makedirs("/tmp/many", exist_ok=True)
for index in range(70_000):
    os.close(os.open(f"/tmp/many/{index}", os.O_CREAT | os.O_WRONLY))
r = True
### long names
import os
os.mkdir("/tmp/" + "n" * 100_000)
r = True
### long links
import os
os.symlink("x" * 1_000_000, "/tmp/longlink")
r = True
### renamed to a long name
import os
open("/tmp/short", "w").close()
os.rename("/tmp/short", "/tmp/" + "m" * 100_000)
r = True
### descriptors
import os
fds = [os.open("/tmp", os.O_RDONLY) for _ in range(2000)]
r = True
### duplicated far away
import fcntl
r = fcntl.fcntl(0, fcntl.F_DUPFD, 2_000_000) >= 2_000_000
### pipes kept full
import os
total = 0
for _ in range(10):
    _, end = os.pipe()
    total += os.write(end, b"x" * (1 << 20))
r = total > 8 << 20
### files below a folder named as a prototype
import os
total = 0
for index in range(12):
    os.makedirs(f"/tmp/q{index}/__proto__")
    with open(f"/tmp/q{index}/__proto__/f", "wb") as file:
        total += file.write(bytes(16 << 20))
r = total > 128 << 20
### files named as a prototype
import os
total = 0
for index in range(12):
    os.makedirs(f"/tmp/p{index}")
    with open(f"/tmp/p{index}/__proto__", "wb") as file:
        total += file.write(bytes(16 << 20))
r = total > 128 << 20
### files below folders with names of an object
import os
total = 0
for name in ("constructor", "hasOwnProperty", "toString", "valueOf", "prototype", "__defineGetter__", "length", "0"):
    os.makedirs(f"/tmp/{name}/__proto__/{name}")
    with open(f"/tmp/{name}/__proto__/{name}/{name}", "wb") as file:
        total += file.write(bytes(16 << 20))
r = total > 96 << 20
### a folder moved below a prototype
import os
total = 0
for index in range(12):
    os.makedirs(f"/tmp/full{index}")
    with open(f"/tmp/full{index}/f", "wb") as file:
        total += file.write(bytes(16 << 20))
    os.makedirs(f"/tmp/hide{index}")
    os.rename(f"/tmp/full{index}", f"/tmp/hide{index}/__proto__")
r = total > 128 << 20
### deleted files that are open
import os
total = 0
fds = []
for index in range(12):
    fd = os.open("/tmp/gone", os.O_CREAT | os.O_WRONLY)
    os.unlink("/tmp/gone")
    total += os.write(fd, bytes(16 << 20))
    fds.append(fd)
r = total > 128 << 20
### open files that others are renamed over
import os
total = 0
fds = []
for index in range(12):
    fd = os.open("/tmp/over", os.O_CREAT | os.O_WRONLY)
    total += os.write(fd, bytes(16 << 20))
    fds.append(fd)
    open("/tmp/other", "w").close()
    os.rename("/tmp/other", "/tmp/over")
r = total > 128 << 20
### open files in a folder that is gone
import os
total = 0
fds = []
for index in range(12):
    os.mkdir("/tmp/short")
    fd = os.open("/tmp/short/f", os.O_CREAT | os.O_WRONLY)
    total += os.write(fd, bytes(16 << 20))
    fds.append(fd)
    os.unlink("/tmp/short/f")
    os.rmdir("/tmp/short")
r = total > 128 << 20
### truncated up and down
import os
total = 0
for index in range(12):
    with open(f"/tmp/t{index}", "wb") as file:
        for size in (16 << 20, 1, 16 << 20):
            file.truncate(size)
        total += os.fstat(file.fileno()).st_size
r = total > 128 << 20
### many links
import os
for index in range(9_000):
    os.symlink("\u00e9" * 4000, f"/tmp/link{index}")
r = True
