### one bytearray
x = bytearray(400 << 20)
r = len(x) > 256 << 20
### many strings
x = [("%09d" % i) * 100 for i in range(500_000)]
r = True
x = None
### a mapping without a file
import mmap
x = [mmap.mmap(-1, 64 << 20) for _ in range(6)]
r = True
x = None
### repetition
x = "x" * (500 << 20)
r = True
x = None
### compressed
import zlib
bomb = zlib.compress(b"\0" * (100 << 20))
x = [zlib.decompress(bomb) for _ in range(4)]
r = True
x = None
