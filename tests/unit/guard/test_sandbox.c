/* The levels that walls make, and a child that is spawned and locks itself in. What it then can't
 * do is the matter of tests/escape. */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "guard/sandbox_parts.h"

static struct den_sandbox_report all_up(void)
{
    struct den_sandbox_report report = { .wall_count = DEN_WALL_COUNT };
    size_t i;

    for (i = 0; i < DEN_WALL_COUNT; i++)
        report.walls[i].up = true;
    return report;
}

static void levels(void **state)
{
    struct den_sandbox_report report = all_up();
    size_t i;

    assert_int_equal(den_sandbox_judge(&report), DEN_SANDBOX_FULL);
    report.walls[DEN_WALL_EXECUTION].up = false; /* an older kernel */
    assert_int_equal(den_sandbox_judge(&report), DEN_SANDBOX_FULL);
    for (i = 0; i < DEN_WALL_EXECUTION; i++) {
        report = all_up();
        report.walls[i].up = false;
        assert_int_not_equal(den_sandbox_judge(&report), DEN_SANDBOX_FULL);
    }
    report = all_up();
    report.walls[DEN_WALL_ROOT].up = false;
    assert_int_equal(den_sandbox_judge(&report), DEN_SANDBOX_NO_NAMESPACES);
    report.walls[DEN_WALL_LANDLOCK].up = false;
    assert_int_equal(den_sandbox_judge(&report), DEN_SANDBOX_SECCOMP_ONLY);
    report.walls[DEN_WALL_SECCOMP].up = false;
    assert_int_equal(den_sandbox_judge(&report), DEN_SANDBOX_NONE);
    report.walls[DEN_WALL_LANDLOCK].up = true;
    assert_int_equal(den_sandbox_judge(&report), DEN_SANDBOX_LANDLOCK_ONLY);
    report = all_up();
    report.walls[DEN_WALL_LANDLOCK].up = false;
    assert_int_equal(den_sandbox_judge(&report), DEN_SANDBOX_NO_LANDLOCK);
    assert_string_equal(den_sandbox_level_text(DEN_SANDBOX_FULL), "full");
    assert_string_equal(den_sandbox_level_text(DEN_SANDBOX_NONE), "none");
}

static void missing_walls(void **state)
{
    struct den_sandbox_report report = all_up();
    char text[512];

    den_sandbox_name_missing(&report, text, sizeof text);
    assert_string_equal(text, "");
    report.walls[DEN_WALL_ROOT].up = report.walls[DEN_WALL_LANDLOCK].up = false;
    report.walls[DEN_WALL_EXECUTION].up = false; /* not needed */
    den_sandbox_name_missing(&report, text, sizeof text);
    assert_string_equal(text, "empty root, Landlock");
    memset(&report, 0, sizeof report);
    den_sandbox_name_missing(&report, text, 16); /* cut, terminated */
    assert_int_equal(strlen(text), 15);
}

static void births(void **state)
{
    struct den_sandbox_birth birth;

    den_sandbox_read_birth(NULL, &birth);
    assert_false(birth.spawned);
    den_sandbox_read_birth("1 22 333 4 5 6 4026531835;refused: by a container", &birth);
    assert_true(birth.spawned);
    assert_int_equal(birth.parent_namespaces[DEN_WALL_PID], 22);
    assert_int_equal(birth.parent_namespaces[DEN_WALL_CGROUP], 4026531835u);
    assert_string_equal(birth.why, "refused: by a container");
    den_sandbox_read_birth("7", &birth); /* cut short: nothing is known of the rest */
    assert_int_equal(birth.parent_namespaces[DEN_WALL_USER], 7);
    assert_int_equal(birth.parent_namespaces[DEN_WALL_PID], 0);
    den_sandbox_read_birth("nonsense", &birth);
    assert_int_equal(birth.parent_namespaces[DEN_WALL_USER], 0);
    assert_string_equal(birth.why, "");
}

/* --- a child --- */

struct answer {
    struct den_sandbox_report report;
    enum den_status status;
    char message[256]; /* of the error */
    int shifted;       /* the descriptor that should be 4 is */
    int variables;
};

extern char **environ;

static void *add_later(void *value)
{
    return (char *)value + 1;
}

static int play_child(int argc, char **argv)
{
    const struct den_sandbox_lock options = { .memory_bytes = (size_t)512 << 20,
                                              .files_max = 32,
                                              .require_full = argc > 2 };
    struct answer answer = { 0 };
    struct den_error err = { 0 };
    struct timespec now;
    pthread_t thread;
    void *result = NULL;
    char text[8] = "";

    if (pread(4, text, 5, 0) == 5 && strcmp(text, "four\n") == 0)
        answer.shifted = 1;
    answer.status = den_sandbox_lock(&options, &answer.report, &err);
    snprintf(answer.message, sizeof answer.message, "%.255s", err.message);
    while (environ[answer.variables])
        answer.variables++;
    /* what a worker lives on */
    free(malloc((size_t)64 << 20));
    if (pthread_create(&thread, NULL, add_later, text) != 0 || pthread_join(thread, &result) != 0 ||
        result != text + 1 || clock_gettime(CLOCK_MONOTONIC, &now) != 0 || !localtime(&now.tv_sec))
        answer.variables = -1;
#if defined(__x86_64__)
    (void)syscall(SYS_arch_prctl, 0x1023, 18); /* may ask for the registers of AMX */
#endif
    if (write(3, &answer, sizeof answer) != (ssize_t)sizeof answer || read(3, text, 1) != 0)
        _exit(1);
    _exit(42);
}

