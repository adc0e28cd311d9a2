/* linnet.h - the C ABI of the linnet runtime: tokenize a text, run a program.
 *
 * Rules that hold for every function
 *   - A function that can fail returns a linnet_status; LINNET_OK is 0. Its results come back
 *     through the last parameters, which are written only on success.
 *   - After a failure linnet_last_error() says, for the calling thread, what was found, what was
 *     expected and what to do. linnet_last_executorch_error() keeps ExecuTorch's own code.
 *   - Every *_create / *_open / *_run / *_encode hands over an object that the caller frees with the
 *     *_free of the same noun. Freeing NULL does nothing.
 *   - "borrowed" pointers stay valid as long as the object they were read from, and are never freed.
 *   - Text is UTF-8 with an explicit length in bytes; it may contain zero bytes.
 *   - No C++ exception leaves this interface.
 *
 * Two parts
 *   What is above "the model" below needs the C++ standard library only: tokenizer, manifest, file checks,
 *   decoding. An app that takes inference from an official ExecuTorch package uses this part alone. The
 *   model is this part and ExecuTorch.
 *
 * Threads
 *   A tokenizer, a task, an encoding and answers may be read from several threads. One model may be used
 *   from several threads: its runs are serialized inside. Two models run in parallel, if the process has at
 *   most two threads of its own (linnet_open_options); with more, their runs take turns.
 */
#ifndef LINNET_H
#define LINNET_H

#include <stddef.h>
#include <stdint.h>

#if defined(_WIN32)
#define LINNET_API
#else
#define LINNET_API __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Raised by one whenever a signature, a struct or a status number changes. */
#define LINNET_ABI_VERSION 3

typedef int32_t linnet_status;

enum {
  LINNET_OK = 0,

  /* 1xx - the caller: arguments and inputs */
  LINNET_INVALID_ARGUMENT = 100,   /* a NULL, a negative length, an unknown enum value */
  LINNET_INVALID_UTF8 = 101,       /* the text is not UTF-8; the message gives the byte */
  LINNET_INPUT_OUT_OF_RANGE = 102, /* a token id below 0 or above the vocabulary */
  LINNET_INPUT_SHAPE = 103,        /* number, dtype or shape of the inputs does not fit the method */
  LINNET_TEXT_TOO_LONG = 104,      /* truncation is off (or impossible) and the text does not fit */
  LINNET_UNKNOWN_METHOD = 105,     /* the program has no such method */
  LINNET_THREADS_FIXED = 106,      /* the process already runs with another thread count */
  LINNET_UNKNOWN_FIELD = 107,      /* the manifest has no such field */

  /* 2xx - the file */
  LINNET_FILE_NOT_FOUND = 200,
  LINNET_FILE_UNREADABLE = 201,
  LINNET_NOT_A_PROGRAM = 202,     /* neither an ExecuTorch program nor part of one */
  LINNET_NOT_A_LINNET_FILE = 203, /* an ExecuTorch program without linnet's manifest */
  LINNET_FILE_TRUNCATED = 204,    /* the end is missing */
  LINNET_PROGRAM_DAMAGED = 205,   /* header, program section or delegate section: hash differs */
  LINNET_TRAILER_DAMAGED = 206,   /* the trailer contradicts itself or the file */
  LINNET_FILE_DAMAGED = 207,      /* the hash of the whole file differs (linnet_file_verify), or the file was
                                     written to while it was open */
  LINNET_SCHEMA_TOO_NEW = 208,    /* the file's major schema version is above this build's */
  LINNET_MANIFEST_INVALID = 209,  /* a field is missing or has the wrong type */
  LINNET_TOKENIZER_INVALID = 210, /* the tokenizer bytes do not parse */
  LINNET_SIGNATURE_INVALID = 211, /* no signature, or not one of the required key */

  /* 3xx - this build and this machine */
  LINNET_BACKEND_MISSING = 300,
  LINNET_OPERATOR_MISSING = 301,
  LINNET_EXECUTORCH_TOO_OLD = 302,
  LINNET_OUT_OF_MEMORY = 303,

  /* 4xx - ExecuTorch refused or failed; see linnet_last_executorch_error() */
  LINNET_LOAD_FAILED = 400,
  LINNET_RUN_FAILED = 401,

