/* See escape_orphan.h. A front is played by a forked process that starts a child from a thread
 * which then ends; the child must still answer. Then the front is killed, and the child must go:
 * the pipe to which it alone holds the other end closes. The child sleeps all the while, so it is
 * the kernel that ends it, not a read that failed. */
#include "escape_orphan.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guard/sandbox.h"

enum { PATIENCE_MS = 30000 };

int escape_orphan_child(void)
{
    const struct den_sandbox_lock options = { .files_max = 64 };
    struct den_sandbox_report report;
    struct den_error err = { 0 };
    char byte;

    if (den_sandbox_lock(&options, &report, &err) != DEN_OK)
        _exit(1);
    while (read(3, &byte, 1) == 1 && byte != 'z')
        if (write(3, &byte, 1) != 1)
            _exit(1);
    for (;;)
        poll(NULL, 0, -1);
    return 0;
}

static void *start_child(void *fd)
{
    static const char *const argv[] = { "escape", "orphan", NULL };
    const struct den_sandbox_spawn options = { .argv = argv,
                                               .descriptors = fd,
                                               .descriptor_count = 1 };
    struct den_error err = { 0 };
    pid_t pid;

    if (den_sandbox_spawn(&options, &pid, &err) != DEN_OK) {
        fprintf(stderr, "escape: %s\n", err.message);
        _exit(2);
    }
    return NULL;
}

static int play_front(int fd)
{
    pthread_t thread;

    pthread_create(&thread, NULL, start_child, &fd);
    pthread_join(thread, NULL);
    close(fd);
    for (;;)
        pause();
    return 0;
}

static int answers(int fd)
{
    struct pollfd waiting = { .fd = fd, .events = POLLIN };
    char byte = 'a';

    return write(fd, &byte, 1) == 1 && poll(&waiting, 1, PATIENCE_MS) == 1 &&
           read(fd, &byte, 1) == 1 && byte == 'a';
}

static int ends(int fd)
{
    struct pollfd waiting = { .fd = fd, .events = POLLIN };
    char byte;

    return poll(&waiting, 1, PATIENCE_MS) == 1 && read(fd, &byte, 1) <= 0;
}

int escape_orphan_run(void)
{
    int fds[2], status;
    pid_t front;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0)
        return 2;
    front = fork();
    if (front == 0) {
        close(fds[0]);
        _exit(play_front(fds[1]));
    }
    close(fds[1]);
    if (!answers(fds[0])) {
        printf("the child did not outlive the thread that made it\n");
        kill(front, SIGKILL);
        return 1;
    }
    if (write(fds[0], "z", 1) != 1) /* no longer reads: it sleeps */
        return 2;
    kill(front, SIGKILL);
    waitpid(front, &status, 0);
    if (!ends(fds[0])) {
        printf("the child outlived its parent\n");
        return 1;
    }
    printf("the child outlived the thread that made it and died with its parent\n");
    return 0;
}
