/* Escape, for programs of others: what poppler or tesseract could do if a document had taken them
 * over. The part is played by python3, run exactly as they are (guard/sandbox_program.h).
 *
 * escape_program                      whole: everything must be denied
 * escape_program --without seccomp    ... with a wall left out (or namespaces, or Landlock): what
 *                                     another standing wall denies must still be denied
 * escape_program --without walls      no sandbox: the attempts must come true, or they test nothing
 *
 * An attempt is a line of Python. If it raises OSError it was denied; if it ends, it escaped;
 * anything else means that the attempt itself is broken. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guard/sandbox_parts.h"
#include "guard/sandbox_program.h"

enum {
    BY_NAMESPACES = 1,
    BY_LANDLOCK = 2,
    BY_LANDLOCK_4 = 4, /* TCP */
    BY_LANDLOCK_6 = 8, /* abstract sockets, signals */
    BY_SECCOMP = 16,
    BY_LIMITS = 32, /* and what it was born with */
    BY_MDWE = 64,
    BY_USER = 128, /* limits that count for a user in a namespace of its own */
    EXIT_DENIED = 10,
    EXIT_ESCAPED = 77,
    CONTROL_ESCAPES_MIN = 25
};
#define NO_WALLS (DEN_WITHOUT_NAMESPACES | DEN_WITHOUT_LANDLOCK | DEN_WITHOUT_SECCOMP)
#define FILES    (BY_NAMESPACES | BY_LANDLOCK)

/* What is put before each: BAIT is a folder with "secret" and a listening "socket". */
static const char prelude[] =
    "import sys, os, ctypes, socket\n"
    "BAIT, TCP, UDP, DRIVER, ABSTRACT = sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), "
    "int(sys.argv[5]), sys.argv[6]\n"
    "libc = ctypes.CDLL(None, use_errno=True)\n"
    "def call(number, *given):\n"
    "    given = [ctypes.c_long(x) if isinstance(x, int) else x for x in given]\n"
    "    if libc.syscall(ctypes.c_long(number), *given) < 0:\n"
    "        raise OSError(ctypes.get_errno(), 'refused')\n"
    "def threads(n):\n"
    "    import threading, time\n"
    "    for i in range(n): threading.Thread(target=time.sleep, args=(1,), daemon=True).start()\n"
    "try:\n"
    "    exec(sys.argv[1])\n"
    "except (OSError, MemoryError, RuntimeError) as problem:\n"
    "    os._exit(10)\n"
    "os._exit(77)\n";

