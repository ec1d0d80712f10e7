/* Every limit in Den, in one place, each with its reason; limits_documents.h goes on with those of
 * documents. Nothing outside these two files invents a ceiling. */
#ifndef DEN_BASE_LIMITS_H
#define DEN_BASE_LIMITS_H

#include "base/limits_documents.h"

/* --- base --- */
#define DEN_ERROR_BYTES_MAX                                                                        \
    1024 /* a path of 512 bytes and a sentence fit; errors never allocate  \
                                  */
#define DEN_PATH_BYTES_MAX     4096 /* PATH_MAX of Linux */
#define DEN_LOG_LINE_BYTES_MAX 4096 /* PIPE_BUF, written in one piece; longer lines are dropped */
#define DEN_JSON_DEPTH_MAX     64 /* deeper than any client's body; bounds the parser's recursion */
#define DEN_FILE_TEXT_BYTES_MAX                                                                    \
    (64u << 20) /* config and tokenizer files read whole: gemma's tokenizer.json is 34 MiB */

/* --- model files --- */
#define DEN_TENSOR_DIMS_MAX 4 /* GGUF's own limit */
#define DEN_TENSOR_NAME_MAX                                                                        \
    64 /* GGUF's own limit; longer safetensors names are kept by pointer   \
                                */
#define DEN_TENSORS_MAX                                                                            \
    65536 /* the largest known model (671B, 256 experts unstacked) has about 45,000 */
#define DEN_MODEL_SHARDS_MAX       512          /* split files of one model */
#define DEN_GGUF_KEYS_MAX          65536        /* real files have under 100 */
#define DEN_GGUF_KEY_BYTES_MAX     65535        /* the format's own limit */
#define DEN_GGUF_STRINGS_BYTES_MAX (1u << 30)   /* of one array; real ones stay under 10 MiB */
#define DEN_SAFETENSORS_HEADER_MAX (100u << 20) /* the format's own limit */
#define DEN_PACKED_MODEL_BYTES_MIN (8u << 20)   /* a smaller model is packed sooner than opened */
#define DEN_PACKED_GROWTH_MAX      8 /* a packed file to its model: 2 bits a weight become 12 */
#define DEN_PACKED_SPARE_BYTES     (256ull << 20) /* left free on the disk by a packed file */

/* --- text --- */
#define DEN_VOCABULARY_MAX     (1 << 21)    /* the largest known vocabulary is 262,144 (gemma 3) */
#define DEN_TOKEN_BYTES_MAX    65536        /* a single token's text; real ones stay under 1 KiB */
#define DEN_ENCODE_BYTES_MAX   (256u << 20) /* one text to encode; places in it are 32-bit */
#define DEN_REGEX_BYTES_MAX    16384        /* a tokenizer's pattern; deepseek-llm's has 1 KiB */
#define DEN_REGEX_STEPS_MAX    10000000 /* PCRE2's match limit: a tenth of a second for one match */
#define DEN_REGEX_HEAP_KIB_MAX 262144   /* PCRE2's heap limit where it can't use its JIT */
#define DEN_TEMPLATE_SOURCE_BYTES_MAX                                                              \
    (1u << 20) /* the longest shipped template is under 32 KiB   \
                                                  */
#define DEN_TEMPLATE_OUTPUT_BYTES_MAX (64u << 20)
#define DEN_TEMPLATE_STEPS_MAX                                                                     \
    50000000u /* evaluated nodes: seconds of work, thousands of messages */
