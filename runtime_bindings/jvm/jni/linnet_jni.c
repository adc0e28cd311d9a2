/* JNI over linnet.h, the part that needs no ExecuTorch: checks, tasks, tokenizing, answers. Strings cross as
 * UTF-8 bytes, answers as flat arrays (Native.kt says which). */
#include "linnet_jni.h"

#include <stdlib.h>
#include <string.h>

enum { kNumbers = 7, kTexts = 3 };

/* ---- errors ------------------------------------------------------------------------------------ */

static jbyteArray bytes_of(JNIEnv* env, const char* bytes, size_t size) {
  const jbyteArray array = (*env)->NewByteArray(env, (jsize)size);
  if (array != NULL && size > 0) {
    (*env)->SetByteArrayRegion(env, array, 0, (jsize)size, (const jbyte*)bytes);
  }
  return array;
}

static void throw_with(JNIEnv* env, linnet_status status, const char* message, uint32_t executorch) {
  if ((*env)->ExceptionCheck(env)) {
    return; /* Java's own exception, of the engine or of a full heap, says more */
  }
  const jclass type = (*env)->FindClass(env, "dev/linnet/LinnetException");
  const jmethodID make = type == NULL ? NULL : (*env)->GetMethodID(env, type, "<init>", "(I[BI)V");
  const jbyteArray text = make == NULL ? NULL : bytes_of(env, message, strlen(message));
  const jobject error =
      text == NULL ? NULL : (*env)->NewObject(env, type, make, (jint)status, text, (jint)executorch);
  if (error != NULL) {
    (*env)->Throw(env, (jthrowable)error);
  }
}

void linnet_jni_throw(JNIEnv* env, linnet_status status) {
  throw_with(env, status, linnet_last_error(), linnet_last_executorch_error());
}

static int failed(JNIEnv* env, linnet_status status) {
  if (status != LINNET_OK) {
    linnet_jni_throw(env, status);
  }
  return status != LINNET_OK;
}

/* ---- arguments --------------------------------------------------------------------------------- */

/* The bytes of an array while native code looks at them. */
typedef struct {
  jbyteArray array;
  jbyte* bytes;
  jsize size;
} borrowed;

static borrowed borrow(JNIEnv* env, jbyteArray array) {
  borrowed found = {array, NULL, 0};
  if (array != NULL) {
    found.bytes = (*env)->GetByteArrayElements(env, array, NULL);
    found.size = (*env)->GetArrayLength(env, array);
  }
  return found;
}

static void give_back(JNIEnv* env, borrowed each) {
  if (each.bytes != NULL) {
    (*env)->ReleaseByteArrayElements(env, each.array, each.bytes, JNI_ABORT);
  }
}

static linnet_text text_of(borrowed each) {
  const linnet_text text = {(const char*)each.bytes, (size_t)each.size};
  return text;
}

static linnet_peer* peer_of(jlong handle) { return (linnet_peer*)(intptr_t)handle; }

/* ---- life -------------------------------------------------------------------------------------- */

JNIEXPORT jint JNICALL JNI_OnLoad(JavaVM* vm, void* reserved) {
  (void)vm;
  (void)reserved;
  return linnet_abi_version() == LINNET_ABI_VERSION ? JNI_VERSION_1_6 : JNI_ERR;
}

LINNET_NATIVE(jint, abiVersion)(JNIEnv* env, jclass type) {
  (void)env;
  (void)type;
  return linnet_abi_version();
}

jlong linnet_jni_peer(JNIEnv* env, linnet_peer peer) {
  linnet_peer* kept = malloc(sizeof *kept);
  if (kept == NULL) {
    peer.release(peer.owner);
    throw_with(env, LINNET_OUT_OF_MEMORY, "memory ran out", 0);
    return 0;
  }
  *kept = peer;
  if (kept->java_engine != NULL) {
    kept->engine.context = kept; /* the engine finds its Java object there */
  }
  return (jlong)(intptr_t)kept;
}

