/* Resources: bombs, each of which may grow to its limit and no further; and memory that is both
 * written and run. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/limits.h"
#include "escape.h"

/* --- bombs --- */

static int bomb_processes(void)
{
    int i;

    for (i = 0; i < 64; i++) {
        pid_t pid = fork();

        if (pid == 0)
            _exit(0);
        if (pid < 0)
            return errno;
    }
    return ESCAPED;
}

static void *sleep_for_ever(void *unused)
{
    (void)unused;
    for (;;)
        pause();
    return NULL;
}
static int bomb_threads(void)
{
    pthread_attr_t small;
    pthread_t thread;
    int i, error;

    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 16384);
    for (i = 0; i < 2 * DEN_SANDBOX_THREADS_MAX; i++) {
        error = pthread_create(&thread, &small, sleep_for_ever, NULL);
        if (error)
            return error;
    }
    return ESCAPED;
}
static int bomb_descriptors(void)
{
    size_t i;

    for (i = 0; i < 2 * bait.files_max; i++)
        if (dup(FD_REPLY) < 0)
            return errno;
    return ESCAPED;
}
static int bomb_memory(void)
{
    const size_t step = (size_t)16 << 20;
    size_t total;

    for (total = 0; total < 2 * bait.memory_bytes; total += step)
        if (mmap(NULL, step, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
            MAP_FAILED)
            return errno;
    return ESCAPED;
}
static int bomb_memory_file(void)
{
    int fd = memfd_create("bomb", MFD_CLOEXEC);

    signal(SIGXFSZ, SIG_IGN);
    return fd < 0 ? errno : outcome(ftruncate(fd, 2l * DEN_SANDBOX_MEMFD_BYTES_MAX));
}
static int lift_limit(void)
{
    const struct rlimit none = { RLIM_INFINITY, RLIM_INFINITY };

    return outcome(setrlimit(RLIMIT_AS, &none));
}
static int lift_limit_by_prlimit(void)
{
    const struct rlimit none = { RLIM_INFINITY, RLIM_INFINITY };

    return outcome(prlimit(0, RLIMIT_NOFILE, &none, NULL));
}
static int grow_pipe(void)
{
    return outcome(fcntl(FD_REPLY, F_SETPIPE_SZ, 1 << 20));
}
static int ask_for_real_time(void)
{
    const struct sched_param first = { .sched_priority = 1 };

    return outcome(sched_setscheduler(0, SCHED_FIFO, &first));
}

/* --- memory that can be written and run --- */

static int map_executable(void)
{
    void *map =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return map == MAP_FAILED ? errno : ESCAPED;
}
static int make_executable(void)
{
    void *map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return map == MAP_FAILED ? errno : outcome(mprotect(map, 4096, PROT_READ | PROT_EXEC));
}
static int make_stack_executable(void)
{
    char here;
    uintptr_t page = (uintptr_t)&here & ~(uintptr_t)4095;

    return outcome(mprotect((void *)page, 4096, PROT_READ | PROT_WRITE | PROT_EXEC));
}
static int map_file_executable(void)
{
    int fd = memfd_create("code", MFD_CLOEXEC);
    void *map;

    if (fd < 0 || ftruncate(fd, 4096) != 0)
        return errno;
    map = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
    return map == MAP_FAILED ? errno : ESCAPED;
}
static int make_executable_by_key(void)
{
    void *map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return outcome(syscall(SYS_pkey_mprotect, map, 4096, PROT_READ | PROT_EXEC, -1));
}

/* --- another ABI --- */

#if defined(__x86_64__)
static int call_32_bit(void)
{
    long result = 20; /* getpid */

    __asm__ volatile("int $0x80" : "+a"(result) : : "memory");
    if (result < 0)
        errno = (int)-result;
    return outcome(result < 0 ? -1 : result);
}
static int call_x32(void)
{
    return outcome(syscall(0x40000000 | SYS_getpid));
}
#endif

const struct attempt resource_attempts[] = {
    { "fork bomb", BY_SECCOMP, bomb_processes },
    { "thread bomb", BY_THREADS, bomb_threads },
    { "descriptor bomb", BY_LIMITS, bomb_descriptors },
    { "memory bomb", BY_LIMITS, bomb_memory },
    { "memory file bomb", BY_LIMITS, bomb_memory_file },
    { "lift a limit", BY_LIMITS, lift_limit },
    { "lift a limit by prlimit", BY_LIMITS, lift_limit_by_prlimit },
    { "grow a pipe", BY_SECCOMP, grow_pipe },
    { "run in real time", BY_SECCOMP | BY_KERNEL, ask_for_real_time },
    { "map memory to write and run", BY_SECCOMP | BY_MDWE, map_executable },
    { "make written memory run", BY_SECCOMP | BY_MDWE, make_executable },
    { "make the stack run", BY_SECCOMP | BY_MDWE, make_stack_executable },
    { "map a memory file to run", BY_SECCOMP, map_file_executable },
    { "make memory run by pkey_mprotect", BY_SECCOMP | BY_MDWE, make_executable_by_key },
#if defined(__x86_64__)
    { "make a 32-bit call", BY_SECCOMP, call_32_bit },
    { "make an x32 call", BY_SECCOMP, call_x32 },
#endif
};
const size_t resource_attempt_count = COUNT(resource_attempts);