#define DEN_TEMPLATE_DEPTH_MAX        200 /* nesting of expressions and calls; bounds the C stack */
#define DEN_TEMPLATE_MEMORY_BYTES_MAX (256u << 20)
#define DEN_STOP_STRINGS_MAX          64 /* OpenAI allows 4; local clients send more */
#define DEN_STOP_STRING_BYTES_MAX     1024
#define DEN_GRAMMAR_SOURCE_BYTES_MAX  (1u << 20)  /* a GBNF text; real ones have 10 KiB */
#define DEN_GRAMMAR_COMPILE_BYTES_MAX (64u << 20) /* what compiling one grammar may take */
#define DEN_GRAMMAR_NODES_MAX         (1u << 18)  /* ordinary schemas have under 5,000 */
#define DEN_GRAMMAR_EDGES_MAX         (1u << 20)
#define DEN_GRAMMAR_RULES_MAX         16384
#define DEN_GRAMMAR_STATES_MAX        16384 /* of a pattern's automaton; uuid has 37 */
#define DEN_GRAMMAR_ARCS_MAX          (1u << 18)
#define DEN_GRAMMAR_REPEAT_MAX        1000000 /* {m,n}, maxItems ...: counted, not unrolled */
#define DEN_GRAMMAR_UNROLL_MAX        1000    /* the same inside a pattern, where it is unrolled */
#define DEN_GRAMMAR_BRANCHES_MAX      1024    /* combinations of anyOf and oneOf in one place */
#define DEN_GRAMMAR_CONJUNCTS_MAX     128     /* schemas that apply to one value (allOf, $ref) */
#define DEN_GRAMMAR_DEPTH_MAX         64      /* nesting of what is compiled; bounds the C stack */
#define DEN_GRAMMAR_FRAMES_MAX        128     /* nesting of what is generated, two or so a level */
#define DEN_GRAMMAR_SETS_MAX          16384   /* a constraint's cached states; then all anew */
#define DEN_GRAMMAR_CONFIGS_MAX       2048    /* readings of one text that are followed at once */
#define DEN_GRAMMAR_WORK_MAX          4000000 /* readings looked at for one mask: 0.1 s */
#define DEN_GRAMMAR_MASKS_BYTES_MAX   (4u << 20) /* cached masks: 600 of 49k tokens */
#define DEN_GRAMMAR_TRIGGERS_MAX      16

/* --- model and engine --- */
#define DEN_LAYERS_MAX         1024
#define DEN_EXPERTS_MAX        1024
#define DEN_HEADS_MAX          1024
#define DEN_HEAD_WIDTH_MAX     1024
#define DEN_WIDTH_MAX          (1 << 20)
#define DEN_CONTEXT_TOKENS_MAX (1 << 24)
#define DEN_SEQUENCES_MAX      256 /* concurrent sessions of one engine */
#define DEN_THREADS_MAX        256
#define DEN_BATCH_ROWS_MAX     8192  /* of one step: beyond this, memory grows and speed does not */
#define DEN_ENCODER_ROWS_MAX   32768 /* tokens of one text to embed; others take 8,192 */
#define DEN_PREFIX_BYTES_DEFAULT                                                                   \
    (512u << 20) /* keys and values of texts that no session holds: 22,000 tokens of SmolLM2 */
#define DEN_PREFIX_PROMPT_MIN 256 /* tokens; shorter prompts are read again sooner than from disk */
#define DEN_PREFIX_FILE_BYTES_DEFAULT                                                              \
    (256ull << 20) /* a model's prefix file: 11,000 tokens of SmolLM2, 2,000 of an 8B model */
#define DEN_PREFIX_FILE_BYTES_MAX (1ull << 40)
#define DEN_PREFIX_FILE_PAGES_MAX 65536 /* of one file; the index takes 20 MiB then */
#define DEN_PREFIX_FILE_DAYS_MAX  30    /* an unused page is dropped then, as a deleted thread is */

/* --- store --- */
#define DEN_DATABASE_READERS_MAX    8    /* connections that read at once; more wait */
#define DEN_DATABASE_STATEMENTS_MAX 256  /* kept prepared by a connection; there are about 200 */
#define DEN_DATABASE_WAIT_MS        5000 /* for another program's lock; its writes take far less */
#define DEN_DATABASE_TEXT_BYTES_MAX (64 << 20) /* one value: the longest message and its FTS row */

