"""Descriptors of a live process, out of the way of those that cells open. All above them is closed."""

#: Its connection to the host.
CHANNEL = 1000
#: To pid 1.
LINK = 1001
#: The connection on which the next snapshot process will report.
SPARE = 1002
#: /dev/null: a snapshot process has no use for output, and may find no descriptor free to open it.
NULL = 1003
#: Kept open for a snapshot process to close when it wakes: it gets connections then, and a cell may have used up all
#: other numbers.
RESERVED = range(1004, 1010)

#: The first number for cells, and the first after our own.
FIRST_OF_CELLS = 3
FIRST_AFTER = RESERVED.stop