LINNET_NATIVE(void, close)(JNIEnv* env, jclass type, jlong handle) {
  (void)type;
  linnet_peer* peer = peer_of(handle);
  if (peer->java_engine != NULL) {
    (*env)->DeleteGlobalRef(env, peer->java_engine);
  }
  peer->release(peer->owner);
  free(peer);
}

/* ---- files ------------------------------------------------------------------------------------- */

static void with_path(JNIEnv* env, jbyteArray path, linnet_status (*call)(const char*)) {
  const borrowed bytes = borrow(env, path); /* ends with a zero: Native.kt appends it */
  if (bytes.bytes != NULL) {
    failed(env, call((const char*)bytes.bytes));
  }
  give_back(env, bytes);
}

LINNET_NATIVE(void, check)(JNIEnv* env, jclass type, jbyteArray path) {
  (void)type;
  with_path(env, path, linnet_file_check);
}

LINNET_NATIVE(void, verify)(JNIEnv* env, jclass type, jbyteArray path) {
  (void)type;
  with_path(env, path, linnet_file_verify);
}

LINNET_NATIVE(jbyteArray, digest)(JNIEnv* env, jclass type, jbyteArray path) {
  (void)type;
  const borrowed bytes = borrow(env, path);
  uint8_t digest[32];
  jbyteArray result = NULL;
  if (bytes.bytes != NULL && !failed(env, linnet_file_digest((const char*)bytes.bytes, digest))) {
    result = bytes_of(env, (const char*)digest, sizeof digest);
  }
  give_back(env, bytes);
  return result;
}

LINNET_NATIVE(jbyteArray, signature)(JNIEnv* env, jclass type, jbyteArray path) {
  (void)type;
  const borrowed bytes = borrow(env, path);
  uint8_t signed_part[LINNET_SIGNED_SIZE + LINNET_SIGNATURE_SIZE];
  jbyteArray result = NULL;
  if (bytes.bytes != NULL && !failed(env, linnet_file_signature((const char*)bytes.bytes, signed_part,
                                                                signed_part + LINNET_SIGNED_SIZE))) {
    result = bytes_of(env, (const char*)signed_part, sizeof signed_part);
  }
  give_back(env, bytes);
  return result;
}

/* ---- a task with an engine of Java's ------------------------------------------------------------ */

static jobjectArray java_inputs(JNIEnv* env, const linnet_tensor* inputs, size_t count) {
  const jclass longs = (*env)->FindClass(env, "[J");
  const jobjectArray arrays = longs == NULL ? NULL : (*env)->NewObjectArray(env, (jsize)count, longs, NULL);
  for (size_t i = 0; arrays != NULL && i < count; ++i) {
    const jsize length = (jsize)inputs[i].shape[1];
    const jlongArray ids = (*env)->NewLongArray(env, length);
    if (ids == NULL) {
      return NULL;
    }
    (*env)->SetLongArrayRegion(env, ids, 0, length, (const jlong*)inputs[i].data);
    (*env)->SetObjectArrayElement(env, arrays, (jsize)i, ids);
    (*env)->DeleteLocalRef(env, ids);
  }
  return arrays;
}

/* A shape and its numbers as a tensor. The numbers are Java's until they are given back. */
static linnet_status read_tensor(JNIEnv* env, jlongArray shape, jfloatArray data, linnet_tensor* tensor) {
  const jsize rank = (*env)->GetArrayLength(env, shape);
  if (rank < 1 || rank > LINNET_MAX_RANK) {
    return LINNET_INVALID_ARGUMENT;
  }
  jlong extents[LINNET_MAX_RANK];
  (*env)->GetLongArrayRegion(env, shape, 0, rank, extents);
  int64_t count = 1;
  tensor->dtype = LINNET_FLOAT32;
  tensor->rank = rank;
  for (jsize i = 0; i < rank; ++i) {
    if (extents[i] < 0 || extents[i] > INT32_MAX || (count *= extents[i]) > INT32_MAX) {
      return LINNET_INVALID_ARGUMENT;
    }
    tensor->shape[i] = extents[i];
  }
  if (count != (*env)->GetArrayLength(env, data)) {
    return LINNET_INVALID_ARGUMENT;
  }
  tensor->data = (*env)->GetFloatArrayElements(env, data, NULL);
  return tensor->data == NULL ? LINNET_OUT_OF_MEMORY : LINNET_OK;
}