static int four(void)
{
    FILE *file = tmpfile();
    int fd;

    assert_non_null(file);
    fputs("four\n", file);
    fflush(file);
    fd = dup(fileno(file));
    fclose(file);
    return fd;
}

/* The child answers, and stays until the pipe closes. */
static pid_t start(const char *more, int *out_socket, struct answer *out)
{
    const char *const argv[] = { "den", "guard/test_sandbox", "child", more, NULL };
    int fds[2], given[2];
    struct den_sandbox_spawn options = {
        .argv = argv, .descriptors = given, .descriptor_count = 2, .keep_stderr = true
    };
    struct den_error err = { 0 };
    pid_t pid;

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    given[0] = fds[1];
    given[1] = four();
    assert_int_equal(den_sandbox_spawn(&options, &pid, &err), DEN_OK);
    close(fds[1]);
    close(given[1]);
    assert_int_equal(read(fds[0], out, sizeof *out), sizeof *out);
    *out_socket = fds[0];
    return pid;
}

static void end(pid_t pid, int socket_fd)
{
    int status;

    close(socket_fd);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 42);
}

static void child_locks_itself_in(void **state)
{
    struct answer answer;
    int socket_fd;
    pid_t pid = start(NULL, &socket_fd, &answer);

    assert_int_equal(answer.status, DEN_OK);
    assert_int_equal(answer.report.level, den_sandbox_judge(&answer.report));
    assert_true(answer.report.walls[DEN_WALL_CAPABILITIES].up);
    assert_true(answer.report.walls[DEN_WALL_IDENTITY].up || geteuid() == 0);
    assert_true(answer.report.walls[DEN_WALL_LIFELINE].up);
    assert_true(answer.report.walls[DEN_WALL_ENVIRONMENT].up);
    assert_true(answer.shifted);
    assert_in_range(answer.variables, 1, 3); /* LANG, TZ, a sanitizer's options; not DEN_SANDBOX */
    end(pid, socket_fd);
}

/* Whether there is a user 65534 to become: not so for the root of a small user namespace. */
static bool knows_nobody(void)
{
    unsigned first, outside, count;
    FILE *file = fopen("/proc/self/uid_map", "re");
    bool found = false;

    while (file && fscanf(file, "%u %u %u", &first, &outside, &count) == 3)
        found = found || (first <= DEN_SANDBOX_NOBODY && DEN_SANDBOX_NOBODY - first < count);
    if (file)
        fclose(file);
    return found;
}

/* A front that is root leaves its children nothing of root, inside or outside. */
static void child_of_root_is_nobody(void **state)
{
    struct answer answer;
    char path[64], text[4096] = "";
    const char *line;
    int socket_fd, fd;
    pid_t pid;

    if (geteuid() != 0 || !knows_nobody())
        skip();
    pid = start(NULL, &socket_fd, &answer);
    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(read(fd, text, sizeof text - 1) > 0);
    close(fd);
    line = strstr(text, "\nUid:");
    assert_non_null(line);
    assert_memory_equal(line + 1, "Uid:\t65534\t65534\t65534\t65534", 28);
    assert_non_null(strstr(text, "CapEff:\t0000000000000000"));
    assert_non_null(strstr(text, "NoNewPrivs:\t1"));
    end(pid, socket_fd);
}

static void whole_or_not_at_all(void **state)
{
    struct answer answer;
    char missing[512];
    int socket_fd;
    pid_t pid = start("whole", &socket_fd, &answer);

    den_sandbox_name_missing(&answer.report, missing, sizeof missing);
    if (answer.report.level == DEN_SANDBOX_FULL) {
        assert_int_equal(answer.status, DEN_OK);
    } else {
        assert_int_equal(answer.status, DEN_FORBIDDEN);
        assert_non_null(strstr(answer.message, "--require-sandbox"));
        assert_true(strlen(missing) > 0);
    }
    end(pid, socket_fd);
}

static void too_many_descriptors(void **state)
{
    const char *const argv[] = { "den", NULL };
    struct den_sandbox_spawn options = { .argv = argv,
                                         .descriptor_count = DEN_SANDBOX_DESCRIPTORS_MAX + 1 };
    struct den_error err = { 0 };
    pid_t pid = -7;

    assert_int_equal(den_sandbox_spawn(&options, &pid, &err), DEN_INVALID);
    assert_int_equal(pid, -7);
}

static void bad_descriptor(void **state)
{
    const char *const argv[] = { "den", NULL };
    const int bad = 999;
    struct den_sandbox_spawn options = { .argv = argv, .descriptors = &bad, .descriptor_count = 1 };
    struct den_error err = { 0 };
    pid_t pid = -7;

    assert_int_equal(den_sandbox_spawn(&options, &pid, &err), DEN_IO);
    assert_non_null(strstr(err.message, "arrange descriptors"));
    assert_int_equal(pid, -7);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* none is left behind */
    assert_int_equal(errno, ECHILD);
}

int guard_test_sandbox(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(levels),
        cmocka_unit_test(missing_walls),
        cmocka_unit_test(births),
        cmocka_unit_test(child_locks_itself_in),
        cmocka_unit_test(child_of_root_is_nobody),
        cmocka_unit_test(whole_or_not_at_all),
        cmocka_unit_test(too_many_descriptors),
        cmocka_unit_test(bad_descriptor),
    };

    if (argc > 1 && strcmp(argv[1], "child") == 0)
        return play_child(argc, argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
