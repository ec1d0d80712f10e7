/* Programs of others in their sandbox: they get their input, their output arrives, their limits
 * hold, and what can't be run is said. What they can't do is the matter of tests/escape. */
#include "test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guard/sandbox_parts.h"
#include "guard/sandbox_program.h"

__attribute__((constructor)) static void be_a_program_if_asked(int argc, char **argv)
{
    den_sandbox_become_program(argc, argv);
}

static struct den_error err;

static struct den_sandbox_program make(const char *const *argv, char path[64])
{
    struct den_sandbox_program program = {
        .argv = argv, .path = path, .stdin_fd = -1, .stderr_fd = -1, .input_fd = -1
    };

    assert_true(den_sandbox_program_find(argv[0], path));
    program.stdout_fd = memfd_create("output", MFD_CLOEXEC);
    program.memory_bytes = (size_t)512 << 20;
    program.seconds_max = 20;
    return program;
}

/* Its exit code; `out` gets the start of what it printed. */
static int run(const struct den_sandbox_program *program, unsigned without, char out[256])
{
    ssize_t length;
    int status = 0;
    pid_t pid;

    err = (struct den_error){ 0 };
    if (den_sandbox_program_spawn_without(program, without, &pid, NULL, &err) != DEN_OK)
        fail_msg("%s", err.message);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    length = pread(program->stdout_fd, out, 255, 0);
    assert_true(length >= 0);
    out[length] = '\0';
    close(program->stdout_fd);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static int make_file(const char *text)
{
    int fd = memfd_create("input", MFD_CLOEXEC);

    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    return fd;
}

static void finding(void **state)
{
    char path[64];

    assert_true(den_sandbox_program_find("cat", path));
    assert_string_equal(path + strlen(path) - 4, "/cat");
    assert_false(den_sandbox_program_find("no-such-program-here", path));
    assert_false(den_sandbox_program_find("../bin/cat", path));
    assert_false(den_sandbox_program_find("/usr/bin/cat", path));
}

/* A file in memory, and one with a name, with and without namespaces. */
static void input_and_output(void **state)
{
    static const char *const argv[] = { "cat", DEN_SANDBOX_INPUT, NULL };
    char path[64], out[256], name[] = "/tmp/den-input-XXXXXX";
    struct den_sandbox_program program = make(argv, path);
    int fd = mkstemp(name);

    program.input_fd = make_file("in memory");
    assert_int_equal(run(&program, 0, out), 0);
    assert_string_equal(out, "in memory");
    close(program.input_fd);
    assert_int_equal(write(fd, "on disk", 7), 7);
    assert_int_equal(fchmod(fd, 0644), 0);
    program = make(argv, path);
    program.input_fd = fd;
    assert_int_equal(run(&program, 0, out), 0);
    assert_string_equal(out, "on disk");
    program = make(argv, path);
    program.input_fd = fd;
    assert_int_equal(run(&program, DEN_WITHOUT_NAMESPACES, out), 0);
    assert_string_equal(out, "on disk");
    unlink(name);
    close(fd);
}

static void standard_input(void **state)
{
    static const char *const argv[] = { "cat", NULL };
    char path[64], out[256];
    struct den_sandbox_program program = make(argv, path);

    program.stdin_fd = make_file("typed");
    lseek(program.stdin_fd, 0, SEEK_SET);
    assert_int_equal(run(&program, 0, out), 0);
    assert_string_equal(out, "typed");
    close(program.stdin_fd);
}

static void exit_codes_and_limits(void **state)
{
    static const char *const fails[] = { "false", NULL };
    static const char *const fills[] = { "head",         "-c",           "2000000",
                                         "/usr/bin/env", "/usr/bin/env", NULL };
    char path[64], out[256];
    struct den_sandbox_program program = make(fails, path);
    struct stat info;

    assert_int_equal(run(&program, 0, out), 1);
    program = make(fills, path);
    program.output_bytes = 10000;
    info.st_size = dup(program.stdout_fd);
    assert_int_not_equal(run(&program, 0, out), 0);
    assert_true(lseek((int)info.st_size, 0, SEEK_END) <= 10000);
    close((int)info.st_size);
}

static void what_can_not_be_run(void **state)
{
    static const char *const argv[] = { "passwd", NULL };
    struct den_sandbox_program program = {
        .argv = argv, .stdin_fd = -1, .stdout_fd = -1, .stderr_fd = -1, .input_fd = -1
    };
    pid_t pid;

    program.path = "/usr/share/no-such-program";
    err = (struct den_error){ 0 };
    assert_int_equal(den_sandbox_program_spawn(&program, &pid, NULL, &err), DEN_UNSUPPORTED);
    assert_non_null(strstr(err.message, "no-such-program"));
}

static void probing(void **state)
{
    struct den_sandbox_report report;

    err = (struct den_error){ 0 };
    assert_int_equal(den_sandbox_program_probe(&report, &err), DEN_OK);
    assert_int_not_equal(report.level, DEN_SANDBOX_NONE);
    assert_string_equal(report.walls[DEN_WALL_ROOT].name, "empty root");
    assert_true(report.walls[DEN_WALL_PRIVILEGES].up);
    assert_true(report.walls[DEN_WALL_LIFELINE].up);
}

int guard_test_sandbox_program(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finding),
        cmocka_unit_test(input_and_output),
        cmocka_unit_test(standard_input),
        cmocka_unit_test(exit_codes_and_limits),
        cmocka_unit_test(what_can_not_be_run),
        cmocka_unit_test(probing),
    };

    (void)argc;
    (void)argv;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
