/* The pre-tokenizers that GGUF files name in tokenizer.ggml.pre.
 *
 * Each is the sequence of patterns of the tokenizer that its models were trained with, in
 * Oniguruma's syntax as their tokenizer.json has it (where they have one), applied one after the
 * other, matches isolated. A name maps to such a recipe and to what else the name implies. Patterns
 * that look ahead over a whole run of digits are DIGIT_GROUPS here, which does the same in linear
 * time. A file without the key gets "default". */
#include "text/pretokenizer.h"

#include <string.h>

#define LETTERS_OR_NUMBERS "\\p{L}\\p{N}"
#define CONTRACTION        "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
#define SPACES             "\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"

/* Parts of o200k's pattern: a word of at most one change from upper to lower case. */
#define UPPER       "\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}"
#define LOWER       "\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}"
#define BEFORE_WORD "[^\\r\\n" LETTERS_OR_NUMBERS "]?"
#define CASED_WORD(tail)                                                                           \
    BEFORE_WORD "[" UPPER "]*[" LOWER "]+" tail "|" BEFORE_WORD "[" UPPER "]+[" LOWER "]*" tail
#define OTHER_SLASH " ?[^\\s" LETTERS_OR_NUMBERS "]+[\\r\\n/]*|" SPACES
#define NOT_HAN     "&&[^\\p{Han}]"

const char den_pretokenizer_gpt2[] =
    "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

#define GPT2 den_pretokenizer_gpt2
/* cl100k's family; `digits` is what differs most between them. */
#define CL100K(digits)                                                                             \
    CONTRACTION "|" BEFORE_WORD "\\p{L}+|" digits "| ?[^\\s" LETTERS_OR_NUMBERS                    \
                "]+[\\r\\n]*|" SPACES
#define O200K CASED_WORD(CONTRACTION "?") "|\\p{N}{1,3}|" OTHER_SLASH
#define DEEPSEEK                                                                                   \
    "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|"                                       \
    "[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\\r\\n]*|" SPACES
#define BLOOM " ?[^(\\s|.,!?\\x{2026}\\x{3002}\\x{FF0C}\\x{3001}\\x{964}\\x{6D4}\\x{60C})]+"

/* The cased letters that deepseek-llm lists. */
#define DEEPSEEK_LETTERS                                                                           \
    "A-Za-z\\x{B5}\\x{C0}-\\x{D6}\\x{D8}-\\x{F6}\\x{F8}-\\x{1BA}\\x{1BC}-\\x{1BF}"                 \
    "\\x{1C4}-\\x{293}\\x{295}-\\x{2AF}\\x{370}-\\x{373}\\x{376}\\x{377}\\x{37B}-\\x{37D}"         \
    "\\x{37F}\\x{386}\\x{388}-\\x{38A}\\x{38C}\\x{38E}-\\x{3A1}\\x{3A3}-\\x{3F5}"                  \
    "\\x{3F7}-\\x{481}\\x{48A}-\\x{52F}\\x{531}-\\x{556}\\x{10A0}-\\x{10C5}"                       \
    "\\x{13A0}-\\x{13F5}\\x{13F8}-\\x{13FD}\\x{1C90}-\\x{1CBA}\\x{1CBD}-\\x{1CBF}"                 \
    "\\x{1D00}-\\x{1D2B}\\x{1D6B}-\\x{1D77}\\x{1D79}-\\x{1D9A}\\x{1E00}-\\x{1F15}"                 \
    "\\x{1F18}-\\x{1F1D}\\x{1F20}-\\x{1F45}\\x{1F48}-\\x{1F4D}\\x{1F50}-\\x{1F57}"                 \
    "\\x{1F59}\\x{1F5B}\\x{1F5D}\\x{1F5F}-\\x{1F7D}\\x{1F80}-\\x{1FB4}\\x{1FB6}-\\x{1FBC}"         \
    "\\x{1FBE}\\x{1FC2}-\\x{1FC4}\\x{1FC6}-\\x{1FCC}\\x{1FD0}-\\x{1FD3}"                           \
    "\\x{1FD6}-\\x{1FDB}\\x{1FE0}-\\x{1FEC}\\x{1FF2}-\\x{1FF4}\\x{1FF6}-\\x{1FFC}"                 \
    "\\x{2102}\\x{2107}\\x{210A}-\\x{2113}\\x{2115}\\x{2119}-\\x{211D}\\x{2124}\\x{2126}"          \
    "\\x{2128}\\x{212A}-\\x{212D}\\x{212F}-\\x{2134}\\x{2139}\\x{213C}-\\x{213F}"                  \
    "\\x{2145}-\\x{2149}\\x{214E}\\x{2183}\\x{2184}\\x{2C00}-\\x{2C7B}\\x{2C7E}-\\x{2CE4}"         \
    "\\x{2CEB}-\\x{2CEE}\\x{2CF2}\\x{2CF3}\\x{A640}-\\x{A66D}\\x{A680}-\\x{A69B}"                  \
    "\\x{A722}-\\x{A76F}\\x{A771}-\\x{A787}\\x{A78B}-\\x{A78E}\\x{AB70}-\\x{ABBF}"                 \
    "\\x{FB00}-\\x{FB06}\\x{FB13}-\\x{FB17}\\x{FF21}-\\x{FF3A}\\x{FF41}-\\x{FF5A}"                 \
    "\\x{10400}-\\x{1044F}\\x{104B0}-\\x{104D3}\\x{104D8}-\\x{104FB}\\x{10C80}-\\x{10CB2}"         \
    "\\x{10CC0}-\\x{10CF2}\\x{118A0}-\\x{118DF}\\x{1E900}-\\x{1E943}"

