/* linnet.h - the C ABI of the linnet runtime: file checks, tokenizer, program, answers.
 *
 * Rules that hold for every function
 *   - A function that can fail returns a linnet_status; LINNET_OK is 0. Its results come back
 *     through the last parameters, which are written only on success.
 *   - After a failure linnet_last_error() says, for the calling thread, what was found, what was
 *     expected and what to do. linnet_last_executorch_error() keeps ExecuTorch's own code.
 *   - An object that a function hands over through a pointer without const belongs to the caller, who
 *     frees it with the function of its type that ends in _free. Freeing NULL does nothing.
 *   - A const object, and everything that is called "borrowed", belongs to the object it was read from: it
 *     stays valid as long as that object and is never freed.
 *   - Text is UTF-8 with an explicit length in bytes; it may contain zero bytes.
 *   - NULL in place of an object or of a result gives LINNET_INVALID_ARGUMENT, and so does an index that
 *     is not below the count. The functions that return a count return 0 for NULL.
 *   - No C++ exception leaves this interface.
 *
 * Two parts
 *   The text part, all sections before "model", needs only the C++ standard library: tokenizer, file checks,
 *   manifest, decoding. An app that runs the program with an official ExecuTorch package uses this part
 *   alone. The sections "model", "generation" and "profiling" and linnet_runtime_info are the program part,
 * which needs ExecuTorch.
 *
 * Threads
 *   Several threads may read the same tokenizer, task, encoding or answers. Several threads may use the same
 *   model: its runs wait for each other. Two models run in parallel if linnet_open_options gave the process
 *   at most two threads; with more threads, the runs of all models take turns.
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

/* Version of this interface: rises by one whenever a signature, a struct or a status number changes. */
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
  LINNET_CONTEXT_FULL = 108,       /* the tokens do not fit behind those of the text */
  LINNET_CANCELLED = 109,          /* linnet_generation_cancel was called */

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
  LINNET_STATE_INVALID = 212,     /* a saved text is damaged, or belongs to another model */

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

/* Return the LINNET_ABI_VERSION that the loaded library was built with. */
LINNET_API int32_t linnet_abi_version(void);
/* Return the name of a status, for example "LINNET_FILE_TRUNCATED"; "LINNET_UNKNOWN" for other numbers. The
 * string is static. */
LINNET_API const char* linnet_status_name(linnet_status status);
/* Return the message of the calling thread's last failure; "" if there was none. Control characters of what
 * it quotes are escapes, \u001b. Valid until the thread's next call of a function of this header. */
LINNET_API const char* linnet_last_error(void);
/* Return ExecuTorch's error code of the calling thread's last failure; 0 if ExecuTorch was not involved. */
LINNET_API uint32_t linnet_last_executorch_error(void);

/* Return facts about this build and machine, one "key=value" per line, UTF-8: version, executorch, backends
 * (comma separated), operators (their number), cpu, cpu_features, kernels (linnet's own for this processor:
 * portable, avx2, avx_vnni, avx512_vnni, neon, dotprod or i8mm; the environment variable LINNET_MAX_CPU
 * chooses slower ones), threads (0
 * until the first model fixes them). Valid until the calling thread calls this function again. */
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
  LINNET_TRUNCATE_LONGEST_FIRST = 1, /* as `longest_first`; a single text with stride >= 0 gives windows */
  LINNET_TRUNCATE_ONLY_SECOND = 2    /* as `only_second`; a pair with stride >= 0 gives windows */
} linnet_truncation;

typedef struct {
  int32_t max_length; /* tokens, special tokens included; 0 means no bound */
  linnet_truncation truncation;
  int32_t stride;             /* overlap in tokens of consecutive windows; -1: one window only */
  int32_t add_special_tokens; /* 0 or 1 */
} linnet_encode_options;

/* One window of an encoding, special tokens included. All pointers are borrowed from the encoding and have
 * `length` entries, unless said otherwise. */
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

/* Build a tokenizer from the bytes of the manifest field `tokenizer` (kind "wordpiece" or "tables"), which
 * are copied. Errors: LINNET_TOKENIZER_INVALID. */
LINNET_API linnet_status linnet_tokenizer_create(const void* bytes, size_t size,
                                                 linnet_tokenizer** tokenizer);
/* Free a tokenizer of linnet_tokenizer_create; never one borrowed from a task or a model. */
LINNET_API void linnet_tokenizer_free(linnet_tokenizer* tokenizer);
/* Return the number of ids: the vocabulary with the added tokens. */
LINNET_API size_t linnet_tokenizer_vocab_size(const linnet_tokenizer* tokenizer);
/* Read the token of an id: `size` bytes, borrowed, not zero-terminated. Errors: LINNET_INPUT_OUT_OF_RANGE if
 * no token has this id. */
LINNET_API linnet_status linnet_tokenizer_token(const linnet_tokenizer* tokenizer, int64_t id,
                                                const char** token, size_t* size);
/* Read the prefix of tokens that continue a word, "##", borrowed; empty if the tokenizer has none. */
LINNET_API linnet_status linnet_tokenizer_prefix(const linnet_tokenizer* tokenizer, linnet_text* prefix);
enum {
  LINNET_TOKEN_SPECIAL = 1,  /* "[CLS]": not part of a text */
  LINNET_TOKEN_ADDED = 2,    /* found in a text before the text is split into words */
  LINNET_TOKEN_CONTINUES = 4 /* continues the word of the token before it */
};
/* Read what kind of token an id is: a sum of the flags above. Errors: LINNET_INPUT_OUT_OF_RANGE if no token
 * has this id. */
LINNET_API linnet_status linnet_tokenizer_token_flags(const linnet_tokenizer* tokenizer, int64_t id,
                                                      int32_t* flags);
/* Encode a text, or a pair if `pair` is not NULL; sizes are in bytes. The encoding does not refer to the
 * texts. Errors: LINNET_INVALID_UTF8, LINNET_TEXT_TOO_LONG, LINNET_INVALID_ARGUMENT (a max_length without
 * room for the special tokens, a stride too large, ...). */
LINNET_API linnet_status linnet_tokenizer_encode(const linnet_tokenizer* tokenizer, const char* text,
                                                 size_t text_size, const char* pair, size_t pair_size,
                                                 const linnet_encode_options* options,
                                                 linnet_encoding** encoding);
