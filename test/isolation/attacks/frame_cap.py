### a frame of 20 MB
os_write(frame(5, {"stream": "stdout"}, b"x" * (20 << 20)))
### a frame of 60 MB
os_write(frame(5, {"stream": "stdout"}, b"x" * (60 << 20)))
### a length of 4 GB
os_write(b"\xff\xff\xff\xff" + frame(5, {"stream": "stdout"}, b"x")[4:])
### a frame in 40 writes
whole = frame(5, {"stream": "stdout"}, b"x" * (40 << 20))
for at in range(0, len(whole), 1 << 20):
    os_write(whole[at : at + (1 << 20)])