  /* 5xx - a defect of linnet itself */
  LINNET_INTERNAL = 500
};

/* ---- errors and versions ------------------------------------------------------------------- */

/* LINNET_ABI_VERSION of the library that was loaded. */
LINNET_API int32_t linnet_abi_version(void);
/* Name of a status, for example "LINNET_FILE_TRUNCATED"; "LINNET_UNKNOWN" for other numbers. Static. */
LINNET_API const char* linnet_status_name(linnet_status status);
/* Text of the calling thread's last failure; "" if there was none. Valid until its next call. */
LINNET_API const char* linnet_last_error(void);
/* ExecuTorch's error code of the calling thread's last failure; 0 if ExecuTorch was not involved. */
LINNET_API uint32_t linnet_last_executorch_error(void);

/* Facts about this build, one "key=value" per line, UTF-8: version, executorch, backends (comma
 * separated), operators (count), cpu, cpu_features, threads (0 while not fixed). Static per thread. */
LINNET_API const char* linnet_runtime_info(void);

/* ---- tokenizer ------------------------------------------------------------------------------ */

typedef struct linnet_tokenizer linnet_tokenizer;
typedef struct linnet_encoding linnet_encoding;

/* UTF-8 with its length in bytes; `bytes` may be NULL if `size` is 0. */
typedef struct {
  const char* bytes;
  size_t size;
} linnet_text;

typedef enum {
  LINNET_TRUNCATE_NEVER = 0,         /* LINNET_TEXT_TOO_LONG if it does not fit */
  LINNET_TRUNCATE_LONGEST_FIRST = 1, /* as `longest_first` of Hugging Face tokenizers */
  LINNET_TRUNCATE_ONLY_SECOND = 2    /* as `only_second`; with stride >= 0 gives windows */
} linnet_truncation;

typedef struct {
  int32_t max_length; /* tokens, special tokens included; 0 means no bound */
  linnet_truncation truncation;
  int32_t stride;             /* overlap in tokens of consecutive windows; -1: one window only */
  int32_t add_special_tokens; /* 0 or 1 */
} linnet_encode_options;

/* One window of an encoding. All pointers borrowed from the encoding, `length` entries each. */
typedef struct {
  size_t length;
  const int64_t* ids;
  const int64_t* type_ids;
  const int32_t* sequence_ids;        /* -1 special token, 0 first text, 1 second text */
  const int64_t* offsets_code_points; /* 2 * length: start, end in the original text; 0, 0 if special */
  const int64_t* offsets_utf8;        /* the same in UTF-8 bytes */
  const int64_t* offsets_utf16;       /* the same in UTF-16 code units */
  int32_t truncated;                  /* 1: text was left out that no other window holds */
} linnet_encoding_view;

/* Builds a tokenizer from the bytes of the manifest field `tokenizer` (kind "wordpiece"). The bytes
 * are copied. Errors: LINNET_TOKENIZER_INVALID. */
LINNET_API linnet_status linnet_tokenizer_create(const void* bytes, size_t size,
                                                 linnet_tokenizer** tokenizer);
LINNET_API void linnet_tokenizer_free(linnet_tokenizer* tokenizer);
/* Number of ids: the vocabulary with the added tokens. */
LINNET_API size_t linnet_tokenizer_vocab_size(const linnet_tokenizer* tokenizer);
/* The token of an id, borrowed, not zero-terminated. LINNET_INPUT_OUT_OF_RANGE if there is none. */
LINNET_API linnet_status linnet_tokenizer_token(const linnet_tokenizer* tokenizer, int64_t id,
                                                const char** token, size_t* size);
/* The prefix of tokens that continue a word, "##"; empty if there is none. Borrowed. */
LINNET_API linnet_status linnet_tokenizer_prefix(const linnet_tokenizer* tokenizer, linnet_text* prefix);
enum {
  LINNET_TOKEN_SPECIAL = 1,  /* "[CLS]": not part of a text */
  LINNET_TOKEN_ADDED = 2,    /* found in a text before words are looked at */
  LINNET_TOKEN_CONTINUES = 4 /* continues the word of the token before it */
};
/* What a token is: a sum of the above. LINNET_INPUT_OUT_OF_RANGE if there is no such token. */
LINNET_API linnet_status linnet_tokenizer_token_flags(const linnet_tokenizer* tokenizer, int64_t id,
                                                      int32_t* flags);
