/* The driver: holds out the bait, runs each attempt in a sandbox of its own, prints a table.
 *
 * escape                            the sandbox as workers get it here escape --without seccomp
 * ... with that wall left out (or namespaces, or Landlock) escape --orphan                   a
 * child dies with its parent, not with the thread that made it
 *
 * The status is 0 only if every attempt was denied that a standing wall denies. The same program
 * is the child: `escape attempt NUMBER WITHOUT`. What a child says: its walls when it is locked,
 * then the outcome. No second word and death by SIGSYS: seccomp ended it. An end with status 0:
 * it became another program. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "escape.h"
#include "escape_orphan.h"
#include "guard/sandbox_parts.h"

enum { SKIPPED = -2, CHANGED = -3, CONTROL_ESCAPES_MIN = 40 };
#define NO_WALLS (DEN_WITHOUT_NAMESPACES | DEN_WITHOUT_LANDLOCK | DEN_WITHOUT_SECCOMP)
struct hello {
    enum den_sandbox_level level;
    unsigned walls;
};

struct bait bait = { .memory_bytes = (size_t)1 << 30, .files_max = 64 };
static char memory_bait[64] = "what only the parent should see";

int outcome(long result)
{
    return result >= 0 ? ESCAPED : errno;
}

/* --- the attempts as one numbered list --- */

static size_t attempt_count(void)
{
    return file_attempt_count + network_attempt_count + process_attempt_count +
           resource_attempt_count + call_attempt_count;
}

/* The attempt's name and walls; *out_attempt or *out_call is set. */
static void find_attempt(size_t number, const struct attempt **out_attempt,
                         const struct call_attempt **out_call)
{
    const struct {
        const struct attempt *table;
        size_t count;
    } tables[] = {
        { file_attempts, file_attempt_count },
        { network_attempts, network_attempt_count },
        { process_attempts, process_attempt_count },
        { resource_attempts, resource_attempt_count },
    };
    size_t i;

    *out_attempt = NULL;
    *out_call = NULL;
    for (i = 0; i < COUNT(tables); i++) {
        if (number < tables[i].count) {
            *out_attempt = &tables[i].table[number];
            return;
        }
        number -= tables[i].count;
    }
    *out_call = &call_attempts[number];
}

/* --- the child --- */

static unsigned standing_walls(const struct den_sandbox_report *report)
{
    const struct den_sandbox_wall *walls = report->walls;
    long abi = walls[DEN_WALL_LANDLOCK].up ? strtol(walls[DEN_WALL_LANDLOCK].why + 4, NULL, 10) : 0;
    bool namespaces = walls[DEN_WALL_ROOT].up, born = walls[DEN_WALL_LIMITS].up;
    size_t i;

    for (i = 0; i < DEN_SANDBOX_NAMESPACES; i++)
        namespaces = namespaces && walls[i].up;
    born = born && walls[DEN_WALL_ENVIRONMENT].up && walls[DEN_WALL_DESCRIPTORS].up &&
           walls[DEN_WALL_CAPABILITIES].up;
    return (namespaces ? BY_NAMESPACES : 0u) | (abi >= 2 ? BY_LANDLOCK : 0u) |
           (abi >= 4 ? BY_LANDLOCK_4 : 0u) | (abi >= 6 ? BY_LANDLOCK_6 : 0u) |
           (walls[DEN_WALL_SECCOMP].up ? BY_SECCOMP : 0u) |
           (walls[DEN_WALL_EXECUTION].up ? BY_MDWE : 0u) | (born ? BY_LIMITS : 0u) |
           (born && walls[DEN_WALL_USER].up ? BY_THREADS : 0u) |
           (walls[DEN_WALL_CAPABILITIES].up && walls[DEN_WALL_IDENTITY].up ? BY_KERNEL : 0u);
}

static int try_call(const struct call_attempt *call)
{
    const uintptr_t *arguments = call->arguments;

    return outcome(syscall(call->number, arguments[0], arguments[1], arguments[2], arguments[3],
                           arguments[4], arguments[5]));
}

static int run_child(size_t number, unsigned without)
{
    const struct den_sandbox_lock options = { .memory_bytes = bait.memory_bytes,
                                              .files_max = bait.files_max };
    const struct attempt *attempt;
    const struct call_attempt *call;
    struct den_sandbox_report report;
    struct den_error err = { 0 };
    struct hello hello;
    unsigned walls;
    int result;

    if (read(FD_END, &bait, sizeof bait) != (ssize_t)sizeof bait || close(FD_END) != 0)
        return 3;
    find_attempt(number, &attempt, &call);
    walls = attempt ? attempt->walls : call->walls;
    if (attempt && strstr(attempt->name, "earlier thread"))
        start_early_thread();
    if (without == NO_WALLS)
        hello = (struct hello){ DEN_SANDBOX_NONE, 0 };
    else if (den_sandbox_lock_without(&options, without, &report, &err) != DEN_OK)
        return 4;
    else
        hello = (struct hello){ report.level, standing_walls(&report) };
    if (write(FD_REPLY, &hello, sizeof hello) != (ssize_t)sizeof hello)
        return 5;
    errno = 0;
    if (without != NO_WALLS && !(walls & hello.walls))
        result = SKIPPED;
    else
        result = attempt ? attempt->run() : try_call(call);
    _exit(write(FD_REPLY, &result, sizeof result) == (ssize_t)sizeof result ? 7 : 6);
}