/* Free an encoding and all windows read from it. */
LINNET_API void linnet_encoding_free(linnet_encoding* encoding);
/* Return the number of windows: at least 1, more only with stride >= 0, of a single text with
 * LINNET_TRUNCATE_LONGEST_FIRST or of a pair with LINNET_TRUNCATE_ONLY_SECOND. */
LINNET_API size_t linnet_encoding_window_count(const linnet_encoding* encoding);
/* Read window number `window`, borrowed from the encoding. */
LINNET_API linnet_status linnet_encoding_window(const linnet_encoding* encoding, size_t window,
                                                linnet_encoding_view* view);
/* Read the number of each token's word within its text, as the pre-tokenizer cuts it, -1 for special tokens;
 * one for each token of the window, borrowed from the encoding. NULL if the tokenizer is of the kind
 * "wordpiece", where LINNET_TOKEN_CONTINUES marks the tokens inside a word. */
LINNET_API linnet_status linnet_encoding_words(const linnet_encoding* encoding, size_t window,
                                               const int64_t** words);

/* Look up the id of a token. Errors: LINNET_INPUT_OUT_OF_RANGE if the vocabulary does not have it. */
LINNET_API linnet_status linnet_tokenizer_find(const linnet_tokenizer* tokenizer, linnet_text token,
                                               int64_t* id);
/* Turn ids into text, as the decoder of `tokenizers` does; unused ids are left out, and special
 * tokens too if `skip_special` is 1. At most `capacity` bytes are written, without a zero at the end. `size`
 * is set to the size of the whole text in bytes, so a call with capacity 0 asks for it. Errors:
 * LINNET_INPUT_OUT_OF_RANGE for an id outside the vocabulary. */
LINNET_API linnet_status linnet_tokenizer_decode(const linnet_tokenizer* tokenizer, const int64_t* ids,
                                                 size_t count, int32_t skip_special, char* text,
                                                 size_t capacity, size_t* size);

/* Text of tokens that come one after the other, as a model generates them. */
typedef struct linnet_text_stream linnet_text_stream;

/* Open a stream on a tokenizer, borrowed, which must outlive it. With `skip_special` 1 special tokens are
 * left out. One thread at a time may use a stream. */
LINNET_API linnet_status linnet_text_stream_create(const linnet_tokenizer* tokenizer, int32_t skip_special,
                                                   linnet_text_stream** stream);
/* Take the next token and read what is new in the text and certain: whole characters of UTF-8, often none.
 * What a later token may still change is held back: a character whose last bytes are to come, a run of tokens
 * for single bytes, a space that the decoder may remove. `text` is borrowed until the next call with the
 * stream. The cost does not depend on the tokens before. Errors: LINNET_INPUT_OUT_OF_RANGE for an id outside
 * the vocabulary, after which the stream goes on as if it had not come. */
LINNET_API linnet_status linnet_text_stream_push(linnet_text_stream* stream, int64_t id, linnet_text* text);
/* Read the rest of the text, in the same way; bytes that are not UTF-8 are U+FFFD. All texts of a stream,
 * joined, are what linnet_tokenizer_decode gives for all ids. The next token then begins another text. */
LINNET_API linnet_status linnet_text_stream_finish(linnet_text_stream* stream, linnet_text* text);
/* Free a stream. */
LINNET_API void linnet_text_stream_free(linnet_text_stream* stream);

/* One window that another tokenizer made, as linnet_encoding_create takes it; all pointers have `length`
 * entries, `offsets_code_points` 2 * `length`. */
typedef struct {
  size_t length;
  const int64_t* ids;
  const int64_t* type_ids;
  const int32_t* sequence_ids;
  const int64_t* offsets_code_points;
  const int64_t* words;      /* number of each token's word within its text, -1 if special */
  const linnet_text* tokens; /* the tokens themselves */
  int32_t marks_words;       /* 1: tokens that continue a word carry a prefix, as "##" of WordPiece */
} linnet_token_source;

/* Make an encoding of one window from the tokens of another tokenizer. Everything is copied. The tokens of a
 * text whose `bytes` is NULL get the offsets 0, 0. Errors: LINNET_INVALID_ARGUMENT if offsets lie outside
 * their text, LINNET_INVALID_UTF8. */
LINNET_API linnet_status linnet_encoding_create(linnet_text text, linnet_text pair,
                                                const linnet_token_source* tokens,
                                                linnet_encoding** encoding);

/* ---- files ---------------------------------------------------------------------------------- */

/* Check the trailer and the SHA-256 of what ExecuTorch parses, as linnet_model_open does first. Call it
 * before you give a file to another runtime. Errors: LINNET_FILE_NOT_FOUND, LINNET_FILE_UNREADABLE,
 * LINNET_NOT_A_PROGRAM, LINNET_NOT_A_LINNET_FILE, LINNET_FILE_TRUNCATED, LINNET_TRAILER_DAMAGED,
 * LINNET_PROGRAM_DAMAGED. */
LINNET_API linnet_status linnet_file_check(const char* path);
/* Check the same for a whole file in memory, which is not copied. */
LINNET_API linnet_status linnet_bytes_check(const void* bytes, size_t size);
/* Check the SHA-256 of the whole file, weights and evidence included, without loading it. Errors: those of
 * linnet_file_check, and LINNET_FILE_DAMAGED. */
LINNET_API linnet_status linnet_file_verify(const char* path);
/* Bytes of the message that a signature signs. */
#define LINNET_SIGNED_SIZE 112
/* Bytes of an Ed25519 signature. */
#define LINNET_SIGNATURE_SIZE 64
/* Write the message that the signature of a file signs, and the signature itself. The caller checks one
 * against the other with a library of its own, since linnet has no cryptography beyond SHA-256. Every byte of
 * the file is read. Errors: LINNET_SIGNATURE_INVALID if the file has no signature. */
LINNET_API linnet_status linnet_file_signature(const char* path, uint8_t message[LINNET_SIGNED_SIZE],
                                               uint8_t signature[LINNET_SIGNATURE_SIZE]);
/* Write the SHA-256 that the trailer stores for everything before it: 32 bytes that identify the content of
 * the file. They are read, not computed; linnet_file_verify compares them with the file. */
LINNET_API linnet_status linnet_file_digest(const char* path, uint8_t digest[32]);

/* ---- tensors -------------------------------------------------------------------------------- */

typedef enum { LINNET_INT64 = 0, LINNET_INT32 = 1, LINNET_FLOAT32 = 2, LINNET_BOOLEAN = 3 } linnet_dtype;

#define LINNET_MAX_RANK 4

