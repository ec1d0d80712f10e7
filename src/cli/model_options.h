/* Options that several verbs share, and what they turn into: a model's path, an open engine,
 * sampler settings. */
#ifndef DEN_CLI_MODEL_OPTIONS_H
#define DEN_CLI_MODEL_OPTIONS_H

#include "cli/verb.h"
#include "engine/engine.h"
#include "text/sampler.h"

#define DEN_OPTION_MODEL                                                                           \
    {                                                                                              \
        .name = "model", .letter = 'm', .kind = DEN_OPTION_TEXT, .value = "MODEL",                 \
        .fallback = "smollm2",                                                                     \
        .help = "catalogue name, GGUF file or Hugging Face folder; den models lists names"         \
    }

#define DEN_OPTION_JSON                                                                            \
    {                                                                                              \
        .name = "json", .kind = DEN_OPTION_FLAG, .help = "print one JSON object instead of text"   \
    }

#define DEN_OPTIONS_DEVICE                                                                         \
    { .name = "threads",                                                                           \
      .kind = DEN_OPTION_INTEGER,                                                                  \
      .value = "N",                                                                                \
      .fallback = "0",                                                                             \
      .minimum = 0,                                                                                \
      .maximum = DEN_THREADS_MAX,                                                                  \
      .help = "threads; 0 takes one for each core" },                                              \
    {                                                                                              \
        .name = "cpu-features", .kind = DEN_OPTION_TEXT, .value = "LIST",                          \
        .help = "use only these instruction sets (avx2,fma,f16c ... or scalar); den doctor lists " \
                "what this machine has"                                                            \
    }

#define DEN_OPTION_CACHE                                                                           \
    {                                                                                              \
        .name = "cache", .kind = DEN_OPTION_TEXT, .value = "TYPE", .choices = "f16|int8",          \
        .fallback = "f16",                                                                         \
        .help = "keys and values of the conversation in 16 bits, or in 8: half the memory, long "  \
                "conversations faster, a little less exact"                                        \
    }

#define DEN_OPTIONS_ENGINE                                                                         \
    DEN_OPTIONS_DEVICE, DEN_OPTION_CACHE,                                                          \
    {                                                                                              \
        .name = "context", .letter = 'c', .kind = DEN_OPTION_INTEGER, .value = "TOKENS",           \
        .fallback = "0", .minimum = 0, .maximum = DEN_CONTEXT_TOKENS_MAX,                          \
        .help = "context length; 0 takes the model's own, at most 8192"                            \
    }

#define DEN_OPTION_PRECISION                                                                       \
    {                                                                                              \
        .name = "precision", .kind = DEN_OPTION_TEXT, .value = "P", .choices = "int8|fp32",        \
        .fallback = "int8",                                                                        \
        .help = "int8: activations in 8 bits where weights are quantized; fp32: everything in "    \
                "32-bit floats, the slow reference"                                                \
    }

#define DEN_OPTION_SPECULATION                                                                     \
    {                                                                                              \
        .name = "speculation", .kind = DEN_OPTION_TEXT, .value = "S", .choices = "auto|off",       \
        .fallback = "auto",                                                                        \
        .help = "auto: where the answer repeats its prompt, guess tokens ahead and check several " \
                "at once; off: one after the other. The answer is the same"                        \
    }

#define DEN_OPTION_DRAFT                                                                           \
    {                                                                                              \
        .name = "draft", .kind = DEN_OPTION_TEXT, .value = "MODEL",                                \
        .help = "a smaller model with the same vocabulary that guesses ahead where the text "      \
                "itself has no guess; the answer is the same"                                      \
    }

#define DEN_OPTIONS_SAMPLER                                                                        \
    { .name = "preset",                                                                            \
      .kind = DEN_OPTION_TEXT,                                                                     \
      .value = "TASK",                                                                             \
      .choices = "creative|factual|classify",                                                      \
      .help = "settings for a task: creative (temperature 0.7, top-p 0.95), factual (0.7, 0.85), " \
              "classify (0.1)" },                                                                  \
        { .name = "temperature",                                                                   \
          .letter = 't',                                                                           \
          .kind = DEN_OPTION_NUMBER,                                                               \
          .value = "T",                                                                            \
          .minimum = 0,                                                                            \
          .maximum = 100,                                                                          \
          .help = "0 always takes the likeliest token; default 0.8" },                             \
        { .name = "top-k",                                                                         \
          .kind = DEN_OPTION_INTEGER,                                                              \
          .value = "K",                                                                            \
          .minimum = 0,                                                                            \
          .maximum = DEN_VOCABULARY_MAX,                                                           \
          .help = "keep the K likeliest tokens; 0 keeps all; default 40" },                        \
        { .name = "top-p",                                                                         \
          .kind = DEN_OPTION_NUMBER,                                                               \
          .value = "P",                                                                            \
          .minimum = 0,                                                                            \
          .maximum = 1,                                                                            \
          .help = "keep the likeliest tokens that make up P of the probability; default 0.95" },   \
        { .name = "min-p",                                                                         \
          .kind = DEN_OPTION_NUMBER,                                                               \
          .value = "P",                                                                            \
          .minimum = 0,                                                                            \
          .maximum = 1,                                                                            \
          .help = "drop tokens less likely than P times the likeliest; default 0.05" },            \
        { .name = "repeat-penalty",                                                                \
          .kind = DEN_OPTION_NUMBER,                                                               \
          .value = "R",                                                                            \
          .minimum = 0.01,                                                                         \
          .maximum = 100,                                                                          \
          .help = "above 1 makes repeating less likely; default 1" },                              \
    {                                                                                              \
        .name = "seed", .letter = 's', .kind = DEN_OPTION_INTEGER, .value = "S", .minimum = 0,     \
        .maximum = 9007199254740992.0,                                                             \
        .help = "the same seed and settings give the same answer; random when absent"              \
    }

/* Writes where the model named by --model is. */
enum den_status den_cli_model_path(const struct den_arguments *arguments, char *out,
                                   size_t capacity, struct den_error *err);

/* Opens the engine from --model, --threads, --cpu-features, --context and (where the verb has it)
 * `precision`, `speculation` and `draft`. */
struct den_cli_engine {
    const char *precision;   /* "int8", "fp32"; NULL: int8 */
    const char *speculation; /* "auto", "off"; NULL: auto */
    const char *draft;       /* a model that guesses; NULL: none */
    size_t sequences;
    size_t context_tokens; /* 0: --context */
};
enum den_status den_cli_engine_open(const struct den_arguments *arguments,
                                    const struct den_cli_engine *wanted, struct den_engine **out,
                                    struct den_error *err);

/* The sampler's defaults, then the preset, then each option that was given. */
enum den_status den_cli_sampler(const struct den_arguments *arguments,
                                struct den_sampler_options *out, struct den_error *err);

/* Set by Ctrl-C once den_cli_catch_interrupt() was called; a second Ctrl-C ends the program. */
const atomic_bool *den_cli_interrupted(void);
void den_cli_catch_interrupt(void);
void den_cli_clear_interrupt(void);

/* Appends standard input to `out` where `operand` is "-", else the operand itself. */
enum den_status den_cli_read_operand(const char *operand, struct den_buffer *out,
                                     struct den_error *err);
/* Prints `value` as one line of JSON and frees it. */
enum den_status den_cli_print_json(json_t *value, struct den_error *err);

#endif
