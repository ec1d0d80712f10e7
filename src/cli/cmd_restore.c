/* den restore: everything back from a backup, all of it or nothing. A running den serve holds
 * conversations and work in memory: it is asked over HTTP instead (POST /api/restore), and this
 * verb says so. A database that is damaged is moved aside first: that is when a backup is needed
 * most. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "cli/home_files.h"
#include "cli/model_options.h"
#include "cli/serving_note.h"
#include "desk/backup.h"

/* The locks that a running Den has on its database: taken here, so that none begins meanwhile. */
struct locks {
    int serving, working;
};

static enum den_status refuse_serving(const char *home, struct den_error *err)
{
    struct den_cli_serving serving;

    if (!den_cli_serving_read(home, &serving))
        return den_fail(err, DEN_IN_USE,
                        "another Den uses %s (den serve, perhaps): stop it first, or let it "
                        "restore the backup itself by POST /api/restore at the address it told",
                        home);
    return den_fail(err, DEN_IN_USE,
                    "another Den uses %s: den serve at %s (process %ld). Stop it first (Ctrl-C, or "
                    "kill %ld), or let it restore the backup itself: curl --data-binary @FILE "
                    "%s/api/restore",
                    home, serving.address, serving.process, serving.process, serving.address);
}

static enum den_status refuse_working(const char *home, struct den_error *err)
{
    return den_fail(err, DEN_IN_USE,
                    "another Den uses %s: it reads documents (den add, perhaps). Wait until it has "
                    "ended, or stop it with Ctrl-C: what is left goes on later",
                    home);
}

/* *out stays -1 where another Den has it. */
static enum den_status lock(const char *home, const char *name, int *out, struct den_error *err)
{
    char path[DEN_PATH_BYTES_MAX];
    int fd;

    if (den_path_join(path, sizeof path, home, name, err) != DEN_OK)
        return err->status;
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return den_fail_errno(err, DEN_IO, "%s", path);
    if (flock(fd, LOCK_EX | LOCK_NB) != 0)
        close(fd);
    else
        *out = fd;
    return DEN_OK;
}

static void unlock(struct locks *locks)
{
    if (locks->serving >= 0)
        close(locks->serving);
    if (locks->working >= 0)
        close(locks->working);
}

static enum den_status take_locks(const char *home, struct locks *out, struct den_error *err)
{
    *out = (struct locks){ -1, -1 };
    if (lock(home, "den.db.serving", &out->serving, err) == DEN_OK && out->serving < 0)
        refuse_serving(home, err);
    if (err->status == DEN_OK && lock(home, "den.db.working", &out->working, err) == DEN_OK &&
        out->working < 0)
        refuse_working(home, err);
    if (err->status != DEN_OK)
        unlock(out);
    return err->status;
}

/* --- a database that can't be opened --- */

static const char *const ends[] = { "", "-wal", "-shm" };

static enum den_status move_files(const char *from, const char *to, struct den_error *err)
{
    size_t i;

    for (i = 0; i < sizeof ends / sizeof ends[0] && err->status == DEN_OK; i++) {
        char old[DEN_PATH_BYTES_MAX + 8], new[DEN_PATH_BYTES_MAX + 8];

        snprintf(old, sizeof old, "%s%s", from, ends[i]);
        snprintf(new, sizeof new, "%s%s", to, ends[i]);
        if (rename(old, new) != 0 && errno != ENOENT)
            den_fail_errno(err, DEN_IO, "%s", old);
    }
    return err->status;
}

/* `aside`: where the damaged one has gone; "": it is sound. Who only checks a backup has no locks,
 * and moves nothing: a newer Den may be working with what this one can't open. */