/* A contiguous row-major tensor: `rank` axes with the extents `shape`. The data of an input are borrowed for
 * the call; those of an output are borrowed from the linnet_outputs, which owns a copy. */
typedef struct {
  linnet_dtype dtype;
  int32_t rank;
  int64_t shape[LINNET_MAX_RANK];
  const void* data;
} linnet_tensor;

/* Outputs of a run; they own their memory. */
typedef struct linnet_outputs linnet_outputs;

/* Make outputs of tensors that another runtime computed; everything is copied. Errors:
 * LINNET_INVALID_ARGUMENT for a rank, dtype or shape that no tensor has. */
LINNET_API linnet_status linnet_outputs_create(const linnet_tensor* tensors, size_t count,
                                               linnet_outputs** outputs);
/* Return the number of outputs. */
LINNET_API size_t linnet_outputs_count(const linnet_outputs* outputs);
/* Read output `index`, whose data are borrowed from the outputs. */
LINNET_API linnet_status linnet_outputs_tensor(const linnet_outputs* outputs, size_t index,
                                               linnet_tensor* tensor);
/* Free outputs and the data of all tensors read from them. */
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

/* The value of a manifest field. `bytes` and `size` are those of STRING and BYTES, borrowed from the object
 * that the value was read from. */
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

/* Make the task of a file from the results of its constant methods, which any ExecuTorch runtime can read.
 * The fields are copied and checked. Errors: LINNET_SCHEMA_TOO_NEW, LINNET_MANIFEST_INVALID. */
LINNET_API linnet_status linnet_task_create(const linnet_field* fields, size_t count, linnet_task** task);
/* Free a task of linnet_task_create; never one borrowed from a model. */
LINNET_API void linnet_task_free(linnet_task* task);
/* Read a manifest field by name (sdk/linnet/format/manifest.py lists them), borrowed from the task. Errors:
 * LINNET_UNKNOWN_FIELD if the manifest does not have it. */
LINNET_API linnet_status linnet_task_value(const linnet_task* task, const char* name, linnet_value* value);
/* Read the task's tokenizer, borrowed; the first call builds it. Errors: LINNET_UNKNOWN_FIELD if its kind is
 * not built in, LINNET_TOKENIZER_INVALID. */
LINNET_API linnet_status linnet_task_tokenizer(const linnet_task* task, const linnet_tokenizer** tokenizer);
/* Return the number of labels; 0 for a task without classes. */
LINNET_API size_t linnet_task_label_count(const linnet_task* task);
/* Read the label of class `index`, borrowed from the task. */
LINNET_API linnet_status linnet_task_label(const linnet_task* task, size_t index, linnet_text* label);

/* ---- sampling: the next token from logits --------------------------------------------------- */

/* How the next token is chosen, as the settings of the same names in transformers; presence_penalty and
 * frequency_penalty as in OpenAI's interface. A temperature of 0 takes the likeliest token; else penalties
 * come first, then temperature, top_k, top_p and min_p. */
typedef struct {
  float temperature;        /* 0 to 1000 */
  int32_t top_k;            /* likeliest tokens that can be chosen; 0: all */
  float top_p;              /* share of the probability that the likeliest tokens make up; 1: all */
  float min_p;              /* least probability, as a share of that of the likeliest token; 0: any */
  float repetition_penalty; /* of all tokens so far; 1: none */
  float presence_penalty;   /* taken from the logit of a token that was generated before; 0: none */
  float frequency_penalty;  /* the same for each time that it was; 0: none */
  uint64_t seed;            /* the same seed gives the same text, on every processor and in every language */
} linnet_sampling;

/* Read the sampling that the model's makers recommend; greedy where they say nothing. Errors:
 * LINNET_INVALID_ARGUMENT for a task that generates no text. */
LINNET_API linnet_status linnet_task_sampling(const linnet_task* task, linnet_sampling* sampling);
/* Choose the next token from logits that another runtime computed, float32 [vocab_size], as
 * linnet_generation_sample does from those of a text: `ids` are all tokens so far, the first `prompt_tokens`
 * of which were not generated. `log_probability` may be NULL. Errors: LINNET_INVALID_ARGUMENT for settings
 * outside of their range, LINNET_RUN_FAILED if a logit is no number. */
LINNET_API linnet_status linnet_choose_token(const linnet_sampling* sampling, const float* logits,
                                             size_t vocab_size, const int64_t* ids, size_t count,
                                             size_t prompt_tokens, int64_t* id, float* log_probability);

/* One message of a conversation; `role` is "system", "user" or "assistant". */
typedef struct {
  linnet_text role;
  linnet_text content;
} linnet_message;

/* Write the prompt of a conversation, with `generation` 1 the beginning of the assistant's next turn too, as
 * the model's chat template says. At most `capacity` bytes are written, without a zero at the end; `size` is
 * set to the size of the whole prompt. Encode it without special tokens: it has them all. Errors:
 * LINNET_UNKNOWN_FIELD if the file has no chat template, LINNET_INVALID_ARGUMENT for a role or an order of
 * roles that it does not have. */
LINNET_API linnet_status linnet_task_chat_prompt(const linnet_task* task, const linnet_message* messages,
                                                 size_t count, int32_t generation, char* text,
                                                 size_t capacity, size_t* size);
/* Tell whether a token ends an answer: 1 or 0. */
LINNET_API int32_t linnet_task_is_end(const linnet_task* task, int64_t id);

/* ---- constraints: texts that cannot be malformed -------------------------------------------- */

/* What a generated text must be, and how far it has come. One thread at a time may use it; forks share what
 * was computed, and may be used by other threads. */
typedef struct linnet_constraint linnet_constraint;

typedef enum {
  LINNET_CONSTRAINT_REGEX = 0,       /* it matches a regular expression, from its beginning to its end */
  LINNET_CONSTRAINT_JSON_SCHEMA = 1, /* it is JSON of a schema, draft 2020-12 */
  LINNET_CONSTRAINT_CHOICES = 2      /* it is one of some texts */
} linnet_constraint_kind;

typedef struct {
  int32_t complete;    /* 1: the text fulfils the constraint, an end token may come */
  int32_t finished;    /* 1: and nothing else may; an end token need not be generated */
  size_t least_tokens; /* tokens that lead to a complete text, perhaps not the fewest; 0 for a complete one */
} linnet_constraint_progress;