/* Encodes a text, or a pair if `pair` is not NULL. Errors: LINNET_INVALID_UTF8, LINNET_TEXT_TOO_LONG,
 * LINNET_INVALID_ARGUMENT (a max_length without room for the special tokens, a stride too large, ...). */
LINNET_API linnet_status linnet_tokenizer_encode(const linnet_tokenizer* tokenizer, const char* text,
                                                 size_t text_size, const char* pair, size_t pair_size,
                                                 const linnet_encode_options* options,
                                                 linnet_encoding** encoding);
LINNET_API void linnet_encoding_free(linnet_encoding* encoding);
/* At least 1; more only with ONLY_SECOND and stride >= 0. */
LINNET_API size_t linnet_encoding_window_count(const linnet_encoding* encoding);
LINNET_API linnet_status linnet_encoding_window(const linnet_encoding* encoding, size_t window,
                                                linnet_encoding_view* view);

/* The id of a token. LINNET_INPUT_OUT_OF_RANGE if there is no such token. */
LINNET_API linnet_status linnet_tokenizer_find(const linnet_tokenizer* tokenizer, linnet_text token,
                                               int64_t* id);
/* Ids as text, as the WordPiece decoder of `tokenizers` gives it; ids without a token are left out, special
 * ones too if `skip_special` is 1. Writes at most `capacity` bytes without a zero at the end; `size` is the
 * whole text's, so a call with capacity 0 asks for it. */
LINNET_API linnet_status linnet_tokenizer_decode(const linnet_tokenizer* tokenizer, const int64_t* ids,
                                                 size_t count, int32_t skip_special, char* text,
                                                 size_t capacity, size_t* size);

/* One window that another tokenizer made, for decoding; `length` entries each. */
typedef struct {
  size_t length;
  const int64_t* ids;
  const int64_t* type_ids;
  const int32_t* sequence_ids;
  const int64_t* offsets_code_points;
  const int64_t* words;      /* number of each token's word within its text, -1 if special */
  const linnet_text* tokens; /* the tokens themselves */
  int32_t marks_words;       /* 1: tokens that go on with a word have a prefix of their own */
} linnet_token_source;

/* An encoding of one window from tokens of another tokenizer. Everything is copied. A text whose `bytes` is
 * NULL is not known, and its tokens get the offsets 0, 0. Errors: LINNET_INVALID_ARGUMENT if offsets are not
 * inside of their text, LINNET_INVALID_UTF8. */
LINNET_API linnet_status linnet_encoding_create(linnet_text text, linnet_text pair,
                                                const linnet_token_source* tokens,
                                                linnet_encoding** encoding);

/* ---- files ---------------------------------------------------------------------------------- */

/* Checks the trailer and the SHA-256 of what ExecuTorch parses: what linnet_model_open does first. Call it
 * before a file goes to a runtime that is not linnet's. */
LINNET_API linnet_status linnet_file_check(const char* path);
/* The same for the bytes of a file. */
LINNET_API linnet_status linnet_bytes_check(const void* bytes, size_t size);
/* Checks the SHA-256 of everything in the file, weights and evidence included, without loading it. */
LINNET_API linnet_status linnet_file_verify(const char* path);
/* What a signature of the file signs, and the Ed25519 signature itself, which the caller checks with a
 * library of its own: the core has no cryptography beyond SHA-256. Reads every byte. LINNET_SIGNATURE_INVALID
 * if there is none. */
#define LINNET_SIGNED_SIZE 112
#define LINNET_SIGNATURE_SIZE 64
LINNET_API linnet_status linnet_file_signature(const char* path, uint8_t message[LINNET_SIGNED_SIZE],
                                               uint8_t signature[LINNET_SIGNATURE_SIZE]);
/* The SHA-256 of everything before it in the trailer, which is what linnet_file_verify checks: 32 bytes that
 * name the file's content. They are read, not computed. */
LINNET_API linnet_status linnet_file_digest(const char* path, uint8_t digest[32]);

