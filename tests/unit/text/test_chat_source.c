/* Templates and token texts found in Hugging Face folders, and the chat that comes of them. */
#include "template_fixtures.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "text/chat.h"
#include "text/chat_source.h"

static const char *const names[] = { "config.json",         "model.safetensors",
                                     "tokenizer.json",      "tokenizer_config.json",
                                     "chat_template.jinja", "chat_template.json" };

static void write_text(const char *folder, const char *name, const void *bytes, size_t length)
{
    struct den_error err = { 0 };
    char path[200];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    if (den_file_write(path, bytes, length, &err) != DEN_OK)
        fail_msg("%s", err.message);
}

static void make_folder(char folder[64])
{
    static const char header[] = "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}";
    static const char tokenizer[] =
        "{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0,\"b\":1,\"<s>\":2,\"</s>\":3},"
        "\"merges\":[]},\"added_tokens\":[{\"id\":2,\"content\":\"<s>\",\"special\":true},"
        "{\"id\":3,\"content\":\"</s>\",\"special\":true}]}";
    unsigned char file[8 + sizeof header - 1 + 4] = { sizeof header - 1 };

    snprintf(folder, 64, "/var/tmp/den_chat_XXXXXX");
    assert_non_null(mkdtemp(folder));
    memcpy(file + 8, header, sizeof header - 1);
    write_text(folder, "config.json", "{}", 2);
    write_text(folder, "model.safetensors", file, sizeof file);
    write_text(folder, "tokenizer.json", tokenizer, sizeof tokenizer - 1);
}

static void remove_folder(const char *folder)
{
    char path[200];
    size_t i;

    for (i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        unlink(path);
    }
    rmdir(folder);
}

struct opened {
    struct den_weights *weights;
    struct den_tokenizer *tokenizer;
    struct den_chat_source source;
};

static struct opened open_folder(const char *folder)
{
    struct opened opened = { 0 };
    struct den_error err = { 0 };

    den_chat_source_init(&opened.source);
    if (den_weights_open(folder, &opened.weights, &err) != DEN_OK ||
        den_tokenizer_create(opened.weights, &opened.tokenizer, &err) != DEN_OK ||
        den_chat_source_read(&opened.source, opened.weights, opened.tokenizer, &err) != DEN_OK)
        fail_msg("%s", err.message);
    return opened;
}

static void close_folder(struct opened *opened)
{
    den_chat_source_deinit(&opened->source);
    den_tokenizer_destroy(opened->tokenizer);
    den_weights_close(opened->weights);
}

static void reads_each_form(void **state)
{
    static const struct {
        const char *config;
        const char *jinja;
        const char *plain;
        const char *tools;
        const char *bos;
    } cases[] = {
        { "{\"chat_template\":\"A\",\"bos_token\":\"<s>\"}", NULL, "A", "", "<s>" },
        { "{\"chat_template\":\"A\",\"bos_token\":{\"content\":\"<s>\"}}", "J", "J", "", "<s>" },
        { "{\"chat_template\":[{\"name\":\"x\",\"template\":\"X\"},{\"name\":\"default\","
          "\"template\":\"D\"},{\"name\":\"tool_use\",\"template\":\"T\"}],\"bos_token\":\"<s>\"}",
          NULL, "D", "T", "<s>" },
        { "{\"bos_token\":\"<s>\"}", NULL, "", "", "<s>" },
    };
    size_t i;

    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char folder[64];
        struct opened opened;

        make_folder(folder);
        write_text(folder, "tokenizer_config.json", cases[i].config, strlen(cases[i].config));
        if (cases[i].jinja)
            write_text(folder, "chat_template.jinja", cases[i].jinja, strlen(cases[i].jinja));
        opened = open_folder(folder);
        assert_string_equal(opened.source.plain.data, cases[i].plain);
        assert_string_equal(opened.source.tools.data, cases[i].tools);
        assert_string_equal(opened.source.bos.data, cases[i].bos);
        close_folder(&opened);
        remove_folder(folder);
    }
}

static void encodes_with_special_tokens(void **state)
{
    static const char config[] =
        "{\"bos_token\":\"<s>\",\"eos_token\":\"</s>\",\"chat_template\":"
        "\"{{ bos_token }}{% for m in messages %}{{ m.content }}{{ eos_token }}{% endfor %}\"}";
    struct den_chat_request request = { .messages = json_loads(
                                            "[{\"role\":\"user\",\"content\":\"ab\"}]", 0, NULL) };
    const den_token wanted[] = { 2, 0, 1, 3 };
    struct den_tokens tokens = { 0 };
    struct den_error err = { 0 };
    struct den_chat *chat = NULL;
    struct opened opened;
    char folder[64];

    make_folder(folder);
    write_text(folder, "tokenizer_config.json", config, sizeof config - 1);
    opened = open_folder(folder);
    assert_int_equal(den_chat_create(opened.weights, opened.tokenizer, &chat, &err), DEN_OK);
    assert_int_equal(den_chat_encode(chat, &request, &tokens, &err), DEN_OK);
    assert_int_equal(tokens.count, 4);
    assert_memory_equal(tokens.items, wanted, sizeof wanted);
    den_tokens_deinit(&tokens);
    den_chat_destroy(chat);
    close_folder(&opened);
    remove_folder(folder);
    json_decref((json_t *)request.messages);
}

int text_test_chat_source(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_each_form),
        cmocka_unit_test(encodes_with_special_tokens),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