/* Make the constraint of a text of the task: from one expression, one schema, or choices.
 * docs/how-to/generation.md lists what expressions and schemas may have. Errors: LINNET_INVALID_ARGUMENT for
 * anything else, for a constraint that is too large, and one that no text of the file's vocabulary fulfils.
 * The task must outlive it. */
LINNET_API linnet_status linnet_constraint_create(const linnet_task* task, linnet_constraint_kind kind,
                                                  const linnet_text* texts, size_t count,
                                                  linnet_constraint** constraint);
/* Free a constraint. */
LINNET_API void linnet_constraint_free(linnet_constraint* constraint);
/* Make a copy that goes on alone. */
LINNET_API linnet_status linnet_constraint_fork(const linnet_constraint* constraint,
                                                linnet_constraint** copy);
/* Go back to the empty text. */
LINNET_API linnet_status linnet_constraint_reset(linnet_constraint* constraint);
/* Write 1 for each token that may come next, else 0, to the first `capacity` of `allowed`, by their ids.
 * `tokens_left` is how many more tokens the text may have, 0 for any number: only tokens behind which the
 * text can still be completed are allowed, of which there is always one until it is finished. Errors:
 * LINNET_INVALID_ARGUMENT if `tokens_left` is below `least_tokens`. */
LINNET_API linnet_status linnet_constraint_allowed(linnet_constraint* constraint, size_t tokens_left,
                                                   uint8_t* allowed, size_t capacity);
/* Take the next token of the text. Errors: LINNET_INVALID_ARGUMENT if it is not allowed, which changes
 * nothing. */
LINNET_API linnet_status linnet_constraint_advance(linnet_constraint* constraint, int64_t id);
/* Choose the next token as linnet_choose_token does, among those that a constraint allows; the token is not
 * taken. The log probability is the one without the constraint. Errors: those of linnet_choose_token and of
 * linnet_constraint_allowed, LINNET_INVALID_ARGUMENT for a finished text. */
LINNET_API linnet_status linnet_constraint_choose_token(linnet_constraint* constraint, size_t tokens_left,
                                                        const linnet_sampling* sampling, const float* logits,
                                                        size_t vocab_size, const int64_t* ids, size_t count,
                                                        size_t prompt_tokens, int64_t* id,
                                                        float* log_probability);
/* Read how far the text has come. */
LINNET_API linnet_status linnet_constraint_read_progress(linnet_constraint* constraint,
                                                         linnet_constraint_progress* progress);

/* ---- answers -------------------------------------------------------------------------------- */

typedef struct linnet_answers linnet_answers;

typedef struct {
  int64_t start;
  int64_t end;
} linnet_span;

/* One answer; texts and `words` are borrowed from the answers. Fields that the task does not fill are -1 or
 * empty. */
typedef struct {
  double score;
  linnet_text label;    /* class, entity or entity group */
  linnet_text text;     /* word of an entity, answer to a question, token for a mask */
  linnet_text sequence; /* fill-mask: the text with the token in it */
  int64_t label_index;  /* class; -1 for entity groups */
  int64_t token;        /* fill-mask: id of the token */
  int64_t index;        /* token of the window: the entity's (LINNET_AGGREGATE_NONE), the mask; linnet_rank:
                           number of the passage */
  int64_t first_token;  /* first and last token of the window that the answer covers */
  int64_t last_token;
  linnet_span code_points; /* place in the text (question-answering: in the context) */
  linnet_span utf8;        /* the same in bytes */
  linnet_span utf16;       /* the same in UTF-16 code units */
  const int64_t* words;    /* entities: the tokens at which the words of the answer begin */
  size_t word_count;
} linnet_answer;

/* Return the number of answers. */
LINNET_API size_t linnet_answers_count(const linnet_answers* answers);
/* Read answer `index`, borrowed from the answers. */
LINNET_API linnet_status linnet_answers_get(const linnet_answers* answers, size_t index,
                                            linnet_answer* answer);
/* Return 1 if the text was longer than the file's bound, so that its end was cut off; else 0. */
LINNET_API int32_t linnet_answers_truncated(const linnet_answers* answers);
/* Free answers and everything read from them. */
LINNET_API void linnet_answers_free(linnet_answers* answers);

typedef enum {
  LINNET_SCORES_OF_FILE = 0, /* what the manifest says */
  LINNET_SCORES_SOFTMAX = 1,
  LINNET_SCORES_SIGMOID = 2,
  LINNET_SCORES_NONE = 3
} linnet_score_function;

typedef enum {
  LINNET_AGGREGATE_NONE = 0,    /* one answer for every token */
  LINNET_AGGREGATE_SIMPLE = 1,  /* neighbouring tokens of the same entity form a group */
  LINNET_AGGREGATE_FIRST = 2,   /* words form groups; a word takes the label of its first token */
  LINNET_AGGREGATE_AVERAGE = 3, /* the same, with the label of the best mean score of its tokens */
  LINNET_AGGREGATE_MAX = 4      /* the same, with the label of its token with the highest score */
} linnet_aggregation;

typedef struct {
  int32_t top_k; /* number of classes, best first; 0: all */
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
  const int64_t* targets; /* propose only these ids; NULL: any id */
  size_t target_count;
} linnet_mask_options;

/* Return the options that stand for NULL: all classes, with the file's own score function. */
LINNET_API linnet_class_options linnet_default_class_options(void);
/* Return the options that stand for NULL: LINNET_AGGREGATE_SIMPLE without the label "O"; `ignored` is
 * static. */
LINNET_API linnet_entity_options linnet_default_entity_options(void);
/* Return the options that stand for NULL, the defaults of the Hugging Face pipeline: one answer, not empty,
 * of at most 15 tokens, which begins and ends with words. */
LINNET_API linnet_question_options linnet_default_question_options(void);
/* Return the options that stand for NULL, the defaults of the Hugging Face pipeline: five proposals for each
 * mask. */
LINNET_API linnet_mask_options linnet_default_mask_options(void);

/* A window and the program's outputs for it: float32, in the order of the manifest's `outputs`, with or
 * without a first axis of 1 for the batch. Everything is borrowed for the call. */
typedef struct {
  const linnet_encoding* encoding;
  size_t window;
  const linnet_tensor* outputs;
  size_t output_count;
} linnet_window_outputs;

/* The decoding functions turn outputs into answers. They return LINNET_MANIFEST_INVALID for outputs whose
 * shape contradicts the manifest or the window. NULL options are the defaults. */

/* Decode text-classification: classes with scores, best first; equal scores keep the order of the labels.
 * `logits` is [labels]. */