/* Stand for steps that no pattern describes. */
static const char digit_groups[] = "digit groups";
static const char whole_digit_groups[] = "whole digit groups";

enum { PATTERNS_MAX = 6 };

struct recipe {
    const char *names; /* each followed by a space */
    struct den_pretokenizer_traits traits;
    const char *patterns[PATTERNS_MAX];
};

static const struct recipe recipes[] = {
    { "default ", { 0 }, { "[\\p{P}\\$\\+<=>\\^~\\|]+", GPT2, "\\p{N}+", "[0-9][0-9][0-9]" } },
    { "gpt-2 gpt2 phi-2 jina-es jina-de jina-v2-es jina-v2-de jina-v1-en jina-v2-code roberta-bpe "
      "modern-bert gigachat a.x-4.0 mellum jais trillion granite-docling exaone4 ",
      { 0 },
      { GPT2 } },
    { "mpt olmo ", { .nfc = true }, { GPT2 } },
    { "smollm starcoder refact codeshell exaone minerva-7b mellum2 ", { 0 }, { "\\p{N}", GPT2 } },
    { "command-r ", { .nfc = true }, { "\\p{N}", GPT2 } },
    { "falcon ", { 0 }, { "[\\p{P}\\$\\+<=>\\^~\\|`]+", GPT2, "[0-9][0-9][0-9]" } },
    { "llama-bpe llama3 llama-v3 falcon3 falcon-h1 pixtral midm-2.0 lfm2 ",
      { .ignore_merges = true, .add_bos = true },
      { CL100K("\\p{N}{1,3}") } },
    { "dbrx smaug-bpe chatglm-bpe glm4 ", { 0 }, { CL100K("\\p{N}{1,3}") } },
    { "qwen2 ", { .nfc = true }, { CL100K("\\p{N}") } },
    { "deepseek-r1-qwen stablelm2 megrez hunyuan solar-open grok-2 kormo ",
      { 0 },
      { CL100K("\\p{N}") } },
    { "qwen35 ",
      { .nfc = true },
      { CONTRACTION "|" BEFORE_WORD
                    "[\\p{L}\\p{M}]+|\\p{N}| ?[^\\s\\p{L}\\p{M}\\p{N}]+[\\r\\n]*|" SPACES } },
    { "tekken ",
      { .ignore_merges = true, .add_bos = true },
      { CASED_WORD("") "|\\p{N}|" OTHER_SLASH } },
    { "gpt-4o llama4 kanana2 minimax-m2 ", { 0 }, { O200K } },
    { "granite-embed-multi-97m ", { .ignore_merges = true }, { O200K } },
    { "deepseek-llm ",
      { 0 },
      { "[\\r\\n]", "\\s?[" DEEPSEEK_LETTERS "]+",
        "\\s?[!-/:-~\\x{FF01}-\\x{FF0F}\\x{FF1A}-\\x{FF5E}\\x{2018}-\\x{201F}\\x{3000}-\\x{3002}]+",
        "\\s+$", "[\\x{4E00}-\\x{9FA5}\\x{800}-\\x{4E00}\\x{AC00}-\\x{D7FF}]+", "\\p{N}+" } },
    { "deepseek-coder ",
      { 0 },
      { "[\\r\\n]", "\\s?\\p{L}+", "\\s?\\p{P}+",
        "[\\x{4E00}-\\x{9FA5}\\x{800}-\\x{4E00}\\x{AC00}-\\x{D7FF}]+", "\\p{N}" } },
    { "deepseek-v3 hunyuan-dense joyai-llm ",
      { 0 },
      { "\\p{N}{1,3}", "[\\x{4E00}-\\x{9FA5}\\x{3040}-\\x{309F}\\x{30A0}-\\x{30FF}]+", DEEPSEEK } },
    { "bloom poro-chat gpt3-finnish ", { 0 }, { BLOOM } },
    { "viking ", { 0 }, { BLOOM, "\\p{N}" } },
    { "seed-coder ",
      { 0 },
      { CONTRACTION "|" BEFORE_WORD "\\p{L}+|\\p{N}{1}| ?[^\\s\\p{L}\\p{N}\\r\\n]+|" SPACES } },
    { "bailingmoe bailingmoe2 llada-moe ",
      { 0 },
      { "'(?i:[sdmt]|ll|ve|re)|[^\\r\\n\\p{L}\\p{N}]?+\\p{L}+|\\p{N}| "
        "?[^\\s\\p{L}\\p{N}]++[\\r\\n]*|"
        "\\s*[\\r\\n]|\\s+(?!\\S)|\\s+" } },
    { "jais-2 ",
      { 0 },
      { CONTRACTION "|" BEFORE_WORD
                    "\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|"
                    "\\s{512}(?!\\S)|\\s{256}(?!\\S)|\\s{128}(?!\\S)|\\s{64}(?!\\S)|\\s{32}(?!\\S)|"
                    "\\s{16}(?!\\S)|\\s{8}(?!\\S)|\\s{4}(?!\\S)|\\s{1,2}(?!\\S)|\\s{1}" } },
    { "exaone-moe ",
      { 0 },
      { CONTRACTION "|" BEFORE_WORD "(?:\\p{L}\\p{M}*(?: \\p{L}\\p{M}*)*)+|\\p{N}|"
                    " ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]?|\\s*[\\r\\n]|\\s+(?!\\S)|\\s+" } },
    { "kimi-k2 ",
      { 0 },
      { "[\\p{Han}]+|" BEFORE_WORD "[" UPPER NOT_HAN "]*[" LOWER NOT_HAN "]+" CONTRACTION
        "?|" BEFORE_WORD "[" UPPER NOT_HAN "]+[" LOWER NOT_HAN "]*" CONTRACTION "?|\\p{N}{1,3}|"
        " ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|" SPACES } },
    { "superbpe ", { 0 }, { "\\p{N}+", digit_groups } },
    { "tiny_aya cohere2moe ", { 0 }, { whole_digit_groups, O200K } },
    { "minicpm5 ", { 0 }, { "\\p{N}{1,3}", CL100K("\\p{N}+") } },
    { "gemma4 sarvam-moe ", { .spaces_escaped = true }, { "[^\\n]+|[\\n]+" } },
};

