"""The system calls that cells cannot use, in one place: name -> numbers on (x86_64, aarch64).

The embedded REPL has a filter of its own for Node and Pyodide, `src/repl/pyodide/seccomp.ts`. It refuses everything in
`REFUSED` and `ABSENT` too; `src/repl/python/seccomp-lists.test.ts` compares the two lists. A call that is added here is
added there, or to the exceptions of that test with the reason.
"""

#: The newest call looked at. Later ones do not exist for cells until they have been looked at here.
LAST_KNOWN = 466

#: EPERM: no program of a cell needs them.
REFUSED: "dict[str, tuple[int | None, int | None]]" = {
    # other processes' memory, state and descriptors
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "process_madvise": (440, 440),
    "process_mrelease": (448, 448),
    "kcmp": (312, 272),
    "pidfd_getfd": (438, 438),
    "pidfd_send_signal": (424, 424),
    "migrate_pages": (256, 238),
    "move_pages": (279, 239),
    # mounts, namespaces, roots
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "unshare": (272, 97),
    "setns": (308, 268),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "acct": (163, 89),
    # sockets: none at all. Pairs of stream sockets stay: asyncio needs them and they lead nowhere
    "socket": (41, 198),
    "connect": (42, 203),
    "accept": (43, 202),
    "accept4": (288, 242),
    "bind": (49, 200),
    "listen": (50, 201),
    # kernel interfaces with a large attack surface
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "fanotify_init": (300, 262),
    "fanotify_mark": (301, 263),
    "lookup_dcookie": (212, 18),
    "vmsplice": (278, 75),
    "memfd_secret": (447, 447),
    # memory that no limit counts: only mappings that RLIMIT_DATA or the tmpfs quota see are allowed
    "memfd_create": (319, 279),
    "remap_file_pages": (216, 234),
    "modify_ldt": (154, None),
    "personality": (135, 92),
    # System V objects and POSIX queues: the kernel would hold gigabytes of them, and without a namespace those of the
    # host's processes have small numbers and known names (POSIX semaphores and memory lie in /dev/shm)
    "shmget": (29, 194),
    "shmat": (30, 196),
    "shmctl": (31, 195),
    "semget": (64, 190),
    "semop": (65, 193),
    "semctl": (66, 191),
    "semtimedop": (220, 192),
    "msgget": (68, 186),
    "msgsnd": (69, 189),
    "msgrcv": (70, 188),
    "msgctl": (71, 187),
    "mq_open": (240, 180),
    "mq_unlink": (241, 181),
    # the machine itself
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "reboot": (169, 142),
    "sethostname": (170, 161),
    "setdomainname": (171, 162),
    "settimeofday": (164, 170),
    "clock_settime": (227, 112),
    "adjtimex": (159, 171),
    "clock_adjtime": (305, 266),
    "syslog": (103, 116),
    "vhangup": (153, 58),
    "iopl": (172, None),
    "ioperm": (173, None),
    "uselib": (134, None),
    "ustat": (136, None),
    "sysfs": (139, None),
    "nfsservctl": (180, 42),
}

#: ENOSYS, as on a kernel that was built without them: programs that ask for these have another way.
ABSENT: "dict[str, tuple[int | None, int | None]]" = {
    # its flags lie in memory, where a filter cannot see them; the C library falls back to clone
    "clone3": (435, 435),
    # limits that all processes of a user, or of the machine, share
    "inotify_init": (253, None),
    "inotify_init1": (294, 26),
    "io_setup": (206, 0),
    # a ruleset is kernel memory that nothing counts
    "landlock_create_ruleset": (444, 444),
    "landlock_add_rule": (445, 445),
    "landlock_restrict_self": (446, 446),
}

#: EOPNOTSUPP, as on a file system without them: extended attributes are memory beside `diskBytes`.
ATTRIBUTES: "dict[str, tuple[int | None, int | None]]" = {
    "setxattr": (188, 5),
    "lsetxattr": (189, 6),
    "fsetxattr": (190, 7),
    "removexattr": (197, 14),
    "lremovexattr": (198, 15),
    "fremovexattr": (199, 16),
    "setxattrat": (463, 463),
    "removexattrat": (466, 466),
}

#: EPERM where cells share the host's mounts (no namespaces): Landlock does not govern them, and a filter cannot see
#: whose file it is. In namespaces everything but the REPL's own folders is mounted read-only; cells may use them there.
METADATA: "dict[str, tuple[int | None, int | None]]" = {
    "chmod": (90, None),
    "fchmod": (91, 52),
    "fchmodat": (268, 53),
    "fchmodat2": (452, 452),
    "chown": (92, None),
    "fchown": (93, 55),
    "lchown": (94, None),
    "fchownat": (260, 54),
    "utime": (132, None),
    "utimes": (235, None),
    "futimesat": (261, None),
    "utimensat": (280, 88),
}

#: Where cells share the host's process ids: allowed for the caller itself (0), refused for any other process.
#: name -> (numbers, index of the argument that says which process)
OF_OTHERS: "dict[str, tuple[tuple[int | None, int | None], int]]" = {
    "setpriority": ((141, 140), 1),
    "ioprio_set": ((251, 30), 1),
    "sched_setaffinity": ((203, 122), 0),
    "sched_setscheduler": ((144, 119), 0),
    "sched_setparam": ((142, 118), 0),
    "sched_setattr": ((314, 274), 0),
    "prlimit64": ((302, 261), 0),
}