enum { kMostOutputs = 8 };

/* `flat`: shape, numbers, shape, numbers, ... of the program's outputs. */
static linnet_status read_outputs(JNIEnv* env, jobjectArray flat, linnet_outputs** outputs) {
  linnet_tensor tensors[kMostOutputs] = {{0}};
  jfloatArray arrays[kMostOutputs] = {NULL};
  const jsize count = (*env)->GetArrayLength(env, flat) / 2;
  linnet_status status = count <= kMostOutputs ? LINNET_OK : LINNET_INVALID_ARGUMENT;
  for (jsize i = 0; status == LINNET_OK && i < count; ++i) {
    const jlongArray shape = (jlongArray)(*env)->GetObjectArrayElement(env, flat, 2 * i);
    arrays[i] = (jfloatArray)(*env)->GetObjectArrayElement(env, flat, 2 * i + 1);
    status = read_tensor(env, shape, arrays[i], &tensors[i]);
    (*env)->DeleteLocalRef(env, shape);
  }
  if (status == LINNET_OK) {
    status = linnet_outputs_create(tensors, (size_t)count, outputs);
  }
  for (jsize i = 0; i < count && i < kMostOutputs; ++i) {
    if (tensors[i].data != NULL) {
      (*env)->ReleaseFloatArrayElements(env, arrays[i], (jfloat*)tensors[i].data, JNI_ABORT);
    }
    (*env)->DeleteLocalRef(env, arrays[i]);
  }
  return status;
}

/* The `run` of a linnet_engine whose program Java runs. What Java throws stays waiting and is seen by the
 * caller. */
static linnet_status run_in_java(void* context, const char* method, const linnet_tensor* inputs, size_t count,
                                 linnet_outputs** outputs) {
  (void)method;
  const linnet_peer* peer = context;
  JNIEnv* env = NULL;
  if ((*peer->vm)->GetEnv(peer->vm, (void**)&env, JNI_VERSION_1_6) != JNI_OK) {
    return LINNET_INTERNAL;
  }
  const jclass type = (*env)->GetObjectClass(env, peer->java_engine);
  const jmethodID run = (*env)->GetMethodID(env, type, "run", "([[J)[Ljava/lang/Object;");
  const jobjectArray given = run == NULL ? NULL : java_inputs(env, inputs, count);
  const jobjectArray flat =
      given == NULL ? NULL : (jobjectArray)(*env)->CallObjectMethod(env, peer->java_engine, run, given);
  linnet_status status = LINNET_RUN_FAILED;
  if (flat != NULL && !(*env)->ExceptionCheck(env)) {
    status = read_outputs(env, flat, outputs);
  }
  (*env)->DeleteLocalRef(env, flat);
  (*env)->DeleteLocalRef(env, given);
  (*env)->DeleteLocalRef(env, type);
  return status;
}

static void release_task(void* task) { linnet_task_free(task); }

/* One manifest value: the entry of the array that belongs to its type. */
static linnet_value field_value(jint type, jlong integer, jdouble real, borrowed bytes) {
  const linnet_value value = {(linnet_value_type)type, integer, real, (const char*)bytes.bytes,
                              (size_t)bytes.size};
  return value;
}

typedef struct {
  jsize count;
  linnet_field* fields;
  borrowed* names;
  borrowed* texts;
} field_list;

static void free_fields(JNIEnv* env, field_list list) {
  for (jsize i = 0; i < list.count; ++i) {
    if (list.names != NULL) {
      give_back(env, list.names[i]);
    }
    if (list.texts != NULL) {
      give_back(env, list.texts[i]);
    }
  }
  free(list.fields);
  free(list.names);
  free(list.texts);
}

