/* Reading by a sandboxed child: what it read arrives whole and checked, and whatever becomes of
 * the child, the front goes on with a sentence. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "test.h"

#include "desk/be_reader.h"
#include "desk/reading.h"

struct seen {
    size_t parts, bytes, facts;
    char first[256]; /* text of the first part */
    size_t last_number;
    enum den_status refuse; /* what the sink answers */
};

static enum den_status see_part(void *context, const struct den_part *part, struct den_error *err)
{
    struct seen *seen = context;
    struct den_error check = { 0 };

    assert_int_equal(den_part_check(part, &check), DEN_OK);
    if (seen->parts++ == 0)
        snprintf(seen->first, sizeof seen->first, "%.*s", (int)part->length, part->text);
    seen->bytes += part->length;
    seen->last_number = part->number;
    return seen->refuse ? den_fail(err, seen->refuse, "the sink is full") : DEN_OK;
}

static enum den_status see_facts(void *context, const struct den_document_facts *facts,
                                 struct den_error *err)
{
    struct seen *seen = context;

    (void)err;
    assert_non_null(facts->title);
    assert_non_null(facts->note);
    seen->facts++;
    return DEN_OK;
}

static int make_file(const void *bytes, size_t length)
{
    int fd = memfd_create("document", MFD_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, length), length);
    return fd; /* its place is at the end: readers must not mind */
}

static enum den_status read_bytes(const void *bytes, size_t length, const char *name,
                                  struct seen *seen, struct den_error *err)
{
    const struct den_document_sink sink = { .context = seen, .part = see_part, .facts = see_facts };
    int fd = make_file(bytes, length);
    const struct den_reading reading = { .fd = fd, .name = name };

    *err = (struct den_error){ 0 };
    den_reading_run(&reading, &sink, err);
    close(fd);
    return err->status;
}

static void test_reads_text(void **state)
{
    static const char text[] = "# Rent\n\nIt is due on the \xE7\xAC\xAC\xE4\xBA\x94 day.\n";
    struct den_error err;
    struct seen seen = { 0 };

    (void)state;
    if (read_bytes(text, sizeof text - 1, "lease/terms.md", &seen, &err) != DEN_OK)
        fail_msg("%s", err.message);
    assert_int_equal(seen.parts, 1);
    assert_int_equal(seen.last_number, 1);
    assert_true(seen.facts >= 1);
    assert_non_null(strstr(seen.first, "It is due on the \xE7\xAC\xAC\xE4\xBA\x94 day."));
}

/* Bytes that no UTF-8 is: the converter had to be loaded before the child locked itself in. */
static void test_reads_other_encodings(void **state)
{
    static const char chinese[] = "\xD6\xD0\xCE\xC4\xCE\xC4\xB1\xBE\xD4\xDA\xB4\xCB\n"
                                  "\xD6\xD0\xCE\xC4\xCE\xC4\xB1\xBE\xD4\xDA\xB4\xCB\n";
    struct den_error err;
    struct seen seen = { 0 };

    (void)state;
    if (read_bytes(chinese, sizeof chinese - 1, "a.txt", &seen, &err) != DEN_OK)
        fail_msg("%s", err.message);
    assert_non_null(strstr(seen.first, "\xE4\xB8\xAD\xE6\x96\x87")); /* zhong wen */
}

static void test_says_what_is_wrong(void **state)
{
    struct den_error err;
    struct seen seen = { 0 };

    (void)state;
    assert_int_equal(read_bytes("", 0, "empty.txt", &seen, &err), DEN_BAD_FILE);
    assert_non_null(strstr(err.message, "empty"));
    assert_int_equal(read_bytes("\x7F"
                                "ELF\x02\x01\x01\0\0\0\0\0",
                                12, "program", &seen, &err),
                     DEN_UNSUPPORTED);
    assert_non_null(strstr(err.message, "program"));
    assert_int_equal(seen.parts, 0);
}

static void test_the_sink_can_stop_it(void **state)
{
    struct den_error err;
    struct seen seen = { .refuse = DEN_IO };

    (void)state;
    assert_int_equal(read_bytes("some text", 9, "a.txt", &seen, &err), DEN_IO);
    assert_string_equal(err.message, "the sink is full");
    assert_int_equal(seen.parts, 1);
}

static void test_can_be_cancelled(void **state)
{
    struct den_error err = { 0 };
    struct seen seen = { 0 };
    const struct den_document_sink sink = { .context = &seen,
                                            .part = see_part,
                                            .facts = see_facts };
    atomic_bool cancel = true;
    struct den_reading reading = { .name = "a.txt", .cancel = &cancel };

    (void)state;
    reading.fd = make_file("text", 4);
    assert_int_equal(den_reading_run(&reading, &sink, &err), DEN_CANCELLED);
    close(reading.fd);
}

/* A name is an argument of the child; whatever stands in it stays one. */
static void test_names_are_only_names(void **state)
{
    static const char *const names[] = { "../../etc/passwd.txt", "-rf.txt",   "a b\nc.txt",  "",
                                         "\xF0\x9F\x98\x80.txt", "$(id).txt", "\xFF\xFE.txt" };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct den_error err;
        struct seen seen = { 0 };

        if (read_bytes("some text", 9, names[i], &seen, &err) != DEN_OK)
            fail_msg("%s: %s", names[i], err.message);
        assert_int_equal(seen.parts, 1);
        assert_string_equal(seen.first, "some text");
    }
}

int desk_test_reading(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_text),         cmocka_unit_test(test_reads_other_encodings),
        cmocka_unit_test(test_says_what_is_wrong), cmocka_unit_test(test_the_sink_can_stop_it),
        cmocka_unit_test(test_can_be_cancelled),   cmocka_unit_test(test_names_are_only_names),
    };

    (void)argc;
    (void)argv;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