/* --- the bait --- */

static int listen_on(int family, int type, const void *address, size_t length)
{
    int fd = socket(family, type | SOCK_CLOEXEC, 0);

    if (fd < 0 || bind(fd, address, (socklen_t)length) != 0 ||
        (type == SOCK_STREAM && listen(fd, 64) != 0)) {
        perror("escape: bait");
        exit(2);
    }
    return fd;
}

static int listen_on_loopback(int type)
{
    struct sockaddr_in address = { .sin_family = AF_INET };
    socklen_t length = sizeof address;
    int fd;

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    fd = listen_on(AF_INET, type, &address, sizeof address);
    getsockname(fd, (struct sockaddr *)&address, &length);
    return ntohs(address.sin_port);
}

static void put_file(const char *name)
{
    char path[256];
    int fd;

    snprintf(path, sizeof path, "%s/%s", bait.folder, name);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0 || fchmod(fd, 0666) != 0 || write(fd, "open to all", 11) != 11)
        perror("escape: bait");
    close(fd);
}

static void hold_out_bait(void)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };

    snprintf(bait.folder, sizeof bait.folder, "/tmp/den-escape-XXXXXX");
    if (!mkdtemp(bait.folder) || chmod(bait.folder, 0777) != 0) {
        perror("escape: bait");
        exit(2);
    }
    bait.tcp_port = listen_on_loopback(SOCK_STREAM);
    bait.udp_port = listen_on_loopback(SOCK_DGRAM);
    snprintf(address.sun_path, sizeof address.sun_path, "%s/socket", bait.folder);
    listen_on(AF_UNIX, SOCK_STREAM, &address, sizeof address);
    chmod(address.sun_path, 0777);
    snprintf(bait.abstract, sizeof bait.abstract, "den-escape-%d", (int)getpid());
    memset(address.sun_path, 0, sizeof address.sun_path);
    memcpy(address.sun_path + 1, bait.abstract, strlen(bait.abstract));
    listen_on(AF_UNIX, SOCK_STREAM, &address,
              offsetof(struct sockaddr_un, sun_path) + 1 + strlen(bait.abstract));
    bait.driver_pid = (int)getpid();
    bait.driver_memory = (uintptr_t)memory_bait;
    setenv("DEN_ESCAPE_SECRET", "what only the parent should know", 1);
    dup2(open("/etc/passwd", O_RDONLY), 77); /* neither is close-on-exec */
}

static void take_bait_back(void)
{
    static const char *const names[] = { "secret",  "victim",  "socket",
                                         "planted", "renamed", "linked" };
    char path[256];
    size_t i;

    for (i = 0; i < COUNT(names); i++) {
        snprintf(path, sizeof path, "%s/%s", bait.folder, names[i]);
        unlink(path);
    }
    rmdir(bait.folder);
}

static int make_sealed(void)
{
    char page[4096] = "sealed";
    int fd = memfd_create("sealed", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    if (fd < 0 || write(fd, page, sizeof page) != (ssize_t)sizeof page ||
        fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) != 0)
        perror("escape: memfd");
    return fd;
}

static int open_terminal(void)
{
    static int master = -1;

    if (master < 0) {
        master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
        if (master >= 0 && (grantpt(master) != 0 || unlockpt(master) != 0))
            perror("escape: terminal");
    }
    return open(master >= 0 ? ptsname(master) : "/dev/null", O_RDWR | O_NOCTTY | O_CLOEXEC);
}

/* --- the driver --- */

static int judge(pid_t pid, int reply_fd, struct hello *hello, int *out_signal)
{
    int result = CHANGED, status = 0;
    bool greeted = read(reply_fd, hello, sizeof *hello) == (ssize_t)sizeof *hello;

    if (greeted && read(reply_fd, &result, sizeof result) != (ssize_t)sizeof result)
        result = CHANGED;
    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
    *out_signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    if (!greeted) {
        fprintf(stderr, "escape: a child ended before it was locked (status %x)\n", status);
        exit(2);
    }
    return result;
}