/* ---- tensors -------------------------------------------------------------------------------- */

typedef enum { LINNET_INT64 = 0, LINNET_INT32 = 1, LINNET_FLOAT32 = 2, LINNET_BOOLEAN = 3 } linnet_dtype;

#define LINNET_MAX_RANK 4

/* A contiguous row-major tensor. As an input it is borrowed for the call; as an output it is borrowed
 * from the linnet_outputs, which owns a copy. */
typedef struct {
  linnet_dtype dtype;
  int32_t rank;
  int64_t shape[LINNET_MAX_RANK];
  const void* data;
} linnet_tensor;

/* Outputs of a run, which own their memory. */
typedef struct linnet_outputs linnet_outputs;

/* Outputs that another runtime computed. The tensors are copied. */
LINNET_API linnet_status linnet_outputs_create(const linnet_tensor* tensors, size_t count,
                                               linnet_outputs** outputs);
LINNET_API size_t linnet_outputs_count(const linnet_outputs* outputs);
LINNET_API linnet_status linnet_outputs_tensor(const linnet_outputs* outputs, size_t index,
                                               linnet_tensor* tensor);
LINNET_API void linnet_outputs_free(linnet_outputs* outputs);

/* ---- task: the manifest, and what outputs mean ---------------------------------------------- */

typedef struct linnet_task linnet_task;

typedef enum {
  LINNET_INT = 0,
  LINNET_FLOAT = 1,
  LINNET_BOOL = 2,
  LINNET_STRING = 3,
  LINNET_BYTES = 4
} linnet_value_type;

/* A field of the manifest. `bytes`/`size` serve STRING and BYTES and are borrowed from where it was read. */
typedef struct {
  linnet_value_type type;
  int64_t integer; /* INT and BOOL */
  double real;     /* FLOAT */
  const char* bytes;
  size_t size;
} linnet_value;

typedef struct {
  const char* name;
  linnet_value value;
} linnet_field;

/* The task of a file from the values of its constant methods, as any ExecuTorch runtime reads them. They are
 * copied and checked: LINNET_SCHEMA_TOO_NEW, LINNET_MANIFEST_INVALID. */
LINNET_API linnet_status linnet_task_create(const linnet_field* fields, size_t count, linnet_task** task);
LINNET_API void linnet_task_free(linnet_task* task);
/* A manifest field by name (sdk/linnet/format/manifest.py lists them). LINNET_UNKNOWN_FIELD if absent. */
LINNET_API linnet_status linnet_task_value(const linnet_task* task, const char* name, linnet_value* value);
/* The tokenizer, borrowed, built by the first call. LINNET_UNKNOWN_FIELD if its kind is not built in. */
LINNET_API linnet_status linnet_task_tokenizer(const linnet_task* task, const linnet_tokenizer** tokenizer);
LINNET_API size_t linnet_task_label_count(const linnet_task* task);
/* Class `index`, borrowed. */
LINNET_API linnet_status linnet_task_label(const linnet_task* task, size_t index, linnet_text* label);

/* ---- answers -------------------------------------------------------------------------------- */

typedef struct linnet_answers linnet_answers;

typedef struct {
  int64_t start;
  int64_t end;
} linnet_span;

/* One answer; text is borrowed from the answers. What a task does not have is -1 or empty. */
typedef struct {
  double score;
  linnet_text label;    /* class, entity or entity group */
  linnet_text text;     /* word of an entity, answer to a question, token for a mask */
  linnet_text sequence; /* fill-mask: the text with the token in it */
  int64_t label_index;  /* class; -1 for entity groups */
  int64_t token;        /* fill-mask: id of the token */
  int64_t index;        /* place in the window: of an entity's token (strategy none), of the mask */
  int64_t first_token;  /* tokens of the window that the answer covers */
  int64_t last_token;
  linnet_span code_points; /* place in the text (question-answering: in the context) */
  linnet_span utf8;        /* the same in bytes */
  linnet_span utf16;       /* the same in UTF-16 code units */
  const int64_t* words;    /* entities: the tokens at which the words of the answer begin */
  size_t word_count;
} linnet_answer;

LINNET_API size_t linnet_answers_count(const linnet_answers* answers);
LINNET_API linnet_status linnet_answers_get(const linnet_answers* answers, size_t index,
                                            linnet_answer* answer);
