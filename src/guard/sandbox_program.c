/* See sandbox_program.h.
 *
 * The child's arguments: den sandbox-program WITHOUT MEMORY OUTPUT SECONDS INPUT-PATH PROGRAM
 * ARGUMENTS...; its descriptors are those of enum DEN_PROGRAM_STDIN and on. It sends its report
 * through a pipe that exec closes; what comes after the report on that pipe is the errno of an
 * exec that failed. So the parent knows, when it returns, that the program runs, and in what. */
#include "guard/sandbox_program.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guard/sandbox_parts.h"

static const char verb[] = "sandbox-program";

enum {
    ARGUMENT_WITHOUT = 2,
    ARGUMENT_MEMORY,
    ARGUMENT_OUTPUT,
    ARGUMENT_SECONDS,
    ARGUMENT_INPUT,
    ARGUMENT_PROGRAM,
    FILES_MAX = 64,
    THREADS_MAX = 8 /* one works; libraries may start another to wait */
};

bool den_sandbox_program_find(const char *name, char out[64])
{
    static const char *const folders[] = { "/usr/bin", "/bin", "/usr/local/bin" };
    size_t i;

    if (strchr(name, '/'))
        return false;
    for (i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        int length = snprintf(out, 64, "%s/%s", folders[i], name);

        if (length > 0 && length < 64 && access(out, X_OK) == 0)
            return true;
    }
    return false;
}

/* --- the child --- */

static void limit_program(char **argv, struct den_sandbox_report *report)
{
    const size_t output = strtoull(argv[ARGUMENT_OUTPUT], NULL, 10);
    const size_t seconds = strtoull(argv[ARGUMENT_SECONDS], NULL, 10);
    const struct den_sandbox_lock options = {
        .memory_bytes = strtoull(argv[ARGUMENT_MEMORY], NULL, 10),
        .files_max = FILES_MAX,
    };
    bool up = true;

    den_sandbox_limit(&options, report);
    if (output > 0)
        up = den_sandbox_lower(RLIMIT_FSIZE, output);
    if (seconds > 0)
        up = den_sandbox_lower(RLIMIT_CPU, seconds) && up;
    if (report->walls[DEN_WALL_USER].up)
        up = den_sandbox_lower(RLIMIT_NPROC, THREADS_MAX) && up;
    if (!up)
        den_sandbox_mark(report, DEN_WALL_LIMITS, false, "%s", strerror(errno));
}

static void enter_landlock(unsigned without, struct den_sandbox_report *report)
{
    const bool own_root = report->walls[DEN_WALL_ROOT].up;
    const char *why = "left out";
    int abi = 0, error = 0, ruleset = -1;

    if (!(without & DEN_WITHOUT_LANDLOCK))
        ruleset = den_sandbox_landlock_create(&abi, &why);
    if (ruleset >= 0) {
        struct stat info;
        int input =
            fstat(DEN_PROGRAM_INPUT, &info) == 0 && S_ISREG(info.st_mode) ? DEN_PROGRAM_INPUT : -1;

        error = den_sandbox_landlock_allow_program(ruleset, abi, input, own_root);
        if (!error)
            error = den_sandbox_landlock_enter(ruleset);
        close(ruleset);
    }
    if (ruleset < 0 || error)
        den_sandbox_mark(report, DEN_WALL_LANDLOCK, false, "%s", error ? strerror(error) : why);
    else
        den_sandbox_mark(report, DEN_WALL_LANDLOCK, true, "ABI %d, the system's files can be read",
                         abi);
}

static void raise_walls(char **argv, unsigned without, struct den_sandbox_report *report)
{
    struct den_sandbox_birth birth;
    struct stat info;
    bool has_input = fstat(DEN_PROGRAM_INPUT, &info) == 0 && S_ISREG(info.st_mode);

    den_sandbox_read_birth(getenv(DEN_SANDBOX_VARIABLE), &birth);
    den_sandbox_check_namespaces(&birth, report);
    den_sandbox_check_birth(&birth, report);
    den_sandbox_program_root(has_input ? DEN_PROGRAM_INPUT : -1, argv[ARGUMENT_INPUT], report);
    den_sandbox_check_identity(report);
    den_sandbox_drop_capabilities(report);
    limit_program(argv, report);
    den_sandbox_mark(report, DEN_WALL_PRIVILEGES, prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, "%s",
                     "");
    enter_landlock(without, report);
    den_sandbox_refuse_execution(report);
    if (without & DEN_WITHOUT_SECCOMP)
        den_sandbox_mark(report, DEN_WALL_SECCOMP, false, "left out");
    else
        den_sandbox_filter_program(report);
}