static field_list read_fields(JNIEnv* env, jobjectArray names, jintArray types, jlongArray integers,
                              jdoubleArray reals, jobjectArray texts) {
  const jsize count = (*env)->GetArrayLength(env, names);
  field_list list = {count, calloc((size_t)count, sizeof(linnet_field)),
                     calloc((size_t)count, sizeof(borrowed)), calloc((size_t)count, sizeof(borrowed))};
  if (list.fields == NULL || list.names == NULL || list.texts == NULL) {
    return list;
  }
  for (jsize i = 0; i < count; ++i) {
    jint type = 0;
    jlong integer = 0;
    jdouble real = 0;
    (*env)->GetIntArrayRegion(env, types, i, 1, &type);
    (*env)->GetLongArrayRegion(env, integers, i, 1, &integer);
    (*env)->GetDoubleArrayRegion(env, reals, i, 1, &real);
    list.names[i] = borrow(env, (jbyteArray)(*env)->GetObjectArrayElement(env, names, i));
    list.texts[i] = borrow(env, (jbyteArray)(*env)->GetObjectArrayElement(env, texts, i));
    list.fields[i].name = (const char*)list.names[i].bytes;
    list.fields[i].value = field_value(type, integer, real, list.texts[i]);
  }
  return list;
}

LINNET_NATIVE(jlong, openTask)(JNIEnv* env, jclass type, jobjectArray names, jintArray types,
                               jlongArray integers, jdoubleArray reals, jobjectArray texts, jobject engine) {
  (void)type;
  if ((*env)->EnsureLocalCapacity(env, 2 * (*env)->GetArrayLength(env, names) + 16) != JNI_OK) {
    return 0;
  }
  const field_list list = read_fields(env, names, types, integers, reals, texts);
  linnet_task* task = NULL;
  const linnet_status status =
      list.texts == NULL ? LINNET_OUT_OF_MEMORY : linnet_task_create(list.fields, (size_t)list.count, &task);
  free_fields(env, list);
  if (failed(env, status)) {
    return 0;
  }
  linnet_peer peer = {task, {run_in_java, NULL}, task, release_task, NULL, NULL};
  (*env)->GetJavaVM(env, &peer.vm);
  peer.java_engine = (*env)->NewGlobalRef(env, engine);
  return linnet_jni_peer(env, peer);
}

/* ---- the manifest ------------------------------------------------------------------------------- */

LINNET_NATIVE(jobjectArray, labels)(JNIEnv* env, jclass type, jlong handle) {
  (void)type;
  const linnet_task* task = peer_of(handle)->task;
  const jsize count = (jsize)linnet_task_label_count(task);
  const jobjectArray labels = (*env)->NewObjectArray(env, count, (*env)->FindClass(env, "[B"), NULL);
  for (jsize i = 0; labels != NULL && i < count; ++i) {
    linnet_text label = {0};
    if (failed(env, linnet_task_label(task, (size_t)i, &label))) {
      return NULL;
    }
    const jbyteArray bytes = bytes_of(env, label.bytes, label.size);
    (*env)->SetObjectArrayElement(env, labels, i, bytes);
    (*env)->DeleteLocalRef(env, bytes);
  }
  return labels;
}

/* { type, integer } and { real } and bytes of a field. */
LINNET_NATIVE(jobjectArray, field)(JNIEnv* env, jclass type, jlong handle, jbyteArray name) {
  (void)type;
  const borrowed bytes = borrow(env, name);
  linnet_value value = {0};
  const linnet_status status = linnet_task_value(peer_of(handle)->task, (const char*)bytes.bytes, &value);
  give_back(env, bytes);
  if (failed(env, status)) {
    return NULL;
  }
  const jlong numbers[2] = {value.type, value.integer};
  const jlongArray integers = (*env)->NewLongArray(env, 2);
  const jdoubleArray reals = (*env)->NewDoubleArray(env, 1);
  const jobjectArray result =
      (*env)->NewObjectArray(env, 3, (*env)->FindClass(env, "java/lang/Object"), NULL);
  if (integers == NULL || reals == NULL || result == NULL) {
    return NULL;
  }
  (*env)->SetLongArrayRegion(env, integers, 0, 2, numbers);
  (*env)->SetDoubleArrayRegion(env, reals, 0, 1, &value.real);
  (*env)->SetObjectArrayElement(env, result, 0, integers);
  (*env)->SetObjectArrayElement(env, result, 1, reals);
  (*env)->SetObjectArrayElement(env, result, 2, bytes_of(env, value.bytes, value.size));
  return result;
}