/* 1 if text was cut off before it was run. */
LINNET_API int32_t linnet_answers_truncated(const linnet_answers* answers);
LINNET_API void linnet_answers_free(linnet_answers* answers);

typedef enum {
  LINNET_SCORES_OF_FILE = 0, /* what the manifest says */
  LINNET_SCORES_SOFTMAX = 1,
  LINNET_SCORES_SIGMOID = 2,
  LINNET_SCORES_NONE = 3
} linnet_score_function;

typedef enum {
  LINNET_AGGREGATE_NONE = 0,    /* every token */
  LINNET_AGGREGATE_SIMPLE = 1,  /* neighbours of one entity */
  LINNET_AGGREGATE_FIRST = 2,   /* the same, once each word has the label of its first token, */
  LINNET_AGGREGATE_AVERAGE = 3, /* of its tokens' mean scores, */
  LINNET_AGGREGATE_MAX = 4      /* or of its surest token */
} linnet_aggregation;

typedef struct {
  int32_t top_k; /* best first; 0: all classes */
  linnet_score_function score_function;
} linnet_class_options;

typedef struct {
  linnet_aggregation aggregation;
  const linnet_text* ignored; /* labels or entity groups to leave out */
  size_t ignored_count;
} linnet_entity_options;

typedef struct {
  int32_t top_k;
  int32_t max_answer_length; /* tokens */
  int32_t max_length;        /* tokens of a window; 0: the smaller of 384 and the file's bound */
  int32_t stride;            /* overlap of windows in tokens; -1: the smaller of 128 and half of max_length */
  int32_t allow_empty;       /* 1: the empty answer competes */
  int32_t align_to_words;    /* 1: answers begin and end with words */
} linnet_question_options;

typedef struct {
  int32_t top_k;
  const int64_t* targets; /* limit the proposals to these ids; NULL: none */
  size_t target_count;
} linnet_mask_options;

/* The defaults of the Hugging Face pipelines. */
LINNET_API linnet_class_options linnet_default_class_options(void);
LINNET_API linnet_entity_options linnet_default_entity_options(void);
LINNET_API linnet_question_options linnet_default_question_options(void);
LINNET_API linnet_mask_options linnet_default_mask_options(void);

/* A window and what the program gave for it, in the order of the manifest's `outputs`, float32. A first axis
 * of 1, the batch, may be there or not. */
typedef struct {
  const linnet_encoding* encoding;
  size_t window;
  const linnet_tensor* outputs;
  size_t output_count;
} linnet_window_outputs;

/* From outputs to answers. Outputs whose shape contradicts the manifest or the window are
 * LINNET_MANIFEST_INVALID. Options may be NULL: the defaults. */

/* text-classification: classes with scores, best first; equal scores keep the labels' order. */
LINNET_API linnet_status linnet_decode_classes(const linnet_task* task, const linnet_tensor* logits,
                                               const linnet_class_options* options, linnet_answers** answers);
/* token-classification. */
LINNET_API linnet_status linnet_decode_entities(const linnet_task* task, linnet_text text,
                                                const linnet_window_outputs* window,
                                                const linnet_entity_options* options,
                                                linnet_answers** answers);
/* question-answering over all windows of one question and context. */
LINNET_API linnet_status linnet_decode_spans(const linnet_task* task, linnet_text context,
                                             const linnet_window_outputs* windows, size_t window_count,
                                             const linnet_question_options* options,
                                             linnet_answers** answers);
/* fill-mask: for each mask in the window its proposals, best first; `index` tells the masks apart. */
LINNET_API linnet_status linnet_decode_masks(const linnet_task* task, const linnet_window_outputs* window,
                                             const linnet_mask_options* options, linnet_answers** answers);
/* text-ranking: the scores of a pair, float32, at most `capacity`; `count` is how many there are. */
LINNET_API linnet_status linnet_decode_scores(const linnet_task* task, const linnet_tensor* logits,
                                              float* scores, size_t capacity, size_t* count);
/* Softmax and the like over `rows` rows of `columns` float32 numbers, in place. */
LINNET_API linnet_status linnet_apply_scores(linnet_score_function score_function, float* values, size_t rows,
                                             size_t columns);