/* --- desk --- */
#define DEN_ID_LENGTH_MAX           64
#define DEN_TITLE_BYTES_MAX         1024
#define DEN_NAME_BYTES_MAX          256         /* of folders, prompts, attachments, models */
#define DEN_CONTENT_BYTES_MAX       (16u << 20) /* of a message, as of an answer */
#define DEN_ATTACHMENTS_MAX         64
#define DEN_PARAMETERS_BYTES_MAX    65536 /* of a thread: 64 stop strings of 1 KiB */
#define DEN_PROMPTS_MAX             1000
#define DEN_FOLDERS_MAX             1000
#define DEN_SETTINGS_BYTES_MAX      65536 /* all of them together, as JSON */
#define DEN_PAGE_THREADS_MAX        200   /* of one answer of the list */
#define DEN_SEARCH_HITS_MAX         100   /* nobody reads more */
#define DEN_SEARCH_WORDS_MAX        16
#define DEN_THREAD_MESSAGES_MAX     100000 /* a thread is read whole; people's stay under 5,000 */
#define DEN_IMPORT_BYTES_MAX        (1u << 30)  /* a file; the largest seen exports have 300 MiB */
#define DEN_IMPORT_THREAD_BYTES_MAX (64u << 20) /* one conversation, of which JSON takes 5 times */
#define DEN_IMPORT_REASONS_MAX      1000        /* skipped conversations that are named */
#define DEN_ANSWERS_MAX             64  /* written at once, each by a thread; beyond it: 429 */
#define DEN_LISTENERS_MAX           256 /* open pages; each holds a connection */
#define DEN_LISTENER_BYTES_MAX      (4u << 20) /* not yet taken by one; a slower one is dropped */
#define DEN_BIN_DAYS                30         /* a deleted thread can be restored for so long */
#define DEN_EXPORT_BYTES_MAX        (1u << 30) /* one file of all conversations */

/* --- downloads --- */
#define DEN_URL_BYTES_MAX               8192 /* signed addresses of content networks have 2 KiB */
#define DEN_DOWNLOADS_MAX               256  /* in the list, finished ones with them */
#define DEN_DOWNLOADS_RUNNING_MAX       2    /* at once; more would share one line */
#define DEN_DOWNLOAD_CONNECTIONS_MAX    4    /* of one file; the hub is asked no harder than that */
#define DEN_DOWNLOAD_SEGMENT_BYTES_MIN  (4u << 20) /* less is not worth a connection of its own */
#define DEN_DOWNLOAD_REDIRECTS_MAX      5
#define DEN_DOWNLOAD_ATTEMPTS_MAX       6   /* in a row without a new byte; they take a minute */
#define DEN_DOWNLOAD_CHANGES_MAX        3   /* of the file while it was fetched */
#define DEN_DOWNLOAD_WAIT_SECONDS_MAX   300 /* Retry-After beyond this is a refusal */
#define DEN_DOWNLOAD_SILENT_SECONDS_MAX 60  /* a connection without a byte is given up */
#define DEN_DOWNLOAD_BYTES_MAX          (1ull << 42)  /* one file: 4 TiB */
#define DEN_DOWNLOAD_SPARE_BYTES        (64ull << 20) /* left free on the disk */
#define DEN_HUB_LISTING_BYTES_MAX       (16u << 20) /* 1,000 files, 300 bytes each, and then some */
#define DEN_HUB_PAGES_MAX               8           /* of a listing; each has 1,000 files */
#define DEN_HUB_FILES_MAX               (DEN_MODEL_SHARDS_MAX + 64) /* of one model */

/* --- sandbox --- */
#define DEN_SANDBOX_DESCRIPTORS_MAX                                                                \
    (DEN_WORKER_FILES_MAX + 8) /* handed to a child: the wire and a model's files */
#define DEN_SANDBOX_THREADS_MAX (DEN_THREADS_MAX + 64) /* a team, the wire, and some to spare */
#define DEN_SANDBOX_MEMFD_BYTES_MAX                                                                \
    (256u << 20) /* of one file a child may grow: the largest answer is far below */

/* --- access --- */
#define DEN_TOKENS_MAX           256 /* of the API; each request compares with all of them */
#define DEN_TOKEN_NAME_BYTES_MAX 100 /* what a person calls one */
#define DEN_SESSIONS_MAX         64  /* pages that are logged in; the oldest makes room */
#define DEN_SESSION_SECONDS_MAX  (30 * 24 * 3600) /* after that the page asks for the token again */