/* stdin, stdout and stderr to their places; the rest closes by exec, but for an input that can be
 * reached through its descriptor only. */
static void arrange_descriptors(bool keep_input)
{
    int fd;

    for (fd = 0; fd < 3; fd++)
        dup2(DEN_PROGRAM_STDIN + fd, fd);
    for (fd = DEN_PROGRAM_STDIN; fd < DEN_PROGRAM_END; fd++)
        fcntl(fd, F_SETFD, fd == DEN_PROGRAM_INPUT && keep_input ? 0 : FD_CLOEXEC);
}

static void run_program(char **argv, bool own_root)
{
    static char home[] = "HOME=/tmp", temporary[] = "TMPDIR=/tmp", path[] = "PATH=/usr/bin",
                language[] = "LANG=C.UTF-8", threads[] = "OMP_THREAD_LIMIT=1",
                cache[] = "XDG_CACHE_HOME=/tmp", input[sizeof "/proc/self/fd/" + 16];
    char *environment[] = { home, temporary, path, language, threads, cache, NULL };
    char *arguments[DEN_PROGRAM_ARGUMENTS_MAX + 1] = { 0 };
    size_t i;

    snprintf(input, sizeof input, "/proc/self/fd/%d", DEN_PROGRAM_INPUT);
    for (i = 0; i < DEN_PROGRAM_ARGUMENTS_MAX && argv[ARGUMENT_PROGRAM + 1 + i]; i++) {
        char *argument = argv[ARGUMENT_PROGRAM + 1 + i];

        arguments[i] = !own_root && strcmp(argument, DEN_SANDBOX_INPUT) == 0 ? input : argument;
    }
    execve(argv[ARGUMENT_PROGRAM], arguments, environment);
}

void den_sandbox_become_program(int argc, char **argv)
{
    struct den_sandbox_report report = { .wall_count = DEN_WALL_COUNT };
    struct stat info;
    unsigned without;
    int error;

    if (argc <= ARGUMENT_PROGRAM + 1 || strcmp(argv[1], verb) != 0 ||
        fstat(DEN_PROGRAM_REPORT, &info) != 0 || !S_ISFIFO(info.st_mode))
        return;
    without = (unsigned)strtoul(argv[ARGUMENT_WITHOUT], NULL, 10);
    raise_walls(argv, without, &report);
    report.level = den_sandbox_judge(&report);
    if (write(DEN_PROGRAM_REPORT, &report, sizeof report) != (ssize_t)sizeof report)
        _exit(127);
    if (report.level == DEN_SANDBOX_NONE && without == 0)
        _exit(127); /* the parent says why */
    arrange_descriptors(!report.walls[DEN_WALL_ROOT].up);
    run_program(argv, report.walls[DEN_WALL_ROOT].up);
    error = errno;
    if (write(DEN_PROGRAM_REPORT, &error, sizeof error) < 0)
        _exit(126);
    _exit(127);
}

/* --- the parent --- */

/* How much came: a report, and perhaps an errno. */
static size_t read_answer(int fd, void *bytes, size_t length)
{
    size_t done = 0;

    while (done < length) {
        ssize_t count = read(fd, (char *)bytes + done, length - done);

        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            break;
        done += (size_t)count;
    }
    return done;
}

static enum den_status await_start(const struct den_sandbox_program *program, int fd,
                                   struct den_sandbox_report *out_report, struct den_error *err)
{
    struct den_sandbox_report report;
    int error = 0;

    if (read_answer(fd, &report, sizeof report) != sizeof report ||
        !den_sandbox_adopt_report(&report))
        return den_fail(err, DEN_INTERNAL, "sandbox: %s: its process ended before it began",
                        program->path);
    if (read_answer(fd, &error, sizeof error) > 0) {
        errno = error;
        return den_fail_errno(err, DEN_UNSUPPORTED, "sandbox: %s can't be run", program->path);
    }
    if (report.level == DEN_SANDBOX_NONE)
        return den_fail(err, DEN_FORBIDDEN,
                        "sandbox: %s is not run: this kernel gives neither seccomp nor Landlock "
                        "nor namespaces to shut it in; 'den doctor' says why",
                        program->path);
    if (out_report)
        *out_report = report;
    return DEN_OK;
}

struct command { /* what the child is called with */
    char without[16], memory[32], output[32], seconds[16], input[DEN_PATH_BYTES_MAX];
    const char *argv[ARGUMENT_PROGRAM + DEN_PROGRAM_ARGUMENTS_MAX + 2];
};

static enum den_status make_command(const struct den_sandbox_program *program, unsigned without,
                                    struct command *command, struct den_error *err)
{
    char link[64];
    ssize_t length = -1;
    size_t i;

