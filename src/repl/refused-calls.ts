/**
 * The system calls that the embedded REPL's process cannot use: name -> numbers on x86-64 and arm64 (undefined where the machine
 * has no such call). The native REPL's list is `guest/fathom_native/box/calls.py`; `src/repl/python/seccomp-lists.test.ts` compares them.
 *
 * @module
 */

/** Numbers of one call. */
export type Numbers = readonly [x64: number | undefined, arm64: number | undefined];

/** The newest call looked at. Later ones do not exist in here until they have been looked at. */
export const LAST_KNOWN = 466;

/** Fail with EPERM: neither Node nor Pyodide needs them. */
export const REFUSED: Readonly<Record<string, Numbers>> = {
  // other processes' memory, state and descriptors
  ptrace: [101, 117],
  process_vm_readv: [310, 270],
  process_vm_writev: [311, 271],
  process_madvise: [440, 440],
  process_mrelease: [448, 448],
  kcmp: [312, 272],
  pidfd_getfd: [438, 438],
  pidfd_send_signal: [424, 424],
  migrate_pages: [256, 238],
  move_pages: [279, 239],
  // mounts, namespaces, roots
  mount: [165, 40],
  umount2: [166, 39],
  pivot_root: [155, 41],
  chroot: [161, 51],
  unshare: [272, 97],
  setns: [308, 268],
  open_tree: [428, 428],
  move_mount: [429, 429],
  fsopen: [430, 430],
  fsconfig: [431, 431],
  fsmount: [432, 432],
  fspick: [433, 433],
  mount_setattr: [442, 442],
  name_to_handle_at: [303, 264],
  open_by_handle_at: [304, 265],
  quotactl: [179, 60],
  quotactl_fd: [443, 443],
  swapon: [167, 224],
  swapoff: [168, 225],
  acct: [163, 89],
  // sockets: none at all. Pairs stay: Node's pipes to its workers are made of them
  socket: [41, 198],
  connect: [42, 203],
  accept: [43, 202],
  accept4: [288, 242],
  bind: [49, 200],
  listen: [50, 201],
  // kernel interfaces with a large attack surface
  bpf: [321, 280],
  perf_event_open: [298, 241],
  userfaultfd: [323, 282],
  io_uring_setup: [425, 425],
  io_uring_enter: [426, 426],
  io_uring_register: [427, 427],
  add_key: [248, 217],
  request_key: [249, 218],
  keyctl: [250, 219],
  fanotify_init: [300, 262],
  fanotify_mark: [301, 263],
  lookup_dcookie: [212, 18],
  vmsplice: [278, 75],
  memfd_secret: [447, 447],
  // memory that no limit counts
  memfd_create: [319, 279],
  remap_file_pages: [216, 234],
  modify_ldt: [154, undefined],
  personality: [135, 92],
  // System V objects and POSIX queues: kernel memory that no limit counts
  shmget: [29, 194],
  shmat: [30, 196],
  shmctl: [31, 195],
  semget: [64, 190],
  semop: [65, 193],
  semctl: [66, 191],
  semtimedop: [220, 192],
  msgget: [68, 186],
  msgsnd: [69, 189],
  msgrcv: [70, 188],
  msgctl: [71, 187],
  mq_open: [240, 180],
  mq_unlink: [241, 181],
  // the machine itself
  kexec_load: [246, 104],
  kexec_file_load: [320, 294],
  init_module: [175, 105],
  finit_module: [313, 273],
  delete_module: [176, 106],
  reboot: [169, 142],
  sethostname: [170, 161],
  setdomainname: [171, 162],
  settimeofday: [164, 170],
  clock_settime: [227, 112],
  adjtimex: [159, 171],
  clock_adjtime: [305, 266],
  syslog: [103, 116],
  vhangup: [153, 58],
  iopl: [172, undefined],
  ioperm: [173, undefined],
  uselib: [134, undefined],
  ustat: [136, undefined],
  sysfs: [139, undefined],
  nfsservctl: [180, 42],
  // only here: Node asks for no descriptors of processes
  pidfd_open: [434, 434],
};

/** Fail with ENOSYS, as on a kernel that was built without them: Node and the C library have another way. */
export const ABSENT: Readonly<Record<string, Numbers>> = {
  // its flags lie in memory, where a filter cannot see them; the C library falls back to clone
  clone3: [435, 435],
  // limits that all processes of a user, or of the machine, share
  inotify_init: [253, undefined],
  inotify_init1: [294, 26],
  io_setup: [206, 0],
  // a ruleset is kernel memory that nothing counts
  landlock_create_ruleset: [444, 444],
  landlock_add_rule: [445, 445],
  landlock_restrict_self: [446, 446],
};

/** Fail with EOPNOTSUPP, as on a file system without them. */
export const ATTRIBUTES: Readonly<Record<string, Numbers>> = {
  setxattr: [188, 5],
  lsetxattr: [189, 6],
  fsetxattr: [190, 7],
  removexattr: [197, 14],
  lremovexattr: [198, 15],
  fremovexattr: [199, 16],
  setxattrat: [463, 463],
  removexattrat: [466, 466],
};