/* ---- tokens ------------------------------------------------------------------------------------- */

/* Rows of { id, type id, sequence id, start and end in UTF-16, UTF-8 and code points } of one window, and in
 * the end whether it was cut. */
static jlongArray window_rows(JNIEnv* env, const linnet_encoding_view* view) {
  enum { kColumns = 9 };
  const jsize size = (jsize)(view->length * kColumns + 1);
  jlong* rows = malloc((size_t)size * sizeof *rows);
  const jlongArray result = rows == NULL ? NULL : (*env)->NewLongArray(env, size);
  if (result != NULL) {
    for (size_t i = 0; i < view->length; ++i) {
      jlong* row = rows + i * kColumns;
      row[0] = view->ids[i];
      row[1] = view->type_ids[i];
      row[2] = view->sequence_ids[i];
      memcpy(row + 3, view->offsets_utf16 + 2 * i, 2 * sizeof *row);
      memcpy(row + 5, view->offsets_utf8 + 2 * i, 2 * sizeof *row);
      memcpy(row + 7, view->offsets_code_points + 2 * i, 2 * sizeof *row);
    }
    rows[size - 1] = view->truncated;
    (*env)->SetLongArrayRegion(env, result, 0, size, rows);
  }
  free(rows);
  return result;
}

LINNET_NATIVE(jobjectArray, tokenize)(JNIEnv* env, jclass type, jlong handle, jbyteArray text,
                                      jbyteArray pair, jint max_length, jint truncation, jint stride,
                                      jint special) {
  (void)type;
  const linnet_tokenizer* tokenizer = NULL;
  if (failed(env, linnet_task_tokenizer(peer_of(handle)->task, &tokenizer))) {
    return NULL;
  }
  const linnet_encode_options options = {max_length, (linnet_truncation)truncation, stride, special};
  const borrowed first = borrow(env, text);
  const borrowed second = borrow(env, pair);
  linnet_encoding* encoding = NULL;
  const linnet_status status =
      linnet_tokenizer_encode(tokenizer, (const char*)first.bytes, (size_t)first.size,
                              (const char*)second.bytes, (size_t)second.size, &options, &encoding);
  give_back(env, first);
  give_back(env, second);
  if (failed(env, status)) {
    return NULL;
  }
  const jsize count = (jsize)linnet_encoding_window_count(encoding);
  const jobjectArray windows = (*env)->NewObjectArray(env, count, (*env)->FindClass(env, "[J"), NULL);
  for (jsize i = 0; windows != NULL && i < count; ++i) {
    linnet_encoding_view view = {0};
    linnet_encoding_window(encoding, (size_t)i, &view);
    const jlongArray rows = window_rows(env, &view);
    (*env)->SetObjectArrayElement(env, windows, i, rows);
    (*env)->DeleteLocalRef(env, rows);
  }
  linnet_encoding_free(encoding);
  return windows;
}

LINNET_NATIVE(jlong, findToken)(JNIEnv* env, jclass type, jlong handle, jbyteArray token) {
  (void)type;
  const linnet_tokenizer* tokenizer = NULL;
  if (failed(env, linnet_task_tokenizer(peer_of(handle)->task, &tokenizer))) {
    return -1;
  }
  const borrowed bytes = borrow(env, token);
  int64_t id = -1;
  const linnet_status status = linnet_tokenizer_find(tokenizer, text_of(bytes), &id);
  give_back(env, bytes);
  return status == LINNET_OK ? id : -1;
}

/* ---- answers ------------------------------------------------------------------------------------ */

static void fill_answer(JNIEnv* env, const linnet_answer* answer, jsize at, jdoubleArray scores,
                        jlongArray numbers, jobjectArray texts) {
  const jlong row[kNumbers] = {answer->label_index, answer->token,      answer->index,
                               answer->first_token, answer->last_token, answer->utf16.start,
                               answer->utf16.end};
  const linnet_text strings[kTexts] = {answer->label, answer->text, answer->sequence};
  (*env)->SetDoubleArrayRegion(env, scores, at, 1, &answer->score);
  (*env)->SetLongArrayRegion(env, numbers, at * kNumbers, kNumbers, row);
  for (jsize i = 0; i < kTexts; ++i) {
    const jbyteArray bytes = bytes_of(env, strings[i].bytes, strings[i].size);
    (*env)->SetObjectArrayElement(env, texts, at * kTexts + i, bytes);
    (*env)->DeleteLocalRef(env, bytes);
  }
}