    snprintf(command->without, sizeof command->without, "%u", without);
    snprintf(command->memory, sizeof command->memory, "%zu", program->memory_bytes);
    snprintf(command->output, sizeof command->output, "%zu", program->output_bytes);
    snprintf(command->seconds, sizeof command->seconds, "%u", program->seconds_max);
    if (program->input_fd >= 0) {
        snprintf(link, sizeof link, "/proc/self/fd/%d", program->input_fd);
        length = readlink(link, command->input, sizeof command->input - 1);
    }
    command->input[length > 0 ? length : 0] = '\0';
    command->argv[0] = "den";
    command->argv[1] = verb;
    command->argv[ARGUMENT_WITHOUT] = command->without;
    command->argv[ARGUMENT_MEMORY] = command->memory;
    command->argv[ARGUMENT_OUTPUT] = command->output;
    command->argv[ARGUMENT_SECONDS] = command->seconds;
    command->argv[ARGUMENT_INPUT] = command->input;
    command->argv[ARGUMENT_PROGRAM] = program->path;
    for (i = 0; program->argv[i]; i++) {
        if (i == DEN_PROGRAM_ARGUMENTS_MAX)
            return den_fail(err, DEN_INVALID, "sandbox: %s: more than %d arguments", program->path,
                            DEN_PROGRAM_ARGUMENTS_MAX);
        command->argv[ARGUMENT_PROGRAM + 1 + i] = program->argv[i];
    }
    command->argv[ARGUMENT_PROGRAM + 1 + i] = NULL;
    return DEN_OK;
}

static enum den_status spawn(const struct den_sandbox_program *program, unsigned without,
                             int report_fd, pid_t *out_pid, struct den_error *err)
{
    struct command *command = calloc(1, sizeof *command);
    int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC), i;
    int descriptors[DEN_PROGRAM_END - DEN_PROGRAM_STDIN] = { program->stdin_fd, program->stdout_fd,
                                                             program->stderr_fd, report_fd,
                                                             program->input_fd };
    struct den_sandbox_spawn options = { .descriptors = descriptors,
                                         .descriptor_count = DEN_PROGRAM_END - DEN_PROGRAM_STDIN };

    for (i = 0; i < DEN_PROGRAM_END - DEN_PROGRAM_STDIN; i++)
        if (descriptors[i] < 0)
            descriptors[i] = null_fd;
    if (!command || null_fd < 0)
        den_fail(err, DEN_NO_MEMORY, "sandbox: no memory or descriptor to run %s", program->path);
    else if (make_command(program, without, command, err) == DEN_OK) {
        options.argv = command->argv;
        den_sandbox_spawn_without(&options, without, out_pid, err);
    }
    if (null_fd >= 0)
        close(null_fd);
    free(command);
    return err->status;
}

enum den_status den_sandbox_program_spawn_without(const struct den_sandbox_program *program,
                                                  unsigned without, pid_t *out_pid,
                                                  struct den_sandbox_report *out_report,
                                                  struct den_error *err)
{
    int fds[2];
    pid_t pid = -1;

    if (pipe2(fds, O_CLOEXEC) != 0)
        return den_fail_errno(err, DEN_IO, "sandbox: no pipe");
    spawn(program, without, fds[1], &pid, err);
    close(fds[1]);
    if (err->status == DEN_OK && await_start(program, fds[0], out_report, err) != DEN_OK) {
        kill(pid, SIGKILL);
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
            continue;
    }
    close(fds[0]);
    if (err->status == DEN_OK)
        *out_pid = pid;
    return err->status;
}

enum den_status den_sandbox_program_spawn(const struct den_sandbox_program *program, pid_t *out_pid,
                                          struct den_sandbox_report *out_report,
                                          struct den_error *err)
{
    return den_sandbox_program_spawn_without(program, 0, out_pid, out_report, err);
}

enum den_status den_sandbox_program_probe(struct den_sandbox_report *out, struct den_error *err)
{
    static const char *const argv[] = { "true", NULL };
    struct den_sandbox_program program = {
        .argv = argv, .stdin_fd = -1, .stdout_fd = -1, .stderr_fd = -1, .input_fd = -1
    };
    char path[64];
    pid_t pid;

    if (!den_sandbox_program_find("true", path))
        return den_fail(err, DEN_UNSUPPORTED, "sandbox: there is no /usr/bin/true to try it with");
    program.path = path;
    if (den_sandbox_program_spawn(&program, &pid, out, err) != DEN_OK)
        return err->status;
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        continue;
    return DEN_OK;
}