/* ---- from text to answers ------------------------------------------------------------------- */

/* What runs `forward`: linnet_model_engine() gives ExecuTorch inside of linnet, an app can give another
 * runtime. `run` gets int64 inputs [1, tokens] in the order of the manifest's `inputs`, fills `outputs` by
 * linnet_outputs_create, and returns LINNET_OK or the status that the caller shall see. */
typedef struct {
  linnet_status (*run)(void* context, const char* method, const linnet_tensor* inputs, size_t input_count,
                       linnet_outputs** outputs);
  void* context;
} linnet_engine;

/* One function for each verb of the bindings (Kotlin, Swift; Python's model(...) picks it by the file's
 * task): classify   linnet_classify          embed      linnet_embed entities   linnet_find_entities     rank
 * linnet_rank, linnet_score for one passage answer     linnet_answer_question   fillMask   linnet_fill_mask
 *
 * Each cuts a text over the file's bound, unless `truncate` is 0: then LINNET_TEXT_TOO_LONG. A file of
 * another task is LINNET_INVALID_ARGUMENT. `pair.bytes` may be NULL. */
LINNET_API linnet_status linnet_classify(const linnet_task* task, const linnet_engine* engine,
                                         linnet_text text, linnet_text pair, int32_t truncate,
                                         const linnet_class_options* options, linnet_answers** answers);
LINNET_API linnet_status linnet_find_entities(const linnet_task* task, const linnet_engine* engine,
                                              linnet_text text, int32_t truncate,
                                              const linnet_entity_options* options, linnet_answers** answers);
LINNET_API linnet_status linnet_answer_question(const linnet_task* task, const linnet_engine* engine,
                                                linnet_text question, linnet_text context,
                                                const linnet_question_options* options,
                                                linnet_answers** answers);
LINNET_API linnet_status linnet_fill_mask(const linnet_task* task, const linnet_engine* engine,
                                          linnet_text text, int32_t truncate,
                                          const linnet_mask_options* options, linnet_answers** answers);
/* The embedding of a text, float32 [embedding_size of the manifest], written to `vector`. `prompt_name` NULL
 * is the file's default prompt; a name that the file does not have is LINNET_INVALID_ARGUMENT. `normalize` 1
 * gives it the length 1. */
LINNET_API linnet_status linnet_embed(const linnet_task* task, const linnet_engine* engine, linnet_text text,
                                      int32_t truncate, const char* prompt_name, int32_t normalize,
                                      float* vector, size_t capacity);
/* text-ranking: the scores of a query and a passage; see linnet_decode_scores. */
LINNET_API linnet_status linnet_score(const linnet_task* task, const linnet_engine* engine, linnet_text query,
                                      linnet_text passage, int32_t truncate, float* scores, size_t capacity,
                                      size_t* count);
/* text-ranking: passages by their (first) score for a query, best first, the earlier first among equals:
 * answers with `score`, and in `index` the number of the passage. `top_k` 0: all of them. */
LINNET_API linnet_status linnet_rank(const linnet_task* task, const linnet_engine* engine, linnet_text query,
                                     const linnet_text* passages, size_t passage_count, int32_t truncate,
                                     int32_t top_k, linnet_answers** answers);

/* ---- model ---------------------------------------------------------------------------------- */

typedef struct linnet_model linnet_model;

typedef struct {
  int32_t threads; /* of the whole process, fixed by its first model; 0: the fixed count, or all CPUs */
} linnet_open_options;

/* Opens a file by path (mapped) or from memory (copied). Checks the trailer and the hash of the program
 * section before ExecuTorch parses it, then ExecuTorch's InternalConsistency, then the schema version,
 * then backends and operators. No method is loaded yet. `options` may be NULL.
 *
 * Replace a file that is open by a rename: the model goes on with the old one. A file that is written to in
 * place is LINNET_FILE_DAMAGED at the next run, told by its size and time of change; what is parsed has been
 * copied, but a run that is under way while the file gets shorter can still end the process. */
LINNET_API linnet_status linnet_model_open(const char* path, const linnet_open_options* options,
                                           linnet_model** model);