static enum den_status open_home(const char *path, bool checks, struct den_cli_home *out,
                                 char aside[DEN_PATH_BYTES_MAX], struct den_error *err)
{
    char database[DEN_PATH_BYTES_MAX], name[64];

    *aside = '\0';
    if (den_cli_home_open(out, err) != DEN_BAD_FILE || checks)
        return err->status;
    fprintf(stderr, "den: %s\n", err->message);
    *err = (struct den_error){ 0 };
    snprintf(name, sizeof name, "den.db.damaged-%lld", (long long)den_clock_unix());
    if (den_path_join(database, sizeof database, path, "den.db", err) != DEN_OK ||
        den_path_join(aside, DEN_PATH_BYTES_MAX, path, name, err) != DEN_OK ||
        move_files(database, aside, err) != DEN_OK)
        return err->status;
    return den_cli_home_open(out, err);
}

/* The one that was moved aside is better than the empty one that took its place. */
static void move_back(const char *path, const char *aside)
{
    char database[DEN_PATH_BYTES_MAX];
    struct den_error ignored = { 0 };

    if (*aside && den_path_join(database, sizeof database, path, "den.db", &ignored) == DEN_OK)
        move_files(aside, database, &ignored);
}

/* --- */

static enum den_status restore(const struct den_arguments *arguments, struct den_cli_home *home,
                               json_t **out, struct den_error *err)
{
    const struct den_backup backup = { .database = home->files.database,
                                       .originals = home->originals };
    const char *path = den_operand(arguments, 0);

    if (den_argument_flag(arguments, "check"))
        return den_backup_verify(&backup, path, out, err);
    return den_backup_restore(&backup, path, out, err);
}

static enum den_status restore_at(const struct den_arguments *arguments, const char *path,
                                  json_t **out, struct den_error *err)
{
    char aside[DEN_PATH_BYTES_MAX];
    struct den_cli_home home;

    if (open_home(path, den_argument_flag(arguments, "check"), &home, aside, err) != DEN_OK) {
        move_back(path, aside);
        return err->status;
    }
    restore(arguments, &home, out, err);
    den_cli_home_close(&home);
    if (err->status != DEN_OK)
        move_back(path, aside);
    else if (*aside)
        fprintf(stderr, "the damaged database is kept as %s\n", aside);
    return err->status;
}

static enum den_status run(const struct den_arguments *arguments, struct den_error *err)
{
    const bool checks = den_argument_flag(arguments, "check");
    struct locks locks = { -1, -1 };
    char home[DEN_PATH_BYTES_MAX];
    json_t *result = NULL;

    umask(077);
    if (den_path_home(home, sizeof home, err) != DEN_OK || den_folder_create(home, err) != DEN_OK ||
        (!checks && take_locks(home, &locks, err) != DEN_OK))
        return err->status;
    restore_at(arguments, home, &result, err);
    unlock(&locks);
    if (err->status != DEN_OK)
        return err->status;
    if (den_argument_flag(arguments, "json"))
        return den_cli_print_json(result, err);
    printf("%lld documents, %lld conversations%s\n",
           (long long)json_integer_value(json_object_get(result, "documents")),
           (long long)json_integer_value(json_object_get(result, "threads")),
           checks ? ": the backup is whole" : " are there again");
    json_decref(result);
    return DEN_OK;
}

static const struct den_option options[] = {
    { .name = "check",
      .kind = DEN_OPTION_FLAG,
      .help = "only read the backup to its end and say whether it is whole; change nothing" },
    DEN_OPTION_JSON,
};

const struct den_verb den_verb_restore = {
    .name = "restore",
    .summary = "put everything back from a backup",
    .operands = "FILE",
    .operands_min = 1,
    .operands_max = 1,
    .description =
        "Replaces the conversations, workspaces, documents and settings of $DEN_HOME by those of a "
        "backup: all of it or, where anything in it is damaged or the disk is full, nothing. What "
        "was there before is gone; models and API tokens stay. A running den serve restores it "
        "itself, by POST /api/restore.",
    .examples = "den restore ~/den-monday.den-backup\nden restore --check "
                "~/den-monday.den-backup\n",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .run = run,
};
