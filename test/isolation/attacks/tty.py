### /dev/tty
import os
r = os.read(os.open("/dev/tty", os.O_RDONLY), 200)
### a terminal by open
with open("/dev/tty") as file:
    r = file.readline() + file.readline()
### a copy of the terminal's descriptor
import os
fd = os.dup(os.open("/dev/tty", os.O_RDWR))
r = os.read(fd, 200)
### an unbuffered terminal
r = open("/dev/tty", "rb", buffering=0).read(1000)
