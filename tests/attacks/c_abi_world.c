/* Valid arguments for every function of linnet.h: c_abi_table.py makes the calls. */
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "linnet.h"

enum { MOST_FIELDS = 64, LABELS = 3, VOCABULARY = 32, WIDTH = 16, MOST_TOKENS = 24 };
enum { WORLD_CLASSES, WORLD_ENTITIES, WORLD_QUESTION, WORLD_MASK, WORLD_EMBEDDING, WORLD_RANKING, WORLDS };
enum { STATE_TOKENS = 2 };

struct row {
  const char* name;
  linnet_status (*call)(void);
  linnet_status expected; /* -1: any but LINNET_INTERNAL */
};

/* A file of one task whose program is fake_run(). */
struct world {
  int number;
  linnet_task* task;
  linnet_engine engine;
  linnet_encoding* encoding;
  linnet_tensor logits; /* the first output */
  linnet_tensor outputs[2];
  linnet_window_outputs window;
};

static max_align_t results[16][64];
static const char* path;
static const char* signed_path;
static void* file_bytes;
static size_t file_size;
static linnet_model* model;
static linnet_model* other_model;
static const linnet_tokenizer* tokenizer;
static const void* tokenizer_bytes;
static size_t tokenizer_size;
static linnet_field fields[MOST_FIELDS];
static size_t field_count;
static struct world worlds[WORLDS];
static linnet_tensor inputs[2];
static linnet_outputs* outputs;
static linnet_answers* answers;
static linnet_profile* profile;
static linnet_model* decoder;
static const linnet_task* decoder_task;
static linnet_generation* generation;
static linnet_constraint* constraint;
static int64_t allowed_id;
static linnet_masker* masker;
static linnet_mask_session* mask_session;
static linnet_masked* masked;
static linnet_masked* saved;
static linnet_text saved_session;
static linnet_unmask_stream* unmask_stream;
static char stats_json[1 << 16];
static const char mask_key[16] = "0123456789abcde";
static const linnet_text mask_type = {"EMAIL", 5};
static const linnet_mask_given mask_given = {{"PERSON", 6}, {0, 4}, 0.5, LINNET_MASK_TAGGER};
static const linnet_text pattern = {"[a-z]*", 6};
static linnet_text_stream* stream;
static char state_path[1024];
static float generation_logits[1024];
static const linnet_sampling sampling = {1.0F, 4, 0.9F, 0.0F, 1.1F, 0.0F, 0.0F, 7};
static const linnet_message message = {{"user", 4}, {"turn", 4}};

static char word[64] = "turn";
static const linnet_text word_text = {word, 4};
static const linnet_text mask_text = {"[MASK]", 6};
static int64_t ids[MOST_TOKENS] = {2, 5, 3};
static int64_t type_ids[MOST_TOKENS];
static float floats[MOST_TOKENS * VOCABULARY];
static const int32_t sequence_ids[] = {-1, 0, -1};
static const int64_t offsets[] = {0, 0, 0, 4, 0, 0};
static const int64_t words[] = {-1, 0, -1};
static const linnet_text tokens[] = {{"[CLS]", 5}, {"turn", 4}, {"[SEP]", 5}};
static const linnet_token_source token_source = {3, ids, type_ids, sequence_ids, offsets, words, tokens, 1};
static const linnet_encode_options encode_options = {0, LINNET_TRUNCATE_LONGEST_FIRST, -1, 1};
static const linnet_open_options open_options = {1};
static linnet_class_options class_options;
static linnet_entity_options entity_options;
static linnet_question_options question_options;
static linnet_mask_options mask_options;
static uint8_t signed_message[LINNET_SIGNED_SIZE];

static void must(linnet_status status, const char* what) {
  if (status != LINNET_OK) {
    fprintf(stderr, "%s: %s\n", what, linnet_last_error());
    exit(2);
  }
}

static linnet_tensor floats_of(int32_t rank, int64_t first, int64_t second, int64_t third) {
  const linnet_tensor made = {LINNET_FLOAT32, rank, {first, second, third, 0}, floats};
  return made;
}

static linnet_tensor output_of(int number, int64_t length) {
  switch (number) {
    case WORLD_ENTITIES:
      return floats_of(3, 1, length, LABELS);
    case WORLD_QUESTION:
      return floats_of(2, 1, length, 0);
    case WORLD_MASK:
      return floats_of(3, 1, length, VOCABULARY);
    case WORLD_EMBEDDING:
      return floats_of(2, 1, WIDTH, 0);
    case WORLD_RANKING:
      return floats_of(2, 1, 1, 0);
    default:
      return floats_of(2, 1, LABELS, 0);
  }
}

static linnet_status fake_run(void* context, const char* method, const linnet_tensor* given, size_t count,
                              linnet_outputs** made) {
  const struct world* world = context;
  if (world == NULL || method == NULL || count == 0) {
    return LINNET_INVALID_ARGUMENT;
  }
  const linnet_tensor output = output_of(world->number, given[0].shape[1]);
  const linnet_tensor both[] = {output, output};
  return linnet_outputs_create(both, world->number == WORLD_QUESTION ? 2 : 1, made);
}

static linnet_value text_value(const char* text) {
  const linnet_value made = {LINNET_STRING, 0, 0.0, text, strlen(text)};
  return made;
}

static void read_fields(void) {
  static char names[4096];
  strncpy(names, linnet_model_fields(model), sizeof names - 1);
  for (char* name = strtok(names, "\n"); name != NULL && field_count < MOST_FIELDS;
       name = strtok(NULL, "\n")) {
    fields[field_count].name = name;
    must(linnet_model_value(model, name, &fields[field_count].value), name);
    if (strcmp(name, "tokenizer") == 0) {
      tokenizer_bytes = fields[field_count].value.bytes;
      tokenizer_size = fields[field_count].value.size;
    }
    ++field_count;
  }
}