/* --- service --- */
#define DEN_TLS_FILE_BYTES_MAX       (1u << 20)  /* a chain of certificates has some kilobytes */
#define DEN_MODELS_MAX               256         /* asked for since the start; each has a handle */
#define DEN_MODEL_NAME_BYTES_MAX     100         /* with its zero; names are typed and listed */
#define DEN_SHAPES_BYTES_MAX         (1u << 20)  /* shapes.json: 300 bytes a model */
#define DEN_HTTP_BODY_BYTES_MAX      (32u << 20) /* a long conversation with a pasted book */
#define DEN_HTTP_OPEN_BODY_BYTES_MAX (16u << 10) /* before a token was shown: of /api/login */
#define DEN_HTTP_CONNECTIONS_MAX     512
#define DEN_ROUTE_VALUE_BYTES_MAX    192 /* an id in a path; model names have up to 127 */
#define DEN_HTTP_IDLE_SECONDS_MAX    120 /* a client silent for longer mid-request is dropped */
#define DEN_HTTP_QUEUE_BYTES_MAX                                                                   \
    (8u << 20) /* a stream's unread output; a reader slower than this is dropped */
#define DEN_HTTP_REPLY_BYTES_MAX                                                                   \
    (256u << 20) /* one JSON reply: an answer with 20 alternatives a token */
#define DEN_ANSWER_BYTES_MAX (16u << 20) /* an answer that is not streamed; 4 M tokens */
#define DEN_CHOICES_MAX      16          /* "n"; OpenAI allows 128, a desktop would crawl */
#define DEN_CALL_ANSWERS_MAX 128         /* of one call: prompts times choices */
#define DEN_TOOL_CALLS_MAX   128         /* of one answer */
#define DEN_TOOLS_MAX        128         /* of one request; as OpenAI has it */
#define DEN_TOOL_CALLS_PLANNED_MAX                                                                 \
    16 /* that a grammar lets a model write side by side; small ones never stop by themselves */
#define DEN_RESPONSES_MAX        10000       /* kept at once; the oldest go */
#define DEN_RESPONSE_BYTES_MAX   (64u << 20) /* one of them with all items before it */
#define DEN_EMBEDDING_INPUTS_MAX 2048        /* texts of one request; as OpenAI has it */
#define DEN_MESSAGES_MAX         10000
#define DEN_REQUESTS_WAITING_MAX 256 /* beyond it: 429 */

/* --- worker process --- */
#define DEN_WIRE_INLINE_BYTES_MAX                                                                  \
    65536 /* a frame in one message of the socket, whose buffer holds 200 KiB at least */
#define DEN_WIRE_PAYLOAD_BYTES_MAX                                                                 \
    (256u << 20) /* a request of the longest HTTP body, escaped; vectors of 65,536 texts */
#define DEN_WORKER_EVENTS_BYTES_MAX                                                                \
    (64u << 20) /* events that wait for their handlers: beyond it, the process has gone mad */
#define DEN_WORKER_SPARE_BYTES                                                                     \
    (8ull << 30) /* address space beside weights and cache: stacks, arenas, texts, grammars */
#define DEN_WORKER_KV_BYTES_MIN                                                                    \
    (1u                                                                                            \
     << 19) /* of a token's keys and values that are always allowed for: small models' are less */
#define DEN_WORKER_KV_BYTES_MAX                                                                    \
    (8u << 20) /* 80 layers of 8,192 values without grouped heads, 32-bit: the most there is */
#define DEN_WORKER_SILENT_SECONDS_MAX                                                              \
    60 /* a process with work that does not answer a ping for so long hangs: it is killed */
#define DEN_WORKER_DEATHS_MAX                                                                      \
    8 /* that one request may live through, even if it got on between them */
#define DEN_WORKER_FILES_MAX (DEN_MODEL_SHARDS_MAX + 64) /* of one model */
#define DEN_EMBED_TEXTS_MAX  65536                       /* in one request; OpenAI allows 2,048 */
#define DEN_EMBED_SLICE_TEXTS_MAX                                                                  \
    64 /* embedded in one go, so that a large request does not hold up a small one ... */
#define DEN_EMBED_SLICE_BYTES_MAX 16384 /* ... and so many bytes of text: half a second */

#endif
