/* Stands in for libFuzzer in ordinary builds: feeds every file of the folders named to the target,
 * and then each of them cut at a few lengths and with a few bytes flipped, so that a plain test run
 * covers more than the corpus. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { INPUT_BYTES_MAX = 1 << 20, MUTATIONS = 200 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A small deterministic generator (xorshift64): failures repeat. */
static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* The target sees an exact-size allocation, so that a sanitizer notices a read one past the end. */
static void feed(const uint8_t *data, size_t size)
{
    uint8_t *exact = malloc(size ? size : 1);

    if (!exact)
        abort();
    memcpy(exact, data, size);
    LLVMFuzzerTestOneInput(exact, size);
    free(exact);
}

static void replay_file(const char *path)
{
    static uint8_t bytes[INPUT_BYTES_MAX];
    static uint8_t changed[INPUT_BYTES_MAX];
    uint64_t state = 88172645463325252u;
    FILE *file = fopen(path, "rb");
    size_t size;
    int i;

    if (!file) {
        fprintf(stderr, "%s: can't be opened\n", path);
        exit(1);
    }
    size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    feed(bytes, size);
    for (i = 0; i < MUTATIONS && size > 0; i++) {
        size_t length = i % 4 == 0 ? next_random(&state) % size : size;
        int flips = 1 + (int)(next_random(&state) % 4);

        memcpy(changed, bytes, size);
        while (length > 0 && flips-- > 0)
            changed[next_random(&state) % length] = (uint8_t)next_random(&state);
        feed(changed, length);
    }
}

static int replay_folder(const char *folder)
{
    DIR *listing = opendir(folder);
    struct dirent *entry;
    char path[4096];
    int count = 0;

    if (!listing)
        return 0;
    while ((entry = readdir(listing)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        replay_file(path);
        count++;
    }
    closedir(listing);
    return count;
}

int main(int argc, char **argv)
{
    int count = 0;
    int i;

    for (i = 1; i < argc; i++)
        if (argv[i][0] != '-')
            count += replay_folder(argv[i]);
    if (count == 0) {
        fprintf(stderr, "no inputs found: a replay of nothing tests nothing\n");
        return 1;
    }
    printf("%d inputs replayed\n", count);
    return 0;
}
