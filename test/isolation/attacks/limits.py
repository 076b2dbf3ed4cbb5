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
