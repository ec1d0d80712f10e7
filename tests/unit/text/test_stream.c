/* The stream against a plain search in the whole text, for every way to cut a text in two and
 * three, and byte by byte. */
#include "test.h"

#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "text/stream_bytes.h"

struct outcome {
    struct den_buffer text;
    int stop;
};

static void check_prefix_is_valid(const struct den_buffer *out)
{
    assert_true(den_utf8_is_valid(out->data, out->length));
}

static struct outcome run(const char *text, const size_t *cuts, size_t cut_count,
                          const char *const *stops, size_t stop_count)
{
    struct outcome outcome;
    struct den_stream *stream;
    struct den_error err = { 0 };
    size_t from = 0, i;
    bool stopped = false;

    den_buffer_init(&outcome.text, 1 << 20);
    assert_int_equal(den_stream_create(NULL, stops, stop_count, &stream, &err), DEN_OK);
    for (i = 0; i <= cut_count; i++) {
        size_t to = i < cut_count ? cuts[i] : strlen(text);
        size_t before = outcome.text.length;
        bool was = stopped;

        assert_int_equal(
            den_stream_push_bytes(stream, text + from, to - from, &outcome.text, &stopped, &err),
            DEN_OK);
        check_prefix_is_valid(&outcome.text);
        if (was) {
            assert_true(stopped);
            assert_int_equal(outcome.text.length, before);
        }
        from = to;
    }
    assert_int_equal(den_stream_finish(stream, &outcome.text, &err), DEN_OK);
    outcome.stop = den_stream_stop(stream);
    den_stream_destroy(stream);
    return outcome;
}

/* By definition: the stop string that is completed first, the longest of several. */
static int search(const char *text, const char *const *stops, size_t count, size_t *out_length)
{
    size_t end, i;
    int best = -1;

    for (end = 1; end <= strlen(text) && best < 0; end++)
        for (i = 0; i < count; i++) {
            size_t length = strlen(stops[i]);

            if (length > end || memcmp(text + end - length, stops[i], length) != 0)
                continue;
            if (best < 0 || length > strlen(stops[best])) {
                best = (int)i;
                *out_length = end - length;
            }
        }
    if (best < 0)
        *out_length = strlen(text);
    return best;
}

static void check_cuts(const char *text, const size_t *cuts, size_t cut_count,
                       const char *const *stops, size_t stop_count)
{
    struct outcome outcome = run(text, cuts, cut_count, stops, stop_count);
    size_t length;
    int stop = search(text, stops, stop_count, &length);

    assert_int_equal(outcome.stop, stop);
    assert_int_equal(outcome.text.length, length);
    assert_memory_equal(outcome.text.data, text, length);
    den_buffer_deinit(&outcome.text);
}

static void every_split_gives_the_same_text(void **state)
{
    static const char *const texts[] = {
        "plain text, no stop",
        "the end STOP and more",
        "aaaaaaab",
        "abababababac",
        "S ST STO STOP",
        "\xF0\x9F\x98\x80 caf\xC3\xA9 \xE4\xBD\xA0\xE5\xA5\xBD<|end|>x",
        "xabcabd",
        "\n\n\nUser: hello",
        "STOP",
    };
    static const char *const stops[] = { "STOP", "aab",     "ababac",        "<|end|>",
                                         "abd",  "\nUser:", "\xE5\xA5\xBDz", "bd" };
    size_t t, i, j, count;

    for (t = 0; t < sizeof texts / sizeof texts[0]; t++) {
        size_t length = strlen(texts[t]);
        size_t all[64];

        for (count = 0; count <= 8; count++) {
            for (i = 0; i <= length; i++)
                for (j = i; j <= length; j++)
                    check_cuts(texts[t], (size_t[]){ i, j }, 2, stops, count);
            for (i = 0; i + 1 < length; i++)
                all[i] = i + 1;
            check_cuts(texts[t], all, length - 1, stops, count);
        }
    }
}