static int run_attempt(size_t number, unsigned without, struct hello *hello, int *out_signal)
{
    char number_text[16], without_text[16];
    const char *const argv[] = { "escape", "attempt", number_text, without_text, NULL };
    char path[256];
    int replies[2], baits[2], fds[FD_END - 2], result;
    struct den_sandbox_spawn options = {
        .argv = argv, .descriptors = fds, .descriptor_count = FD_END - 2, .keep_stderr = true
    };
    struct den_error err = { 0 };
    pid_t pid;
    size_t i;

    put_file("secret"); /* again: the last attempt may have had it */
    put_file("victim");
    snprintf(number_text, sizeof number_text, "%zu", number);
    snprintf(without_text, sizeof without_text, "%u", without);
    snprintf(path, sizeof path, "%s/secret", bait.folder);
    if (pipe2(replies, O_CLOEXEC) != 0 || pipe2(baits, O_CLOEXEC) != 0 ||
        write(baits[1], &bait, sizeof bait) != (ssize_t)sizeof bait)
        perror("escape: pipe");
    fds[FD_REPLY - 3] = replies[1];
    fds[FD_READ_ONLY - 3] = open(path, O_RDONLY | O_CLOEXEC);
    fds[FD_SEALED - 3] = make_sealed();
    fds[FD_TERMINAL - 3] = open_terminal();
    fds[FD_END - 3] = baits[0];
    if (den_sandbox_spawn_without(&options, without, &pid, &err) != DEN_OK) {
        fprintf(stderr, "escape: %s\n", err.message);
        exit(2);
    }
    for (i = 0; i < COUNT(fds); i++)
        close(fds[i]);
    close(baits[1]);
    result = judge(pid, replies[0], hello, out_signal);
    close(replies[0]);
    return result;
}

/* True when it was denied or skipped. */
static bool report(const char *name, int result, int signal_number)
{
    if (result == SKIPPED)
        printf("%-44s| skipped: only a missing wall denies it\n", name);
    else if (result == CHANGED && signal_number == SIGSYS)
        printf("%-44s| denied: ended by seccomp\n", name);
    else if (result == CHANGED && signal_number && signal_number != SIGKILL)
        printf("%-44s| BROKEN: ended by signal %d\n", name, signal_number);
    else if (result == CHANGED || result == ESCAPED)
        printf("%-44s| ESCAPED\n", name);
    else
        printf("%-44s| denied: %s\n", name, strerror(result));
    return result == SKIPPED || result > 0 || (result == CHANGED && signal_number == SIGSYS);
}

/* A front that is root gives its children another user, which alone denies much. Attempts are made
 * in the harder case, by the user whose processes and files are to be protected. */
static void leave_root(void)
{
    if (geteuid() == 0 && (setgroups(0, NULL) != 0 ||
                           setresgid(DEN_SANDBOX_NOBODY, DEN_SANDBOX_NOBODY, DEN_SANDBOX_NOBODY) ||
                           setresuid(DEN_SANDBOX_NOBODY, DEN_SANDBOX_NOBODY, DEN_SANDBOX_NOBODY)))
        perror("escape: can't leave root");
    prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

static int run_all(unsigned without)
{
    size_t i, count = attempt_count(), skipped = 0, failed = 0;
    struct hello hello = { 0 };

    leave_root();
    hold_out_bait();
    printf("%-44s| result\n", "attempt");
    for (i = 0; i < count; i++) {
        const struct attempt *attempt;
        const struct call_attempt *call;
        int signal_number, result = run_attempt(i, without, &hello, &signal_number);

        find_attempt(i, &attempt, &call);
        failed += !report(attempt ? attempt->name : call->name, result, signal_number);
        skipped += result == SKIPPED;
        fflush(stdout);
    }
    take_bait_back();
    printf("level \"%s\": %zu attempts, %zu denied, %zu skipped, %zu escaped\n",
           den_sandbox_level_text(hello.level), count, count - skipped - failed, skipped, failed);
    if (without == NO_WALLS)
        return failed < CONTROL_ESCAPES_MIN;
    return failed > 0 || skipped == count;
}

static unsigned read_without(const char *text)
{
    if (strcmp(text, "namespaces") == 0)
        return DEN_WITHOUT_NAMESPACES;
    if (strcmp(text, "landlock") == 0)
        return DEN_WITHOUT_LANDLOCK;
    if (strcmp(text, "walls") == 0)
        return NO_WALLS;
    return strcmp(text, "seccomp") == 0 ? DEN_WITHOUT_SECCOMP : 0;
}

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "attempt") == 0)
        return run_child((size_t)strtoul(argv[2], NULL, 10), (unsigned)strtoul(argv[3], NULL, 10));
    if (argc == 2 && strcmp(argv[1], "orphan") == 0)
        return escape_orphan_child();
    if (argc == 2 && strcmp(argv[1], "--orphan") == 0)
        return escape_orphan_run();
    if (argc == 3 && strcmp(argv[1], "--without") == 0 && read_without(argv[2]))
        return run_all(read_without(argv[2]));
    if (argc == 1)
        return run_all(0);
    fprintf(stderr, "usage: escape [--without namespaces|landlock|seccomp|walls | --orphan]\n");
    return 2;
}
