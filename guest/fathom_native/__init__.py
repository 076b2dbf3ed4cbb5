"""The native backend's own Python: a zygote that boxes itself and forks a REPL per connection, with snapshot processes.

    launcher   outside the box: listens, opens files for the host, ends everything when the host has gone
    zygote     pid 1 of the box: forks a supervisor per REPL
    supervisor pid 1 of one REPL: its files, its snapshots, the end of its processes
    live       the REPL itself: fathom_guest on a socket, with nothing left that it could reach

Every arrow points down: a process checks everything that one below it sends.
"""