static void text_leaves_as_soon_as_it_is_certain(void **state)
{
    const char *stops[] = { "STOP" };
    struct den_stream *stream;
    struct den_buffer out;
    struct den_error err = { 0 };
    bool stopped;

    den_buffer_init(&out, 1000);
    assert_int_equal(den_stream_create(NULL, stops, 1, &stream, &err), DEN_OK);
    den_stream_push_bytes(stream, "one S", 5, &out, &stopped, &err);
    assert_string_equal(out.data, "one ");
    den_stream_push_bytes(stream, "T", 1, &out, &stopped, &err);
    assert_string_equal(out.data, "one ");
    den_stream_push_bytes(stream, "A", 1, &out, &stopped, &err);
    assert_string_equal(out.data, "one STA");
    den_stream_push_bytes(stream, "\xF0\x9F", 2, &out, &stopped, &err);
    assert_string_equal(out.data, "one STA");
    den_stream_push_bytes(stream, "\x98\x80STO", 5, &out, &stopped, &err);
    assert_string_equal(out.data, "one STA\xF0\x9F\x98\x80");
    assert_false(stopped);
    den_stream_push_bytes(stream, "P tail", 6, &out, &stopped, &err);
    assert_true(stopped);
    assert_int_equal(den_stream_finish(stream, &out, &err), DEN_OK);
    assert_string_equal(out.data, "one STA\xF0\x9F\x98\x80");
    assert_int_equal(den_stream_stop(stream), 0);
    den_stream_destroy(stream);
    den_buffer_deinit(&out);
}

static void ill_formed_bytes_become_replacements(void **state)
{
    static const struct {
        const char *in, *out;
    } cases[] = {
        { "a\xFFz", "a\xEF\xBF\xBDz" },
        { "end\xF0\x9F", "end\xEF\xBF\xBD" },
        { "\xE4\xBD", "\xEF\xBF\xBD" },
        { "x\xC3", "x\xEF\xBF\xBD" },
        { "\x80\x80", "\xEF\xBF\xBD\xEF\xBF\xBD" },
        { "\xE4\xBDSTOP", "\xEF\xBF\xBD" },
    };
    const char *stops[] = { "STOP" };
    size_t i, cut;

    for (i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (cut = 0; cut <= strlen(cases[i].in); cut++) {
            struct outcome outcome = run(cases[i].in, &cut, 1, stops, 1);

            assert_string_equal(outcome.text.data, cases[i].out);
            den_buffer_deinit(&outcome.text);
        }
}

static void bad_stops_are_refused(void **state)
{
    static char huge[DEN_STOP_STRING_BYTES_MAX + 2];
    const char *many[DEN_STOP_STRINGS_MAX + 1];
    const char *empty[] = { "ok", "" }, *large[] = { huge };
    struct den_stream *stream = NULL;
    struct den_error err = { 0 };
    size_t i;

    memset(huge, 'x', DEN_STOP_STRING_BYTES_MAX + 1);
    for (i = 0; i <= DEN_STOP_STRINGS_MAX; i++)
        many[i] = "x";
    assert_int_equal(den_stream_create(NULL, empty, 2, &stream, &err), DEN_INVALID);
    assert_int_equal(den_stream_create(NULL, large, 1, &stream, &err), DEN_INVALID);
    assert_int_equal(den_stream_create(NULL, many, DEN_STOP_STRINGS_MAX + 1, &stream, &err),
                     DEN_INVALID);
    assert_null(stream);
    huge[DEN_STOP_STRING_BYTES_MAX] = '\0';
    err = (struct den_error){ 0 };
    assert_int_equal(den_stream_create(NULL, large, 1, &stream, &err), DEN_OK);
    den_stream_destroy(stream);
}

static void failures_of_the_output_are_reported(void **state)
{
    struct den_stream *stream;
    struct den_buffer out;
    struct den_error err = { 0 };
    bool stopped;

    den_buffer_init(&out, 4);
    assert_int_equal(den_stream_create(NULL, NULL, 0, &stream, &err), DEN_OK);
    assert_int_not_equal(den_stream_push_bytes(stream, "too long", 8, &out, &stopped, &err),
                         DEN_OK);
    den_stream_destroy(stream);
    den_buffer_deinit(&out);
}

int text_test_stream(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_split_gives_the_same_text),
        cmocka_unit_test(text_leaves_as_soon_as_it_is_certain),
        cmocka_unit_test(ill_formed_bytes_become_replacements),
        cmocka_unit_test(bad_stops_are_refused),
        cmocka_unit_test(failures_of_the_output_are_reported),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
