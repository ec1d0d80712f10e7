/* See thread_files.h. */
#include "cli/thread_files.h"

#include "base/file.h"
#include "store/database.h"

enum den_status den_cli_threads_open(struct den_cli_threads *out, struct den_error *err)
{
    char home[DEN_PATH_BYTES_MAX], path[DEN_PATH_BYTES_MAX];

    *out = (struct den_cli_threads){ 0 };
    if (den_path_home(home, sizeof home, err) != DEN_OK || den_folder_create(home, err) != DEN_OK ||
        den_path_join(path, sizeof path, home, "den.db", err) != DEN_OK ||
        den_database_open(path, &out->database, err) != DEN_OK)
        return err->status;
    if (den_threads_open(out->database, NULL, &out->threads, err) != DEN_OK)
        den_cli_threads_close(out);
    return err->status;
}

void den_cli_threads_close(struct den_cli_threads *open)
{
    den_threads_close(open->threads);
    den_database_close(open->database);
    *open = (struct den_cli_threads){ 0 };
}