LINNET_API linnet_status linnet_decode_classes(const linnet_task* task, const linnet_tensor* logits,
                                               const linnet_class_options* options, linnet_answers** answers);
/* Decode token-classification: entities in the order of the text. `text` is the text that was encoded; the
 * output "logits" is [tokens, labels]. */
LINNET_API linnet_status linnet_decode_entities(const linnet_task* task, linnet_text text,
                                                const linnet_window_outputs* window,
                                                const linnet_entity_options* options,
                                                linnet_answers** answers);
/* Decode question-answering over all windows of one question and its context, best answer first. The outputs
 * "start_logits" and "end_logits" are [tokens]. */
LINNET_API linnet_status linnet_decode_spans(const linnet_task* task, linnet_text context,
                                             const linnet_window_outputs* windows, size_t window_count,
                                             const linnet_question_options* options,
                                             linnet_answers** answers);
/* Decode fill-mask: for each mask of the window its proposals, best first; `index` tells the masks apart. The
 * output "logits" is [tokens, ids]. */
LINNET_API linnet_status linnet_decode_masks(const linnet_task* task, const linnet_window_outputs* window,
                                             const linnet_mask_options* options, linnet_answers** answers);
/* Decode text-ranking: write at most `capacity` scores of a pair to `scores`, and set `count` to how many
 * there are. */
LINNET_API linnet_status linnet_decode_scores(const linnet_task* task, const linnet_tensor* logits,
                                              float* scores, size_t capacity, size_t* count);
/* Apply a score function to each row of float32 [rows, columns], in place. Errors: LINNET_INVALID_ARGUMENT
 * for LINNET_SCORES_OF_FILE, since there is no file here. */
LINNET_API linnet_status linnet_apply_scores(linnet_score_function score_function, float* values, size_t rows,
                                             size_t columns);

/* ---- from text to answers ------------------------------------------------------------------- */

/* What runs `forward`: linnet_model_engine() gives linnet's own ExecuTorch, an app can give another runtime.
 * `run` gets int64 inputs [1, tokens] in the order of the manifest's `inputs`, borrowed for the call. It
 * fills `outputs` with linnet_outputs_create and returns LINNET_OK, or returns the status that the caller of
 * linnet shall see. */
typedef struct {
  linnet_status (*run)(void* context, const char* method, const linnet_tensor* inputs, size_t input_count,
                       linnet_outputs** outputs);
  void* context;
} linnet_engine;

/* The functions of this section are the verbs of the Kotlin and Swift bindings, from text to answers;
 * Python's model(...) chooses the one for the file's task. They cut a text that is longer than the file's
 * bound; with `truncate` 0 they return LINNET_TEXT_TOO_LONG instead. A file of another task gives
 * LINNET_INVALID_ARGUMENT, a failure of the engine its own status. NULL options are the defaults. */

/* Classify a text, or a pair if `pair.bytes` is not NULL: linnet_decode_classes of its outputs. */
LINNET_API linnet_status linnet_classify(const linnet_task* task, const linnet_engine* engine,
                                         linnet_text text, linnet_text pair, int32_t truncate,
                                         const linnet_class_options* options, linnet_answers** answers);
/* Find the entities of a text: linnet_decode_entities of its outputs. */
LINNET_API linnet_status linnet_find_entities(const linnet_task* task, const linnet_engine* engine,
                                              linnet_text text, int32_t truncate,
                                              const linnet_entity_options* options, linnet_answers** answers);
/* Answer a question with spans of a context: linnet_decode_spans over windows that cover the whole context,
 * so nothing is cut. Errors: LINNET_INVALID_ARGUMENT if question or context is empty. */
LINNET_API linnet_status linnet_answer_question(const linnet_task* task, const linnet_engine* engine,
                                                linnet_text question, linnet_text context,
                                                const linnet_question_options* options,
                                                linnet_answers** answers);
/* Propose tokens for the masks of a text: linnet_decode_masks of its outputs. Errors: LINNET_INVALID_ARGUMENT
 * if the text has no mask. */
LINNET_API linnet_status linnet_fill_mask(const linnet_task* task, const linnet_engine* engine,
                                          linnet_text text, int32_t truncate,
                                          const linnet_mask_options* options, linnet_answers** answers);
/* Compute the embedding of a text and write it to `vector`: float32 [embedding_size of the manifest].
 * `prompt_name` NULL is the file's default prompt; of a model that was trained to leave its prompts out of
 * the embedding (`include_prompt` false), the tokens of the prompt are not pooled. `normalize` 1 divides the
 * vector by its length. Errors: LINNET_INVALID_ARGUMENT for a prompt name that the file does not have, or a
 * `capacity` that is too small.
 */
LINNET_API linnet_status linnet_embed(const linnet_task* task, const linnet_engine* engine, linnet_text text,
                                      int32_t truncate, const char* prompt_name, int32_t normalize,
                                      float* vector, size_t capacity);
/* Score a passage for a query (text-ranking); the scores are written as by linnet_decode_scores. */
LINNET_API linnet_status linnet_score(const linnet_task* task, const linnet_engine* engine, linnet_text query,
                                      linnet_text passage, int32_t truncate, float* scores, size_t capacity,
                                      size_t* count);
/* Rank passages for a query (text-ranking) by their first score, best first, the earlier first among equals.
 * Each answer has a `score`, and in `index` the number of the passage. `top_k` 0 returns all of them. */
LINNET_API linnet_status linnet_rank(const linnet_task* task, const linnet_engine* engine, linnet_text query,
                                     const linnet_text* passages, size_t passage_count, int32_t truncate,
                                     int32_t top_k, linnet_answers** answers);

/* ---- statistics: what a device can tell ------------------------------------------------------ */

/* The verbs of the section above count what they do, if they are asked to: inputs, tokens, unknown tokens,
 * cut inputs, errors by status, times of stages by length, classes and scores of the best answers; and texts
 * of a decoder their tokens, with the time to the first and to each further one. No text is kept. The memory
 * is 12 KB and the names of the classes; nothing is allocated while answering. Off at first. */

/* Begin to count from 0. `name` is what the model is called in the JSON: up to 64 letters, digits and
 * ._:@/+-, a letter or a digit first. Another call begins again. Errors: LINNET_INVALID_ARGUMENT for another
 * name. */