static const struct attempt {
    const char *name, *code;
    unsigned walls;
} attempts[] = {
    { "read /etc/passwd", "open('/etc/passwd').read()", FILES },
    { "read a file open to all", "open(BAIT + '/secret').read()", FILES },
    { "see that a file is there", "os.stat(BAIT + '/secret')", BY_NAMESPACES },
    { "list a folder", "os.listdir(BAIT)", FILES },
    { "write a file", "open(BAIT + '/new', 'w').write('x')", FILES },
    { "write to shared memory", "open('/dev/shm/den-escape', 'w').write('x')", FILES },
    { "read through a link", "os.symlink('/etc/passwd', BAIT + '/l'); open(BAIT + '/l')", FILES },
    { "read up from a folder", "open('/usr/../etc/passwd').read()", FILES },
    { "rename a file", "os.rename(BAIT + '/secret', BAIT + '/gone')", FILES },
    { "list processes", "os.listdir('/proc')", FILES },
    { "read its own environment file", "open('/proc/self/environ').read()", FILES },
    { "read the machine's state", "open('/proc/version').read()", FILES },
    { "list /sys", "os.listdir('/sys/class')", FILES },
    { "write a system file", "open('/usr/share/den-escape', 'w')", FILES },
    { "connect by TCP", "socket.create_connection(('127.0.0.1', TCP))",
      BY_NAMESPACES | BY_LANDLOCK_4 | BY_SECCOMP },
    { "bind TCP", "socket.socket().bind(('127.0.0.1', 0))", BY_LANDLOCK_4 | BY_SECCOMP },
    { "send by UDP",
      "s = socket.socket(2, 2); s.connect(('127.0.0.1', UDP)); s.send(b'x'); "
      "s.settimeout(5); s.recv(1)",
      BY_NAMESPACES | BY_SECCOMP },
    { "connect to a socket's path", "socket.socket(1).connect(BAIT + '/socket')",
      BY_NAMESPACES | BY_SECCOMP },
    { "connect to an abstract socket", "socket.socket(1).connect('\\0' + ABSTRACT)",
      BY_NAMESPACES | BY_LANDLOCK_6 | BY_SECCOMP },
    { "open a netlink socket", "socket.socket(16, 3)", BY_SECCOMP },
    { "make a pair of sockets", "socket.socketpair()", BY_SECCOMP },
    { "signal the driver", "os.kill(DRIVER, 0)", BY_NAMESPACES | BY_LANDLOCK_6 | BY_SECCOMP },
    { "fork", "os.fork() or os._exit(0)", BY_SECCOMP },
    { "a descriptor of the driver", "call(434, DRIVER, 0)", BY_NAMESPACES | BY_SECCOMP },
    { "a user namespace", "call(272, 0x10000000)", BY_SECCOMP },
    { "clone into a user namespace", "call(56, 0x10000000 | 17, 0, 0, 0, 0) or os._exit(77)",
      BY_SECCOMP },
    { "io_uring", "call(425, 4, ctypes.create_string_buffer(256))", BY_SECCOMP },
    { "a key ring", "call(250, 0, -2, 1)", BY_SECCOMP },
    { "another personality", "call(135, 0x40000)", BY_SECCOMP },
    { "a queue of messages", "call(68, 0, 0o1600)", BY_SECCOMP },
    { "mount", "call(165, b'x', b'/tmp', b'tmpfs', 0, 0)", FILES | BY_SECCOMP },
    { "trace the driver", "call(101, 0x4206, DRIVER, 0, 0)", BY_NAMESPACES | BY_SECCOMP },
    { "be root", "os.setuid(0)", BY_LIMITS },
    { "3 GiB of memory", "x = bytearray(3 << 30)", BY_LIMITS },
    { "500 files", "x = [open('/usr/bin/env') for i in range(500)]", BY_LIMITS },
    { "80 MiB on a disk",
      "f = open('/tmp/den-escape', 'wb')\n"
      "for i in range(80): f.write(bytes(1 << 20))\n"
      "f.flush()",
      FILES },
    { "50 threads", "threads(50)", BY_USER },
    { "an inherited secret",
      "os.environ['DEN_ESCAPE_SECRET'] if 'DEN_ESCAPE_SECRET' in "
      "os.environ else call(-1)",
      BY_LIMITS },
    { "an inherited descriptor", "[os.fstat(i) for i in range(50, 60)]", BY_LIMITS },
    { "memory both writable and executable", "import mmap; mmap.mmap(-1, 4096, prot=7)", BY_MDWE },
};
enum { ATTEMPTS = sizeof attempts / sizeof attempts[0] };

static struct {
    char folder[64], tcp[16], udp[16], driver[16], abstract[32];
} bait;

/* --- bait --- */

static int listen_on(int type, char out_port[16])
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

    if (bind(fd, (struct sockaddr *)&address, length) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &length) != 0)
        exit(2);
    if (type == SOCK_STREAM)
        listen(fd, 64);
    snprintf(out_port, 16, "%d", ntohs(address.sin_port));
    return fd;
}

static void listen_at(const char *name, bool abstract)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    socklen_t length;

    snprintf(address.sun_path + abstract, sizeof address.sun_path - 1, "%s", name);
    length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name) + 1);
    if (!abstract)
        length = sizeof address;
    if (bind(fd, (struct sockaddr *)&address, length) != 0 || listen(fd, 64) != 0)
        exit(2);
    if (!abstract)
        chmod(name, 0777);
}

static void answer_udp(int fd)
{
    struct sockaddr_in from;
    socklen_t length = sizeof from;
    char byte;

    if (recvfrom(fd, &byte, 1, MSG_DONTWAIT, (struct sockaddr *)&from, &length) == 1)
        sendto(fd, &byte, 1, 0, (struct sockaddr *)&from, length);
}

