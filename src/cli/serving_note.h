/* Where a den serve of this home is to be reached: a small file beside its database, for the verbs
 * that must ask it to end. It is a hint, told only of a process that lives; whether a Den serves,
 * its lock says (den.db.serving), which a crash lets go. */
#ifndef DEN_CLI_SERVING_NOTE_H
#define DEN_CLI_SERVING_NOTE_H

#include <stdbool.h>

enum { DEN_SERVING_ADDRESS_BYTES = 320 }; /* a host's name has 253 at most */
struct den_cli_serving {
    long process;
    char address[DEN_SERVING_ADDRESS_BYTES]; /* "http://127.0.0.1:4327" */
};

/* In place of an earlier one, as a crash leaves. Failing to write it fails nothing. */
void den_cli_serving_note(const char *home, const struct den_cli_serving *serving);
/* The note of this process, at its end. */
void den_cli_serving_forget(const char *home);
/* False: there is none, or its process is gone. */
bool den_cli_serving_read(const char *home, struct den_cli_serving *out);

#endif