LINNET_API linnet_status linnet_stats_start(const linnet_task* task, const char* name);
/* Stop counting; what was counted can still be read. */
LINNET_API linnet_status linnet_stats_stop(const linnet_task* task);
/* Write what was counted to `json`, not zero-terminated, and the number of bytes to `size`: a snapshot as
 * `linnet monitor` reads and adds it, with the names of docs/reference/metrics.md. 64 KB are enough for any
 * file of up to 256 short class names; `capacity` 0 asks for the size. Errors: LINNET_INVALID_ARGUMENT if
 * `capacity` is too small, with `size` written, or if nothing was started. */
LINNET_API linnet_status linnet_stats_json(const linnet_task* task, char* json, size_t capacity,
                                           size_t* size);

/* ---- masking: personal data in texts --------------------------------------------------------- */

/* Which types of personal data are looked for. Several threads may use the same masker. */
typedef struct linnet_masker linnet_masker;
/* Pseudonyms and the values behind them. Several threads may use the same session. */
typedef struct linnet_mask_session linnet_mask_session;
/* A masked text and what was found in it. */
typedef struct linnet_masked linnet_masked;

/* A row of the table of patterns; all texts are static. */
typedef struct {
  linnet_text type;       /* "IBAN" */
  linnet_text group;      /* "NATIONAL_ID"; empty: none */
  linnet_text checked_by; /* what must hold besides the form, for people */
  int32_t needs_word;     /* 1: some or all of its forms count only with a word near, as "born" */
} linnet_mask_type_info;

/* Who found a place, the one that wins over the others first. */
typedef enum {
  LINNET_MASK_PATTERN = 0, /* a pattern of the table */
  LINNET_MASK_FINDER = 1,  /* another program that checks what it finds */
  LINNET_MASK_TAGGER = 2   /* a token-classification program */
} linnet_mask_source;

typedef enum {
  LINNET_MASK_CODE_POINTS = 0,
  LINNET_MASK_UTF8 = 1, /* bytes */
  LINNET_MASK_UTF16 = 2 /* code units */
} linnet_mask_unit;

typedef enum {
  LINNET_MASK_BY_TYPE = 0,      /* [EMAIL] */
  LINNET_MASK_PSEUDONYM = 1,    /* [EMAIL_1], the same for the same text; needs a session */
  LINNET_MASK_REDACT = 2,       /* five U+2588, whatever the length */
  LINNET_MASK_REDACT_LENGTH = 3 /* one U+2588 for each character */
} linnet_mask_mode;

/* A place that something else found. */
typedef struct {
  linnet_text type; /* 1 to 32 of A-Z, 0-9 and _, a letter first; FINDER and TAGGER may name any type */
  linnet_span place;
  double score;
  linnet_mask_source source;
} linnet_mask_given;

/* Return the number of patterns. */
LINNET_API size_t linnet_mask_type_count(void);
/* Read pattern `index`. */
LINNET_API linnet_status linnet_mask_type(size_t index, linnet_mask_type_info* info);
/* Make a masker of types and groups of the table; none: all patterns. A name "-" alone stands for no pattern.
 * Errors: LINNET_INVALID_ARGUMENT for a name that the table does not have. */
LINNET_API linnet_status linnet_masker_create(const linnet_text* types, size_t count, linnet_masker** masker);
/* Free a masker. */
LINNET_API void linnet_masker_free(linnet_masker* masker);
/* Find personal data: what the patterns find, merged with `count` places of others, in `unit`. The answers do
 * not overlap, in the order of the text: `label` is the type, `text` what was found, `index` the source.
 * Where several places overlap, the source decides, then the length, then the score; what is left of a place
 * that loses is an answer of its own, so that every letter and digit of every place is in an answer. The time
 * is linear in the text. Errors: LINNET_INVALID_UTF8, LINNET_INVALID_ARGUMENT for a place outside of the
 * text, an empty one, a score that is no number, or a type that cannot stand in a pseudonym. */
LINNET_API linnet_status linnet_masker_find(const linnet_masker* masker, linnet_text text,
                                            const linnet_mask_given* given, size_t count,
                                            linnet_mask_unit unit, linnet_answers** answers);
/* Find as linnet_masker_find does, and replace what was found. `session` may be NULL unless the mode is
 * LINNET_MASK_PSEUDONYM; then what looks like a pseudonym in the text becomes one too, [TEXT_1], so that the
 * session's linnet_mask_session_unmask gives back the text, whatever it holds. Errors: those of
 * linnet_masker_find. */
LINNET_API linnet_status linnet_masker_mask(const linnet_masker* masker, linnet_mask_session* session,
                                            linnet_text text, const linnet_mask_given* given, size_t count,
                                            linnet_mask_unit unit, linnet_mask_mode mode,
                                            linnet_masked** masked);
/* Read the masked text, borrowed. */
LINNET_API linnet_status linnet_masked_text(const linnet_masked* masked, linnet_text* text);
/* Read what was found, with its places in the text that was given; borrowed. */
LINNET_API linnet_status linnet_masked_answers(const linnet_masked* masked, const linnet_answers** answers);
/* Free a masked text and what was read from it. */
LINNET_API void linnet_masked_free(linnet_masked* masked);

/* Make a session without pseudonyms. */
LINNET_API linnet_status linnet_mask_session_create(linnet_mask_session** session);
/* Free a session. Its streams may go on. */
LINNET_API void linnet_mask_session_free(linnet_mask_session* session);
/* Return how many pseudonyms a session has. */
LINNET_API size_t linnet_mask_session_size(const linnet_mask_session* session);
/* Put the values in place of the session's pseudonyms. The result has no answers. */
LINNET_API linnet_status linnet_mask_session_unmask(const linnet_mask_session* session, linnet_text text,
                                                    linnet_masked** plain);
/* Write the values of a session, encrypted and authenticated with a secret key of at least 16 random bytes.
 * The result is bytes, not text, and has no answers. Errors: LINNET_INVALID_ARGUMENT for a short key. */
LINNET_API linnet_status linnet_mask_session_save(const linnet_mask_session* session, const void* key,
                                                  size_t key_size, linnet_masked** saved);
/* Make a session of saved bytes. Errors: LINNET_STATE_INVALID if they are damaged or the key is another one.
 */
LINNET_API linnet_status linnet_mask_session_load(const void* key, size_t key_size, const void* bytes,
                                                  size_t size, linnet_mask_session** session);

/* Unmasking of an answer that comes in pieces. One thread at a time may use a stream. */
typedef struct linnet_unmask_stream linnet_unmask_stream;

/* Open a stream of a session, whose values it sees, those that come later too. */
LINNET_API linnet_status linnet_unmask_stream_create(const linnet_mask_session* session,
                                                     linnet_unmask_stream** stream);