LINNET_API linnet_status linnet_model_open_bytes(const void* bytes, size_t size,
                                                 const linnet_open_options* options, linnet_model** model);
LINNET_API void linnet_model_free(linnet_model* model);
/* A manifest field by name (sdk/linnet/format/manifest.py lists them). LINNET_UNKNOWN_FIELD if absent. */
LINNET_API linnet_status linnet_model_value(const linnet_model* model, const char* name, linnet_value* value);
/* Names of all constant methods of the program, one per line. Borrowed. */
LINNET_API const char* linnet_model_fields(const linnet_model* model);
/* Names of all methods of the program that compute, one per line, in the program's order: "forward", perhaps
 * "forward_batch" and "forward_fused". Borrowed. */
LINNET_API const char* linnet_model_methods(const linnet_model* model);
/* The evidence of the trailer: UTF-8 JSON, borrowed. */
LINNET_API linnet_status linnet_model_evidence(const linnet_model* model, const char** json, size_t* size);
/* The model's tokenizer, borrowed. LINNET_UNKNOWN_FIELD if its kind is not built in. */
LINNET_API linnet_status linnet_model_tokenizer(const linnet_model* model,
                                                const linnet_tokenizer** tokenizer);
/* The model's task and what runs it, both borrowed from the model. */
LINNET_API linnet_status linnet_model_task(const linnet_model* model, const linnet_task** task);
LINNET_API linnet_status linnet_model_engine(linnet_model* model, linnet_engine* engine);
/* Runs a method ("forward", "forward_batch"), loading it first if needed. Token ids are checked against
 * the vocabulary, shapes against the program. Outputs are copies. */
LINNET_API linnet_status linnet_model_run(linnet_model* model, const char* method,
                                          const linnet_tensor* inputs, size_t input_count,
                                          linnet_outputs** outputs);
typedef enum {
  LINNET_FUSED_NEVER = 0,        /* run what a stock ExecuTorch runtime runs */
  LINNET_FUSED_WHERE_FASTER = 1, /* as after opening */
  LINNET_FUSED_ALWAYS = 2        /* on every processor, in plain C++ if need be */
} linnet_fused;

/* When "forward" is the file's "forward_fused", if it has one: the same with linnet's custom kernels.
 * Methods that are loaded are dropped if that is a change, and loaded again by their next run. */
LINNET_API linnet_status linnet_model_set_fused(linnet_model* model, linnet_fused when);

/* ---- profiling ------------------------------------------------------------------------------ */

typedef struct linnet_profile linnet_profile;

typedef enum {
  LINNET_EVENT_RUNTIME =
      0, /* measured by ExecuTorch: "Method::execute"; for each instruction "DELEGATE_CALL",
            or "OPERATOR_CALL" around "native_call_" with the kernel's name */
  LINNET_EVENT_DELEGATE = 1 /* reported by the delegate once it has run. XNNPACK reports whole
                               microseconds, rounded down; where the clock that it reads can be followed
                               (Linux), these are its exact readings */
} linnet_event_kind;

/* One event; the clock is monotonic, its zero arbitrary. */
typedef struct {
  const char* name; /* ExecuTorch's or the delegate's, borrowed from the profile */
  linnet_event_kind kind;
  int32_t run;         /* counted from 0 since the profile before this one */
  int32_t instruction; /* of the method; -1 outside of any */
  int64_t start_ns;
  int64_t end_ns;
} linnet_event;

/* Profiling on (1) or off (0, as after opening). Methods that are loaded are dropped if that is a change,
 * and loaded again by their next run, because ExecuTorch ties its event tracer to loading. */
LINNET_API linnet_status linnet_model_set_profiling(linnet_model* model, int32_t on);
/* Hands over the events of all runs since the last call, in the order in which they ended. Failed runs
 * have none. LINNET_INVALID_ARGUMENT while profiling is off. */
LINNET_API linnet_status linnet_model_profile(linnet_model* model, linnet_profile** profile);
LINNET_API size_t linnet_profile_count(const linnet_profile* profile);
LINNET_API linnet_status linnet_profile_event(const linnet_profile* profile, size_t index,
                                              linnet_event* event);
LINNET_API void linnet_profile_free(linnet_profile* profile);

#ifdef __cplusplus
}
#endif
#endif
