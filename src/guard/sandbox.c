/* See sandbox.h. This file puts the walls up in their order and says how far it came.
 *
 * The order matters: what reads /proc comes before the root is emptied, what needs the one
 * capability before it is dropped, Landlock after the mounts (it would refuse them), and seccomp
 * last, because it refuses everything that the others do. */
#include "guard/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "guard/sandbox_parts.h"

static const struct {
    const char *name;
    bool is_needed;
} walls[DEN_WALL_COUNT] = {
#define DEN_SANDBOX_WALL_ROW(name, text, needed) { text, needed },
    DEN_SANDBOX_WALL_TABLE(DEN_SANDBOX_WALL_ROW)
#undef DEN_SANDBOX_WALL_ROW
};
_Static_assert((int)DEN_WALL_COUNT <= (int)DEN_SANDBOX_WALLS_MAX, "the report must hold all walls");

/* --- the report --- */

const char *den_sandbox_level_text(enum den_sandbox_level level)
{
    static const char *const texts[] = {
        [DEN_SANDBOX_NONE] = "none",
        [DEN_SANDBOX_LANDLOCK_ONLY] = "Landlock only",
        [DEN_SANDBOX_SECCOMP_ONLY] = "seccomp only",
        [DEN_SANDBOX_NO_NAMESPACES] = "no namespaces",
        [DEN_SANDBOX_NO_LANDLOCK] = "no Landlock",
        [DEN_SANDBOX_FULL] = "full",
    };

    return texts[level];
}

void den_sandbox_mark(struct den_sandbox_report *report, enum den_sandbox_wall_id id, bool up,
                      const char *format, ...)
{
    struct den_sandbox_wall *wall = &report->walls[id];
    va_list arguments;

    wall->up = up;
    va_start(arguments, format);
    vsnprintf(wall->why, sizeof wall->why, format, arguments);
    va_end(arguments);
}

enum den_sandbox_level den_sandbox_judge(const struct den_sandbox_report *report)
{
    bool landlock = report->walls[DEN_WALL_LANDLOCK].up;
    bool seccomp = report->walls[DEN_WALL_SECCOMP].up;
    bool namespaces = report->walls[DEN_WALL_ROOT].up, all = true;
    size_t i;

    for (i = 0; i < DEN_WALL_COUNT; i++)
        all = all && (report->walls[i].up || !walls[i].is_needed);
    for (i = 0; i < DEN_SANDBOX_NAMESPACES; i++)
        namespaces = namespaces && report->walls[i].up;
    if (all)
        return DEN_SANDBOX_FULL;
    if (!seccomp)
        return landlock ? DEN_SANDBOX_LANDLOCK_ONLY : DEN_SANDBOX_NONE;
    if (landlock)
        return DEN_SANDBOX_NO_NAMESPACES;
    return namespaces ? DEN_SANDBOX_NO_LANDLOCK : DEN_SANDBOX_SECCOMP_ONLY;
}

void den_sandbox_name_missing(const struct den_sandbox_report *report, char *out, size_t capacity)
{
    size_t i, length = 0;

    *out = '\0';
    for (i = 0; i < DEN_WALL_COUNT && length < capacity; i++)
        if (walls[i].is_needed && !report->walls[i].up)
            length += (size_t)snprintf(out + length, capacity - length, "%s%s", length ? ", " : "",
                                       walls[i].name);
}

/* --- locking --- */

static int strip_thread(int ruleset)
{
    int error = den_sandbox_clear_capabilities();

    return error || ruleset < 0 ? error : den_sandbox_landlock_enter(ruleset);
}

static void enter_landlock(int ruleset, int abi, const char *why, struct den_sandbox_report *report)
{
    int error = ruleset < 0 ? 0 : den_sandbox_landlock_enter(ruleset);

    if (ruleset < 0 || error)
        den_sandbox_mark(report, DEN_WALL_LANDLOCK, false, "%s", error ? strerror(error) : why);
    else
        den_sandbox_mark(report, DEN_WALL_LANDLOCK, true, "ABI %d", abi);
    if (ruleset >= 0)
        close(ruleset);
}

static void raise_walls(const struct den_sandbox_lock *options, unsigned without,
                        struct den_sandbox_report *report)
{
    struct den_sandbox_birth birth;
    const char *why = "left out";
    int abi = 0, ruleset = -1, stragglers;