/* { scores, numbers, texts, { truncated } }; frees the answers. */
static jobjectArray flat_answers(JNIEnv* env, linnet_status status, linnet_answers* answers) {
  if (failed(env, status)) {
    return NULL;
  }
  const jsize count = (jsize)linnet_answers_count(answers);
  const jint truncated = linnet_answers_truncated(answers);
  const jdoubleArray scores = (*env)->NewDoubleArray(env, count);
  const jlongArray numbers = (*env)->NewLongArray(env, count * kNumbers);
  const jobjectArray texts = (*env)->NewObjectArray(env, count * kTexts, (*env)->FindClass(env, "[B"), NULL);
  const jintArray flags = (*env)->NewIntArray(env, 1);
  jobjectArray result = NULL;
  if (scores != NULL && numbers != NULL && texts != NULL && flags != NULL) {
    for (jsize i = 0; i < count && !(*env)->ExceptionCheck(env); ++i) {
      linnet_answer answer;
      if (linnet_answers_get(answers, (size_t)i, &answer) == LINNET_OK) {
        fill_answer(env, &answer, i, scores, numbers, texts);
      }
    }
    (*env)->SetIntArrayRegion(env, flags, 0, 1, &truncated);
    result = (*env)->NewObjectArray(env, 4, (*env)->FindClass(env, "java/lang/Object"), NULL);
  }
  if (result != NULL) {
    (*env)->SetObjectArrayElement(env, result, 0, scores);
    (*env)->SetObjectArrayElement(env, result, 1, numbers);
    (*env)->SetObjectArrayElement(env, result, 2, texts);
    (*env)->SetObjectArrayElement(env, result, 3, flags);
  }
  linnet_answers_free(answers);
  return result;
}

LINNET_NATIVE(jobjectArray, classify)(JNIEnv* env, jclass type, jlong handle, jbyteArray text,
                                      jbyteArray pair, jint truncate, jint top_k, jint score_function) {
  (void)type;
  const linnet_peer* peer = peer_of(handle);
  const linnet_class_options options = {top_k, (linnet_score_function)score_function};
  const borrowed first = borrow(env, text);
  const borrowed second = borrow(env, pair);
  linnet_answers* answers = NULL;
  const linnet_status status = linnet_classify(peer->task, &peer->engine, text_of(first), text_of(second),
                                               truncate, &options, &answers);
  give_back(env, first);
  give_back(env, second);
  return flat_answers(env, status, answers);
}

enum { kMostIgnored = 64 };

LINNET_NATIVE(jobjectArray, entities)(JNIEnv* env, jclass type, jlong handle, jbyteArray text, jint truncate,
                                      jint aggregation, jobjectArray ignored) {
  (void)type;
  const linnet_peer* peer = peer_of(handle);
  const jsize count = (*env)->GetArrayLength(env, ignored);
  if (count > kMostIgnored || (*env)->EnsureLocalCapacity(env, count + 16) != JNI_OK) {
    throw_with(env, LINNET_INVALID_ARGUMENT, "more than 64 labels are ignored", 0);
    return NULL;
  }
  borrowed kept[kMostIgnored];
  linnet_text labels[kMostIgnored];
  for (jsize i = 0; i < count; ++i) {
    kept[i] = borrow(env, (jbyteArray)(*env)->GetObjectArrayElement(env, ignored, i));
    labels[i] = text_of(kept[i]);
  }
  const linnet_entity_options options = {(linnet_aggregation)aggregation, labels, (size_t)count};
  const borrowed bytes = borrow(env, text);
  linnet_answers* answers = NULL;
  const linnet_status status =
      linnet_find_entities(peer->task, &peer->engine, text_of(bytes), truncate, &options, &answers);
  give_back(env, bytes);
  for (jsize i = 0; i < count; ++i) {
    give_back(env, kept[i]);
  }
  return flat_answers(env, status, answers);
}