static void make_world(int number, const char* task, const char* output_names, const char* text) {
  struct world* world = &worlds[number];
  linnet_field own[MOST_FIELDS];
  memcpy(own, fields, sizeof own);
  for (size_t i = 0; i < field_count; ++i) {
    if (strcmp(own[i].name, "task") == 0) {
      own[i].value = text_value(task);
    } else if (strcmp(own[i].name, "outputs") == 0) {
      own[i].value = text_value(output_names);
    } else if (strcmp(own[i].name, "embedding_size") == 0) {
      own[i].value.integer = WIDTH;
    } else if (strcmp(own[i].name, "labels") == 0 && number == WORLD_RANKING) {
      own[i].value = text_value("");
    }
  }
  world->number = number;
  must(linnet_task_create(own, field_count, &world->task), task);
  world->engine.run = fake_run;
  world->engine.context = world;
  const char* pair = number == WORLD_QUESTION || number == WORLD_RANKING ? "turn" : NULL;
  must(linnet_tokenizer_encode(tokenizer, text, strlen(text), pair, pair == NULL ? 0 : 4, &encode_options,
                               &world->encoding),
       "encode");
  linnet_encoding_view view;
  must(linnet_encoding_window(world->encoding, 0, &view), "window");
  world->logits = output_of(number, (int64_t)view.length);
  world->outputs[0] = world->outputs[1] = world->logits;
  const linnet_window_outputs window = {world->encoding, 0, world->outputs, 2};
  world->window = window;
}

static void read_file(void) {
  FILE* file = fopen(path, "rb");
  fseek(file, 0, SEEK_END);
  file_size = (size_t)ftell(file);
  rewind(file);
  file_bytes = malloc(file_size);
  if (fread(file_bytes, 1, file_size, file) != file_size) {
    exit(2);
  }
  fclose(file);
}

/* The tokenizer must outlive it. */
static void make_stream(void) { must(linnet_text_stream_create(tokenizer, 0, &stream), "stream"); }

static void make_masks(void) {
  const linnet_text text = {"turn a@b.org", 12};
  must(linnet_masker_create(&mask_type, 1, &masker), "masker");
  must(linnet_mask_session_create(&mask_session), "session");
  must(linnet_masker_mask(masker, mask_session, text, &mask_given, 1, LINNET_MASK_UTF8, LINNET_MASK_PSEUDONYM,
                          &masked),
       "mask");
  must(linnet_mask_session_save(mask_session, mask_key, sizeof mask_key, &saved), "save");
  must(linnet_masked_text(saved, &saved_session), "saved");
  must(linnet_unmask_stream_create(mask_session, &unmask_stream), "unmask stream");
}

static void make_generation(const char* file) {
  must(linnet_model_open(file, &open_options, &decoder), "decoder");
  must(linnet_model_task(decoder, &decoder_task), "decoder's task");
  must(linnet_generation_create(decoder, 0, &generation), "generation");
  must(linnet_generation_append(generation, ids, STATE_TOKENS), "append");
  must(linnet_generation_save(generation, state_path), "save");
  static uint8_t allowed[1024];
  must(linnet_constraint_create(decoder_task, LINNET_CONSTRAINT_REGEX, &pattern, 1, &constraint),
       "constraint");
  must(linnet_constraint_allowed(constraint, 0, allowed, sizeof allowed), "allowed");
  while (allowed[allowed_id] == 0 || linnet_task_is_end(decoder_task, allowed_id)) {
    ++allowed_id;
  }
}

/* TOY.pte SIGNED.pte DECODER.pte STATE, which is written */
static void make_worlds(int argc, char** argv) {
  if (argc != 5 || strlen(argv[4]) >= sizeof state_path) {
    exit(2);
  }
  path = argv[1];
  signed_path = argv[2];
  strcpy(state_path, argv[4]);
  read_file();
  must(linnet_model_open(path, &open_options, &model), "open");
  must(linnet_model_open(path, &open_options, &other_model), "open");
  must(linnet_model_tokenizer(model, &tokenizer), "tokenizer");
  make_stream();
  make_masks();
  read_fields();
  for (size_t i = 0; i < sizeof floats / sizeof floats[0]; ++i) {
    floats[i] = (float)(i % 7) - 3.0F;
  }
  make_world(WORLD_CLASSES, "text-classification", "logits", "turn");
  make_world(WORLD_ENTITIES, "token-classification", "logits", "turn");
  make_world(WORLD_QUESTION, "question-answering", "start_logits\nend_logits", "turn");
  make_world(WORLD_MASK, "fill-mask", "logits", "[MASK]");
  make_world(WORLD_EMBEDDING, "feature-extraction", "embedding", "turn");
  make_world(WORLD_RANKING, "text-ranking", "logits", "turn");
  const linnet_tensor made = {LINNET_INT64, 2, {1, 3, 0, 0}, ids};
  inputs[0] = inputs[1] = made;
  inputs[1].data = type_ids;
  class_options = linnet_default_class_options();
  entity_options = linnet_default_entity_options();
  question_options = linnet_default_question_options();
  mask_options = linnet_default_mask_options();
  mask_options.targets = ids;
  mask_options.target_count = 3;
  must(linnet_model_set_profiling(model, 1), "profiling");
  must(linnet_model_run(model, "forward", inputs, 2, &outputs), "run");
  must(linnet_model_profile(model, &profile), "profile");
  const linnet_task* task = worlds[WORLD_CLASSES].task;
  must(linnet_stats_start(task, "toy"), "stats");
  make_generation(argv[3]);
  must(linnet_decode_classes(task, &worlds[WORLD_CLASSES].logits, NULL, &answers), "answers");
}