/* Take the next piece, which may end anywhere, and read what is new and certain: all but the beginning of a
 * pseudonym, at most 44 bytes. `text` is borrowed until the next call with the stream. */
LINNET_API linnet_status linnet_unmask_stream_push(linnet_unmask_stream* stream, linnet_text piece,
                                                   linnet_text* text);
/* Read the rest, in the same way; the next piece begins another text. */
LINNET_API linnet_status linnet_unmask_stream_finish(linnet_unmask_stream* stream, linnet_text* text);
/* Free a stream. */
LINNET_API void linnet_unmask_stream_free(linnet_unmask_stream* stream);

/* ---- model ---------------------------------------------------------------------------------- */

typedef struct linnet_model linnet_model;

typedef struct {
  int32_t threads; /* of the whole process, fixed by its first model; 0: the fixed number, or before that the
                      CPUs that the process may use, at most 4 */
} linnet_open_options;

/* Open a file, which is mapped into memory. The checks go from the outside in, so that nothing is parsed
 * before its hash was compared: the trailer and the hash of the program section, ExecuTorch's
 * InternalConsistency, the schema version and the manifest, backends and operators. No method is loaded yet.
 * `options` may be NULL. Errors: those of linnet_file_check, LINNET_SCHEMA_TOO_NEW, LINNET_MANIFEST_INVALID,
 * LINNET_BACKEND_MISSING, LINNET_OPERATOR_MISSING, LINNET_EXECUTORCH_TOO_OLD, LINNET_THREADS_FIXED,
 * LINNET_LOAD_FAILED.
 *
 * Replace a file that is open by a rename: the model goes on with the old one. A file that is written to in
 * place is LINNET_FILE_DAMAGED at the next run, told by its size and time of change; what is parsed has been
 * copied, but a run that is under way while the file gets shorter can still end the process. */
LINNET_API linnet_status linnet_model_open(const char* path, const linnet_open_options* options,
                                           linnet_model** model);
/* Open a file from memory, as linnet_model_open does; the bytes are copied. */
LINNET_API linnet_status linnet_model_open_bytes(const void* bytes, size_t size,
                                                 const linnet_open_options* options, linnet_model** model);
/* Free a model and everything borrowed from it. No run may be under way. */
LINNET_API void linnet_model_free(linnet_model* model);
/* Read a manifest field by name, borrowed from the model; see linnet_task_value. */
LINNET_API linnet_status linnet_model_value(const linnet_model* model, const char* name, linnet_value* value);
/* Return the names of all constant methods of the program, one per line, borrowed. */
LINNET_API const char* linnet_model_fields(const linnet_model* model);
/* Return the names of all methods of the program that compute, one per line, in the program's order,
 * borrowed: "forward", perhaps "forward_batch" and "forward_fused". */
LINNET_API const char* linnet_model_methods(const linnet_model* model);
/* Read the evidence of the trailer: `size` bytes of UTF-8 JSON, borrowed, not zero-terminated. */
LINNET_API linnet_status linnet_model_evidence(const linnet_model* model, const char** json, size_t* size);
/* Read the model's tokenizer, borrowed; see linnet_task_tokenizer. */
LINNET_API linnet_status linnet_model_tokenizer(const linnet_model* model,
                                                const linnet_tokenizer** tokenizer);
/* Read the model's task, borrowed. */
LINNET_API linnet_status linnet_model_task(const linnet_model* model, const linnet_task** task);
/* Fill `engine` with what runs this model; its context is borrowed from the model. */
LINNET_API linnet_status linnet_model_engine(linnet_model* model, linnet_engine* engine);
/* Run the method "forward" or "forward_batch", and load it first if needed. Inputs are int64 [batch, tokens],
 * in the order of the manifest's `inputs` or `batch_inputs`; they are borrowed for the call. Outputs are
 * copies. Errors: LINNET_UNKNOWN_METHOD, LINNET_INPUT_SHAPE, LINNET_INPUT_OUT_OF_RANGE, LINNET_LOAD_FAILED,
 * LINNET_RUN_FAILED, LINNET_OUT_OF_MEMORY, and LINNET_THREADS_FIXED in a forked child without the threads of
 * its parent. */
LINNET_API linnet_status linnet_model_run(linnet_model* model, const char* method,
                                          const linnet_tensor* inputs, size_t input_count,
                                          linnet_outputs** outputs);

/* When a run of "forward" takes the file's "forward_fused": the same computation with linnet's custom
 * kernels. */
typedef enum {
  LINNET_FUSED_NEVER = 0,        /* run what a stock ExecuTorch runtime runs */
  LINNET_FUSED_WHERE_FASTER = 1, /* the state after opening: where the processor has fast kernels */
  LINNET_FUSED_ALWAYS = 2        /* on every processor, with kernels in plain C++ if need be */
} linnet_fused;

/* Choose when "forward_fused" runs; without effect for a file that has none. A change drops the methods that
 * are loaded, and their next run loads them again. Waits for a run that is under way. */
LINNET_API linnet_status linnet_model_set_fused(linnet_model* model, linnet_fused when);
/* Choose to how many bits "forward_fused" rounds the activations of int8 linear layers: 8, or 7, which a
 * processor without instructions for products of bytes (x86-64 with AVX2 alone) multiplies faster. 0, the
 * state after opening: 7 where that is faster and the proof of the file holds with 7 bits, too, else 8. The
 * same file, text and bits give the same numbers on every processor. A change drops the methods that are
 * loaded, and their next run loads them again. Errors: LINNET_INVALID_ARGUMENT for another number. */
LINNET_API linnet_status linnet_model_set_activation_bits(linnet_model* model, int32_t bits);
/* Write to `bits` what the next run of "forward_fused" rounds to, 7 or 8. */
LINNET_API linnet_status linnet_model_activation_bits(linnet_model* model, int32_t* bits);

/* ---- generation: text that a decoder writes ------------------------------------------------- */

/* A text of a decoder: its tokens, and the keys and values that the model remembers of them. One thread at a
 * time may use it, except for linnet_generation_cancel; several texts may share a model, whose calls wait for
 * each other. */
typedef struct linnet_generation linnet_generation;

/* Make an empty text with room for `capacity` tokens; 0: as many as the file can. The model must outlive it.
 * Errors: LINNET_INVALID_ARGUMENT for a file that generates no text, or a capacity over its bound. */