static void write_secret(void)
{
    char path[128];
    int fd;

    snprintf(path, sizeof path, "%s/secret", bait.folder);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0 || write(fd, "secret", 6) != 6)
        exit(2);
    fchmod(fd, 0666);
    close(fd);
}

static int hold_out_bait(void)
{
    char path[128];
    int fd, i;

    snprintf(bait.folder, sizeof bait.folder, "/tmp/den-bait-XXXXXX");
    if (!mkdtemp(bait.folder) || chmod(bait.folder, 0777) != 0)
        exit(2);
    write_secret();
    snprintf(path, sizeof path, "%s/socket", bait.folder);
    listen_at(path, false);
    snprintf(bait.driver, sizeof bait.driver, "%d", (int)getpid());
    snprintf(bait.abstract, sizeof bait.abstract, "den-escape-%s", bait.driver);
    listen_at(bait.abstract, true);
    listen_on(SOCK_STREAM, bait.tcp);
    setenv("DEN_ESCAPE_SECRET", "secret", 1);
    fd = open("/etc/hostname", O_RDONLY);
    for (i = 50; i < 60; i++)
        dup2(fd, i); /* without CLOEXEC: a careless driver */
    return listen_on(SOCK_DGRAM, bait.udp);
}

static void take_bait_away(void)
{
    static const char *const names[] = { "secret", "gone", "new", "l", "socket", "" };
    char path[128];
    size_t i;

    for (i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", bait.folder, names[i]);
        remove(path);
    }
    remove("/tmp/den-escape");
    remove("/dev/shm/den-escape");
}

/* --- running --- */

static unsigned standing_walls(const struct den_sandbox_report *report)
{
    const struct den_sandbox_wall *walls = report->walls;
    long abi = walls[DEN_WALL_LANDLOCK].up ? strtol(walls[DEN_WALL_LANDLOCK].why + 4, NULL, 10) : 0;
    bool namespaces = walls[DEN_WALL_ROOT].up;
    size_t i;

    for (i = 0; i < DEN_SANDBOX_NAMESPACES; i++)
        namespaces = namespaces && walls[i].up;
    return (namespaces ? BY_NAMESPACES : 0u) | (abi >= 1 ? BY_LANDLOCK : 0u) |
           (abi >= 4 ? BY_LANDLOCK_4 : 0u) | (abi >= 6 ? BY_LANDLOCK_6 : 0u) |
           (walls[DEN_WALL_SECCOMP].up ? BY_SECCOMP : 0u) |
           (walls[DEN_WALL_EXECUTION].up ? BY_MDWE : 0u) |
           (walls[DEN_WALL_LIMITS].up ? BY_LIMITS : 0u) |
           (walls[DEN_WALL_LIMITS].up && walls[DEN_WALL_USER].up ? BY_USER : 0u);
}

/* As nobody, so that root's rights are no explanation. */
static pid_t run_freely(const char *const *argv)
{
    pid_t pid = fork();

    if (pid != 0)
        return pid;
    if (geteuid() == 0 && (setgroups(0, NULL) != 0 || setgid(65534) != 0 || setuid(65534) != 0))
        _exit(2);
    execv("/usr/bin/python3", (char *const *)(uintptr_t)argv);
    _exit(2);
}

