/* See home_files.h. */
#include "cli/home_files.h"

#include "base/file.h"
#include "desk/originals.h"
#include "desk/scratch_folder.h"

enum den_status den_cli_home_open(struct den_cli_home *out, struct den_error *err)
{
    *out = (struct den_cli_home){ 0 };
    if (den_path_home(out->path, sizeof out->path, err) == DEN_OK &&
        den_cli_threads_open(&out->files, err) == DEN_OK) {
        den_scratch_tidy(out->path);
        den_originals_open(out->path, out->files.database, &out->originals, err);
    }
    if (err->status != DEN_OK)
        den_cli_home_close(out);
    return err->status;
}

void den_cli_home_close(struct den_cli_home *home)
{
    den_originals_close(home->originals);
    home->originals = NULL;
    den_cli_threads_close(&home->files);
}