LINNET_API linnet_status linnet_generation_create(linnet_model* model, int32_t capacity,
                                                  linnet_generation** generation);
/* Free a text. */
LINNET_API void linnet_generation_free(linnet_generation* generation);
/* Run tokens behind the others. Errors: LINNET_CONTEXT_FULL, before any runs; LINNET_INPUT_OUT_OF_RANGE;
 * LINNET_CANCELLED, after which the tokens that ran are part of the text. */
LINNET_API linnet_status linnet_generation_append(linnet_generation* generation, const int64_t* ids,
                                                  size_t count);
/* Let each later linnet_generation_append of one token run up to `tokens` guessed ones in the same pass:
 * those that stood behind the same tokens earlier in the text (prompt lookup). If the next token that is
 * appended is the guessed one, its result is there; every result stays what it was, to the last bit. It is
 * faster where a text repeats parts of its prompt or of itself. 0: none, as for a new text and a fork.
 * Errors: LINNET_INVALID_ARGUMENT for more tokens than the file gives the logits of in one pass, less one. */
LINNET_API linnet_status linnet_generation_set_lookup(linnet_generation* generation, size_t tokens);
/* Read how many tokens were guessed since the text was made, and how many of them were appended. */
LINNET_API linnet_status linnet_generation_lookup(const linnet_generation* generation, size_t* guessed,
                                                  size_t* accepted);
/* Run tokens as linnet_generation_append, and write the logits behind each of them: float32 [count,
 * vocab_size]. A perplexity needs them. */
LINNET_API linnet_status linnet_generation_score(linnet_generation* generation, const int64_t* ids,
                                                 size_t count, float* logits);
/* Choose the next token without appending it. `prompt_tokens` is the number of first tokens that were not
 * generated, for penalties. `log_probability` may be NULL; it is set to the natural logarithm of the
 * probability that the model gives the token. Errors: LINNET_INVALID_ARGUMENT for an empty text or settings
 * outside of their range. */
LINNET_API linnet_status linnet_generation_sample(linnet_generation* generation,
                                                  const linnet_sampling* sampling, size_t prompt_tokens,
                                                  int64_t* id, float* log_probability);
/* The same among the tokens that a constraint allows, whose text is what was generated behind the prompt; see
 * linnet_constraint_allowed for `tokens_left`. The token is not taken: call linnet_constraint_advance. The
 * log probability is the one without the constraint. Errors: LINNET_INVALID_ARGUMENT for a finished text too.
 */
LINNET_API linnet_status linnet_generation_sample_constrained(linnet_generation* generation,
                                                              const linnet_sampling* sampling,
                                                              linnet_constraint* constraint,
                                                              size_t tokens_left, size_t prompt_tokens,
                                                              int64_t* id, float* log_probability);
/* Read the logits behind the last token, float32 [vocab_size], borrowed until the next call with this text.
 */
LINNET_API linnet_status linnet_generation_logits(linnet_generation* generation, const float** logits,
                                                  size_t* count);
/* Read the tokens, borrowed until the next call with this text. */
LINNET_API linnet_status linnet_generation_tokens(const linnet_generation* generation, const int64_t** ids,
                                                  size_t* count);
/* Return the number of tokens that the text has room for. */
LINNET_API size_t linnet_generation_capacity(const linnet_generation* generation);
/* Return the number of logits behind a token: ids are below it. */
LINNET_API size_t linnet_generation_vocab_size(const linnet_generation* generation);
/* Forget all tokens from number `length` on. Errors: LINNET_INVALID_ARGUMENT if there are fewer. */
LINNET_API linnet_status linnet_generation_rewind(linnet_generation* generation, size_t length);
/* Forget `count` tokens from number `start` on, and run those behind them again, at their new places: what a
 * text whose context is full goes on with, to the last bit as if the forgotten tokens had never been. Errors:
 * LINNET_INVALID_ARGUMENT if there are fewer; LINNET_CANCELLED, after which the tokens that ran are the text.
 */
LINNET_API linnet_status linnet_generation_remove(linnet_generation* generation, size_t start, size_t count);
/* Make a copy that goes on alone; what the model remembers is copied, not computed again. */
LINNET_API linnet_status linnet_generation_fork(const linnet_generation* generation,
                                                linnet_generation** copy);
/* Write the text, and what the model remembers of it, to a file; it replaces another one when it is complete.
 * Errors: LINNET_FILE_UNREADABLE. */
LINNET_API linnet_status linnet_generation_save(const linnet_generation* generation, const char* path);
/* Make a text from a file of linnet_generation_save, with room for `capacity` tokens. Errors:
 * LINNET_FILE_NOT_FOUND, LINNET_STATE_INVALID if the file is damaged or belongs to another model,
 * LINNET_CONTEXT_FULL. */
LINNET_API linnet_status linnet_generation_load(linnet_model* model, const char* path, int32_t capacity,
                                                linnet_generation** generation);
/* Stop the linnet_generation_append that runs in another thread, or else the next one, before its next chunk
 * of tokens. */
LINNET_API linnet_status linnet_generation_cancel(linnet_generation* generation);

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

/* One event; times are nanoseconds of a monotonic clock whose zero is arbitrary. */
typedef struct {
  const char* name; /* ExecuTorch's or the delegate's, borrowed from the profile */
  linnet_event_kind kind;
  int32_t run;         /* number of the run, from 0 for the first one since the last linnet_model_profile */
  int32_t instruction; /* of the method; -1 if the event belongs to none */
  int64_t start_ns;
  int64_t end_ns;
} linnet_event;

/* Turn profiling on (1) or off (0, the state after opening). A change drops the methods that are loaded, and
 * their next run loads them again, because ExecuTorch takes an event tracer only while it loads a method. */
LINNET_API linnet_status linnet_model_set_profiling(linnet_model* model, int32_t on);
/* Take the events of all runs since the last call, in the order in which they ended. Failed runs have none.
 * Errors: LINNET_INVALID_ARGUMENT while profiling is off. */
LINNET_API linnet_status linnet_model_profile(linnet_model* model, linnet_profile** profile);
/* Return the number of events. */
LINNET_API size_t linnet_profile_count(const linnet_profile* profile);
/* Read event `index`, borrowed from the profile. */
LINNET_API linnet_status linnet_profile_event(const linnet_profile* profile, size_t index,
                                              linnet_event* event);
/* Free a profile and the names of its events. */
LINNET_API void linnet_profile_free(linnet_profile* profile);

#ifdef __cplusplus
}
#endif
#endif