/* The exit status of python, or 256 and the signal. */
static int await(pid_t pid, int udp)
{
    int status;

    while (waitpid(pid, &status, WNOHANG) == 0) {
        answer_udp(udp);
        usleep(2000);
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 256 + WTERMSIG(status);
}

static int run_attempt(const struct attempt *attempt, unsigned without, int udp,
                       unsigned *out_walls)
{
    const char *const argv[] = { "python3", "-I",          "-S",          "-c",
                                 prelude,   attempt->code, bait.folder,   bait.tcp,
                                 bait.udp,  bait.driver,   bait.abstract, NULL };
    const struct den_sandbox_program program = { .path = "/usr/bin/python3",
                                                 .argv = argv,
                                                 .stdin_fd = -1,
                                                 .stdout_fd = -1,
                                                 .stderr_fd = 2,
                                                 .input_fd = -1,
                                                 .memory_bytes = (size_t)1 << 30,
                                                 .output_bytes = (size_t)300 << 20,
                                                 .seconds_max = 60 };
    struct den_sandbox_report report;
    struct den_error err = { 0 };
    pid_t pid;

    *out_walls = 0;
    write_secret();
    if (without == NO_WALLS)
        return await(run_freely(argv), udp);
    if (den_sandbox_program_spawn_without(&program, without, &pid, &report, &err) != DEN_OK) {
        fprintf(stderr, "escape_program: %s\n", err.message);
        exit(2);
    }
    *out_walls = standing_walls(&report);
    return await(pid, udp);
}

static int run_all(unsigned without)
{
    int udp = hold_out_bait(), failures = 0, escapes = 0, skipped = 0;
    size_t i;

    for (i = 0; i < ATTEMPTS; i++) {
        unsigned walls;
        int result = run_attempt(&attempts[i], without, udp, &walls);
        const bool must_hold = (attempts[i].walls & walls) != 0;
        const char *word = result == EXIT_DENIED    ? "denied"
                           : result == EXIT_ESCAPED ? "ESCAPED"
                           : result > 256           ? "killed"
                                                    : "BROKEN";

        if (without != NO_WALLS && !must_hold) {
            skipped++;
            word = "no wall stands";
        } else if (without != NO_WALLS && strcmp(word, "denied") != 0 &&
                   strcmp(word, "killed") != 0) {
            failures++;
        } else if (strcmp(word, "BROKEN") == 0) {
            failures++;
        }
        escapes += result == EXIT_ESCAPED;
        printf("%-40s %s\n", attempts[i].name, word);
    }
    take_bait_away();
    printf("%d attempts, %d came true, %d have no wall here\n", ATTEMPTS, escapes, skipped);
    if (without == NO_WALLS && escapes < CONTROL_ESCAPES_MIN)
        failures++;
    return failures != 0;
}

/* --- it dies with the process that started it, and by its limit --- */

static int run_ends(void)
{
    static const char *const sleeper[] = { "python3",
                                           "-I",
                                           "-S",
                                           "-c",
                                           "import time; print('up', flush=True); "
                                           "time.sleep(100000)",
                                           NULL };
    static const char *const spinner[] = { "python3", "-I", "-S", "-c", "while True: pass", NULL };
    struct den_sandbox_program program = {
        .path = "/usr/bin/python3", .argv = sleeper, .stdin_fd = -1, .stderr_fd = 2, .input_fd = -1
    };
    struct den_error err = { 0 };
    char byte;
    int fds[2], status;
    pid_t front, pid;

    if (pipe2(fds, O_CLOEXEC) != 0)
        return 2;
    program.stdout_fd = fds[1];
    front = fork();
    if (front == 0) {
        if (den_sandbox_program_spawn(&program, &pid, NULL, &err) != DEN_OK)
            _exit(1);
        close(fds[1]);
        for (;;)
            pause();
    }
    close(fds[1]);
    if (read(fds[0], &byte, 1) != 1)
        return 1;
    kill(front, SIGKILL);
    waitpid(front, &status, 0);
    while (read(fds[0], &byte, 1) == 1) /* ends when the program has */
        continue;
    printf("a program dies with its parent\n");
    program.argv = spinner;
    program.stdout_fd = -1;
    program.seconds_max = 1;
    if (den_sandbox_program_spawn(&program, &pid, NULL, &err) != DEN_OK)
        return 1;
    waitpid(pid, &status, 0);
    if (!WIFSIGNALED(status))
        return 1;
    printf("a program that computes for too long is ended\n");
    return 0;
}

int main(int argc, char **argv)
{
    const char *without = argc > 2 && strcmp(argv[1], "--without") == 0 ? argv[2] : "";

    den_sandbox_become_program(argc, argv);
    if (access("/usr/bin/python3", X_OK) != 0) {
        printf("python3 is missing: skipped\n");
        return 77;
    }
    if (argc > 1 && strcmp(argv[1], "--ends") == 0)
        return run_ends();
    return run_all(strcmp(without, "namespaces") == 0 ? DEN_WITHOUT_NAMESPACES
                   : strcmp(without, "landlock") == 0 ? DEN_WITHOUT_LANDLOCK
                   : strcmp(without, "seccomp") == 0  ? DEN_WITHOUT_SECCOMP
                   : strcmp(without, "walls") == 0    ? NO_WALLS
                                                      : 0);
}