LINNET_NATIVE(jobjectArray, answer)(JNIEnv* env, jclass type, jlong handle, jbyteArray question,
                                    jbyteArray context, jint top_k, jint max_answer, jint max_length,
                                    jint stride, jint allow_empty, jint align) {
  (void)type;
  const linnet_peer* peer = peer_of(handle);
  const linnet_question_options options = {top_k, max_answer, max_length, stride, allow_empty, align};
  const borrowed first = borrow(env, question);
  const borrowed second = borrow(env, context);
  linnet_answers* answers = NULL;
  const linnet_status status =
      linnet_answer_question(peer->task, &peer->engine, text_of(first), text_of(second), &options, &answers);
  give_back(env, first);
  give_back(env, second);
  return flat_answers(env, status, answers);
}

LINNET_NATIVE(jobjectArray, fillMask)(JNIEnv* env, jclass type, jlong handle, jbyteArray text, jint truncate,
                                      jint top_k, jlongArray targets) {
  (void)type;
  const linnet_peer* peer = peer_of(handle);
  jlong* ids = targets == NULL ? NULL : (*env)->GetLongArrayElements(env, targets, NULL);
  const size_t count = targets == NULL ? 0 : (size_t)(*env)->GetArrayLength(env, targets);
  const linnet_mask_options options = {top_k, (const int64_t*)ids, count};
  const borrowed bytes = borrow(env, text);
  linnet_answers* answers = NULL;
  const linnet_status status =
      linnet_fill_mask(peer->task, &peer->engine, text_of(bytes), truncate, &options, &answers);
  give_back(env, bytes);
  if (ids != NULL) {
    (*env)->ReleaseLongArrayElements(env, targets, ids, JNI_ABORT);
  }
  return flat_answers(env, status, answers);
}

/* ---- vectors ------------------------------------------------------------------------------------ */

static jfloatArray floats_of(JNIEnv* env, const float* values, size_t count) {
  const jfloatArray array = (*env)->NewFloatArray(env, (jsize)count);
  if (array != NULL) {
    (*env)->SetFloatArrayRegion(env, array, 0, (jsize)count, values);
  }
  return array;
}

LINNET_NATIVE(jfloatArray, embed)(JNIEnv* env, jclass type, jlong handle, jbyteArray text, jint truncate,
                                  jbyteArray prompt, jint normalize) {
  (void)type;
  const linnet_peer* peer = peer_of(handle);
  linnet_value width = {0};
  if (failed(env, linnet_task_value(peer->task, "embedding_size", &width))) {
    return NULL;
  }
  float* vector = calloc((size_t)width.integer + 1, sizeof *vector);
  const borrowed bytes = borrow(env, text);
  const borrowed name = borrow(env, prompt);
  const linnet_status status =
      linnet_embed(peer->task, &peer->engine, text_of(bytes), truncate, (const char*)name.bytes, normalize,
                   vector, vector == NULL ? 0 : (size_t)width.integer);
  give_back(env, bytes);
  give_back(env, name);
  const jfloatArray result = failed(env, status) ? NULL : floats_of(env, vector, (size_t)width.integer);
  free(vector);
  return result;
}

LINNET_NATIVE(jfloatArray, score)(JNIEnv* env, jclass type, jlong handle, jbyteArray query,
                                  jbyteArray passage, jint truncate) {
  (void)type;
  enum { kMostScores = 1024 };
  const linnet_peer* peer = peer_of(handle);
  const borrowed first = borrow(env, query);
  const borrowed second = borrow(env, passage);
  float scores[kMostScores];
  size_t count = 0;
  const linnet_status status = linnet_score(peer->task, &peer->engine, text_of(first), text_of(second),
                                            truncate, scores, kMostScores, &count);
  give_back(env, first);
  give_back(env, second);
  return failed(env, status) ? NULL : floats_of(env, scores, count < kMostScores ? count : kMostScores);
}