    den_sandbox_read_birth(getenv(DEN_SANDBOX_VARIABLE), &birth);
    unsetenv(DEN_SANDBOX_VARIABLE);
    tzset(); /* reads the time zone's file while there is one */
    den_sandbox_check_namespaces(&birth, report);
    den_sandbox_check_birth(&birth, report);
    if (!(without & DEN_WITHOUT_LANDLOCK))
        ruleset = den_sandbox_landlock_create(&abi, &why);
    stragglers = den_sandbox_on_other_threads(strip_thread, ruleset);
    den_sandbox_empty_root(report);
    den_sandbox_check_identity(report);
    den_sandbox_drop_capabilities(report);
    den_sandbox_limit(options, report);
    den_sandbox_mark(report, DEN_WALL_PRIVILEGES, prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, "%s",
                     "");
    enter_landlock(ruleset, abi, why, report);
    if (stragglers > 0) {
        den_sandbox_mark(report, DEN_WALL_CAPABILITIES, false, "a thread could not be reached");
        den_sandbox_mark(report, DEN_WALL_LANDLOCK, false, "a thread could not be reached");
    }
    den_sandbox_refuse_execution(report);
    if (!(without & DEN_WITHOUT_SECCOMP))
        den_sandbox_filter_calls(report);
}

enum den_status den_sandbox_lock_without(const struct den_sandbox_lock *options, unsigned without,
                                         struct den_sandbox_report *out, struct den_error *err)
{
    struct den_sandbox_report report = { .wall_count = DEN_WALL_COUNT };
    char missing[512];
    size_t i;

    for (i = 0; i < DEN_WALL_COUNT; i++)
        report.walls[i].name = walls[i].name;
    raise_walls(options, without, &report);
    report.level = den_sandbox_judge(&report);
    *out = report;
    if (!options->require_full || report.level == DEN_SANDBOX_FULL)
        return DEN_OK;
    den_sandbox_name_missing(&report, missing, sizeof missing);
    return den_fail(err, DEN_FORBIDDEN,
                    "sandbox: it is not whole on this machine, as --require-sandbox asks; missing: "
                    "%s; 'den doctor' says why",
                    missing);
}

enum den_status den_sandbox_lock(const struct den_sandbox_lock *options,
                                 struct den_sandbox_report *out, struct den_error *err)
{
    return den_sandbox_lock_without(options, 0, out, err);
}

/* --- the probe --- */

static const char probe_verb[] = "sandbox-probe";

void den_sandbox_answer_probe(int argc, char **argv)
{
    const struct den_sandbox_lock options = { .memory_bytes = (size_t)1 << 30, .files_max = 64 };
    struct den_sandbox_report report;
    struct den_error err = { 0 };

    if (argc != 2 || strcmp(argv[1], probe_verb) != 0)
        return;
    if (den_sandbox_lock(&options, &report, &err) != DEN_OK)
        _exit(den_status_exit(err.status));
    _exit(write(3, &report, sizeof report) == (ssize_t)sizeof report ? 0 : 1);
}

/* The names are pointers into the child's memory; ours are the same texts. */
bool den_sandbox_adopt_report(struct den_sandbox_report *report)
{
    size_t i;

    if (report->wall_count != DEN_WALL_COUNT || report->level > DEN_SANDBOX_FULL)
        return false;
    for (i = 0; i < DEN_WALL_COUNT; i++) {
        report->walls[i].name = walls[i].name;
        report->walls[i].why[DEN_SANDBOX_WHY_MAX - 1] = '\0';
    }
    return true;
}

enum den_status den_sandbox_probe(struct den_sandbox_report *out, struct den_error *err)
{
    const char *const argv[] = { "den", probe_verb, NULL };
    struct den_sandbox_spawn options = { .argv = argv, .descriptor_count = 1 };
    struct den_sandbox_report report;
    int fds[2], status = 0;
    ssize_t length;
    pid_t pid;

    if (pipe2(fds, O_CLOEXEC) != 0)
        return den_fail_errno(err, DEN_IO, "sandbox: no pipe");
    options.descriptors = &fds[1];
    if (den_sandbox_spawn(&options, &pid, err) != DEN_OK) {
        close(fds[0]);
        close(fds[1]);
        return err->status;
    }
    close(fds[1]);
    do
        length = read(fds[0], &report, sizeof report); /* one write of less than PIPE_BUF */
    while (length < 0 && errno == EINTR);
    close(fds[0]);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    if (length != (ssize_t)sizeof report || !den_sandbox_adopt_report(&report))
        return den_fail(err, DEN_INTERNAL, "sandbox: the probe ended without an answer (%s %d)",
                        WIFSIGNALED(status) ? "signal" : "exit",
                        WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    *out = report;
    return DEN_OK;
}
_Static_assert(sizeof(struct den_sandbox_report) < 4096, "one write to a pipe is atomic up to it");