static bool has_name(const char *names, struct den_token_text name)
{
    const char *at = names;

    while (name.length > 0 && *at) {
        size_t length = strcspn(at, " ");

        if (length == name.length && memcmp(at, name.bytes, length) == 0)
            return true;
        at += length + 1;
    }
    return false;
}

static enum den_status add_pattern(struct den_pretokenizer *pretokenizer, const char *pattern,
                                   struct den_error *err)
{
    struct den_pretokenizer_step groups = { .kind = DEN_PRETOKENIZER_DIGIT_GROUPS,
                                            .behavior = DEN_SPLIT_ISOLATED,
                                            .whole_only = pattern == whole_digit_groups };

    if (pattern == digit_groups || pattern == whole_digit_groups)
        return den_pretokenizer_add(pretokenizer, groups, err);
    return den_pretokenizer_add_regex(pretokenizer,
                                      (struct den_token_text){ pattern, strlen(pattern) },
                                      DEN_SPLIT_ISOLATED, false, err);
}

static enum den_status fail_unknown(struct den_token_text name, struct den_error *err)
{
    struct den_buffer known;
    size_t i;

    den_buffer_init(&known, DEN_ERROR_BYTES_MAX);
    for (i = 0; i < sizeof recipes / sizeof recipes[0]; i++)
        den_buffer_append_text(&known, recipes[i].names);
    den_fail(err, DEN_UNSUPPORTED, "tokenizer: the pre-tokenizer '%.*s' isn't known; known are: %s",
             (int)(name.length > 64 ? 64 : name.length), name.bytes, known.data);
    den_buffer_deinit(&known);
    return err->status;
}

enum den_status den_pretokenizer_add_named(struct den_pretokenizer *pretokenizer,
                                           struct den_token_text name,
                                           struct den_pretokenizer_traits *out_traits,
                                           struct den_error *err)
{
    size_t i;
    size_t j;

    for (i = 0; i < sizeof recipes / sizeof recipes[0]; i++) {
        const struct recipe *recipe = &recipes[i];

        if (!has_name(recipe->names, name))
            continue;
        for (j = 0; j < PATTERNS_MAX && recipe->patterns[j]; j++)
            if (add_pattern(pretokenizer, recipe->patterns[j], err) != DEN_OK)
                return err->status;
        *out_traits = recipe->traits;
        return DEN_OK;
    }
    return fail_unknown(name, err);
}
