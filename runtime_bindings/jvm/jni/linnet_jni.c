/* JNI functions of dev.linnet.Native that need no ExecuTorch: file checks, tasks, tokenizing, answers. Texts
 * arrive as UTF-8 bytes; answers and tokens are built here as the Kotlin classes of Answers.kt. */
#include "linnet_jni.h"

#include <stdlib.h>
#include <string.h>

#include "linnet_jni_classes.h"

/* ---- loading of the library ------------------------------------------------------------------- */

JNIEXPORT jint JNICALL JNI_OnLoad(JavaVM* vm, void* reserved) {
  (void)reserved;
  JNIEnv* env = NULL;
  if (linnet_abi_version() != LINNET_ABI_VERSION ||
      (*vm)->GetEnv(vm, (void**)&env, JNI_VERSION_1_6) != JNI_OK) {
    return JNI_ERR;
  }
  return linnet_jni_find_classes(env) ? JNI_VERSION_1_6 : JNI_ERR;
}

JNIEXPORT void JNICALL JNI_OnUnload(JavaVM* vm, void* reserved) {
  (void)reserved;
  JNIEnv* env = NULL;
  if ((*vm)->GetEnv(vm, (void**)&env, JNI_VERSION_1_6) != JNI_OK) {
    return;
  }
  linnet_jni_release_classes(env);
}

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
    return; /* the exception that Java threw, in the engine or for a full heap, says more */
  }
  const jbyteArray text = bytes_of(env, message, strlen(message));
  const jobject error = text == NULL ? NULL
                                     : (*env)->NewObject(env, java.exception.type, java.exception.make,
                                                         (jint)status, text, (jint)executorch);
  if (error != NULL) {
    (*env)->Throw(env, (jthrowable)error);
  }
}

void linnet_jni_throw(JNIEnv* env, linnet_status status) {
  throw_with(env, status, linnet_last_error(), linnet_last_executorch_error());
}

int linnet_jni_failed(JNIEnv* env, linnet_status status) {
  if (status != LINNET_OK) {
    linnet_jni_throw(env, status);
  }
  return status != LINNET_OK || (*env)->ExceptionCheck(env);
}

static int failed(JNIEnv* env, linnet_status status) { return linnet_jni_failed(env, status); }

void linnet_jni_throw_no_memory(JNIEnv* env) { throw_with(env, LINNET_OUT_OF_MEMORY, "memory ran out", 0); }

/* ---- results ----------------------------------------------------------------------------------- */

/* Not by NewStringUTF, which takes an encoding other than UTF-8. */
jstring linnet_jni_string(JNIEnv* env, linnet_text text) {
  const jbyteArray bytes = bytes_of(env, text.bytes, text.size);
  const jobject string =
      bytes == NULL ? NULL : (*env)->NewObject(env, java.string.type, java.string.make, bytes, java.utf8);
  (*env)->DeleteLocalRef(env, bytes);
  return (jstring)string;
}

static jstring string_of(JNIEnv* env, linnet_text text) { return linnet_jni_string(env, text); }

/* Store an element in an array and delete the local reference to it. Return 0 with an exception waiting if
 * there is no element or the array does not take it. */
static int put(JNIEnv* env, jobjectArray array, jsize at, jobject element) {
  if (element == NULL) {
    return 0;
  }
  (*env)->SetObjectArrayElement(env, array, at, element);
  (*env)->DeleteLocalRef(env, element);
  return !(*env)->ExceptionCheck(env);
}

/* ---- arguments --------------------------------------------------------------------------------- */

/* The bytes of a Java array while native code reads them, until give_back(). `bytes` is NULL if there is no
 * array, or if an exception waits. */
typedef struct {
  jbyteArray array;
  jbyte* bytes;
  jsize size;
} borrowed;

static borrowed borrow(JNIEnv* env, jbyteArray array) {
  borrowed result = {array, NULL, 0};
  if (array != NULL) {
    result.size = (*env)->GetArrayLength(env, array);
    result.bytes = (*env)->GetByteArrayElements(env, array, NULL);
  }
  return result;
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

LINNET_NATIVE(jint, abiVersion)(JNIEnv* env, jclass type) {
  (void)env;
  (void)type;
  return linnet_abi_version();
}

jlong linnet_jni_peer(JNIEnv* env, linnet_peer peer) {
  linnet_peer* kept = malloc(sizeof *kept);
  if (kept == NULL) {
    peer.release(peer.owner);
    linnet_jni_throw_no_memory(env);
    return 0;
  }
  *kept = peer;
  if (kept->java_engine != NULL) {
    kept->engine.context = kept; /* run_in_java() finds the Java object there */
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

/* ---- a task with an engine in Java -------------------------------------------------------------- */

static jobjectArray java_inputs(JNIEnv* env, const linnet_tensor* inputs, size_t count) {
  const jobjectArray arrays = (*env)->NewObjectArray(env, (jsize)count, java.long_array.type, NULL);
  for (size_t i = 0; arrays != NULL && i < count; ++i) {
    const jsize length = (jsize)inputs[i].shape[1];
    const jlongArray ids = (*env)->NewLongArray(env, length);
    if (ids != NULL) {
      (*env)->SetLongArrayRegion(env, ids, 0, length, (const jlong*)inputs[i].data);
    }
    if (!put(env, arrays, (jsize)i, ids)) {
      return NULL;
    }
  }
  return arrays;
}

/* A dev.linnet.Tensor while native code reads its numbers. */
typedef struct {
  jfloatArray array;
  linnet_tensor tensor;
} borrowed_tensor;

static linnet_status read_shape(JNIEnv* env, jlongArray shape, linnet_tensor* tensor, jsize* size) {
  if (shape == NULL) {
    return LINNET_INVALID_ARGUMENT;
  }
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
  *size = (jsize)count;
  return LINNET_OK;
}

/* Read the fields of a dev.linnet.Tensor. Its array stays borrowed until give_back_tensor(), also after a
 * failure. Return LINNET_INVALID_ARGUMENT for a shape that does not fit the data, or LINNET_OUT_OF_MEMORY. */
static linnet_status borrow_tensor(JNIEnv* env, jobject output, borrowed_tensor* into) {
  if (output == NULL) { /* Java may leave an element of the array out, Kotlin does not */
    return LINNET_INVALID_ARGUMENT;
  }
  const jlongArray shape = (jlongArray)(*env)->GetObjectField(env, output, java.tensor_shape);
  into->array = (jfloatArray)(*env)->GetObjectField(env, output, java.tensor_data);
  jsize size = 0;
  const linnet_status status = read_shape(env, shape, &into->tensor, &size);
  (*env)->DeleteLocalRef(env, shape);
  if (status != LINNET_OK || into->array == NULL || size != (*env)->GetArrayLength(env, into->array)) {
    return LINNET_INVALID_ARGUMENT;
  }
  into->tensor.data = (*env)->GetFloatArrayElements(env, into->array, NULL);
  return into->tensor.data == NULL ? LINNET_OUT_OF_MEMORY : LINNET_OK;
}

static void give_back_tensor(JNIEnv* env, const borrowed_tensor* tensor) {
  if (tensor->tensor.data != NULL) {
    (*env)->ReleaseFloatArrayElements(env, tensor->array, (jfloat*)tensor->tensor.data, JNI_ABORT);
  }
  (*env)->DeleteLocalRef(env, tensor->array);
}

enum { kMostOutputs = 8 };

/* Copy the program's outputs, a Tensor[], to new linnet_outputs. */
static linnet_status read_outputs(JNIEnv* env, jobjectArray results, linnet_outputs** outputs) {
  borrowed_tensor kept[kMostOutputs] = {{NULL, {0}}};
  linnet_tensor tensors[kMostOutputs];
  const jsize count = (*env)->GetArrayLength(env, results);
  if (count > kMostOutputs) {
    return LINNET_INVALID_ARGUMENT;
  }
  linnet_status status = LINNET_OK;
  jsize read = 0;
  for (; status == LINNET_OK && read < count; ++read) {
    const jobject result = (*env)->GetObjectArrayElement(env, results, read);
    status = borrow_tensor(env, result, &kept[read]);
    tensors[read] = kept[read].tensor;
    (*env)->DeleteLocalRef(env, result);
  }
  if (status == LINNET_OK) {
    status = linnet_outputs_create(tensors, (size_t)count, outputs);
  }
  for (jsize i = 0; i < read; ++i) {
    give_back_tensor(env, &kept[i]);
  }
  return status;
}

/* Run the program in Java: `run` of a linnet_engine. An exception of Java stays waiting, and the caller sees
 * it. */
static linnet_status run_in_java(void* context, const char* method, const linnet_tensor* inputs, size_t count,
                                 linnet_outputs** outputs) {
  (void)method;
  const linnet_peer* peer = context;
  JNIEnv* env = NULL;
  if ((*peer->vm)->GetEnv(peer->vm, (void**)&env, JNI_VERSION_1_6) != JNI_OK) {
    return LINNET_INTERNAL;
  }
  if ((*env)->ExceptionCheck(env)) { /* the heap was full when the text was read */
    return LINNET_RUN_FAILED;
  }
  const jobjectArray rows = java_inputs(env, inputs, count);
  const jobjectArray results =
      rows == NULL ? NULL : (jobjectArray)(*env)->CallObjectMethod(env, peer->java_engine, java.run, rows);
  linnet_status status = LINNET_RUN_FAILED;
  if (!(*env)->ExceptionCheck(env) && results != NULL) {
    status = read_outputs(env, results, outputs);
  }
  (*env)->DeleteLocalRef(env, results);
  (*env)->DeleteLocalRef(env, rows);
  return status;
}

static void release_task(void* task) { linnet_task_free(task); }

/* The fields of a manifest while native code reads their names and bytes. */
typedef struct {
  size_t count;
  linnet_field* fields;
  borrowed* names;
  borrowed* texts;
} field_list;

static void free_fields(JNIEnv* env, field_list list) {
  for (size_t i = 0; i < list.count; ++i) {
    give_back(env, list.names[i]);
    give_back(env, list.texts[i]);
  }
  free(list.fields);
  free(list.names);
  free(list.texts);
}

/* Make a list of `count` fields; if memory runs out, an empty one whose `fields` is NULL. */
static field_list new_fields(size_t count) {
  const field_list list = {count, calloc(count + 1, sizeof(linnet_field)),
                           calloc(count + 1, sizeof(borrowed)), calloc(count + 1, sizeof(borrowed))};
  if (list.fields == NULL || list.names == NULL || list.texts == NULL) {
    const field_list none = {0, NULL, NULL, NULL};
    free(list.fields);
    free(list.names);
    free(list.texts);
    return none;
  }
  return list;
}

/* Read a dev.linnet.FieldValue; its bytes stay borrowed in `text`. */
static linnet_value read_value(JNIEnv* env, jobject value, borrowed* text) {
  *text = borrow(env, (jbyteArray)(*env)->GetObjectField(env, value, java.value_bytes));
  const linnet_value result = {(linnet_value_type)(*env)->GetIntField(env, value, java.value_type),
                               (*env)->GetLongField(env, value, java.value_integer),
                               (*env)->GetDoubleField(env, value, java.value_real), (const char*)text->bytes,
                               (size_t)text->size};
  return result;
}

static field_list read_fields(JNIEnv* env, jobjectArray names, jobjectArray values) {
  const jsize count = (*env)->GetArrayLength(env, names);
  const field_list list = new_fields((size_t)count);
  for (jsize i = 0; list.fields != NULL && i < count && !(*env)->ExceptionCheck(env); ++i) {
    list.names[i] = borrow(env, (jbyteArray)(*env)->GetObjectArrayElement(env, names, i));
    if (list.names[i].bytes == NULL) {
      break;
    }
    list.fields[i].name = (const char*)list.names[i].bytes;
    const jobject value = (*env)->GetObjectArrayElement(env, values, i);
    list.fields[i].value = read_value(env, value, &list.texts[i]);
    (*env)->DeleteLocalRef(env, value);
  }
  return list;
}

/* A task from the fields, unless an exception waits since they were read. */
static linnet_status create_task(JNIEnv* env, field_list list, linnet_task** task) {
  if (list.fields == NULL || (*env)->ExceptionCheck(env)) {
    return LINNET_OUT_OF_MEMORY;
  }
  return linnet_task_create(list.fields, list.count, task);
}

LINNET_NATIVE(jlong, openTask)(JNIEnv* env, jclass type, jobjectArray names, jobjectArray values,
                               jobject engine) {
  (void)type;
  if ((*env)->EnsureLocalCapacity(env, 2 * (*env)->GetArrayLength(env, names) + 16) != JNI_OK) {
    return 0;
  }
  const field_list list = read_fields(env, names, values);
  linnet_task* task = NULL;
  const linnet_status status = create_task(env, list, &task);
  free_fields(env, list);
  if (failed(env, status)) {
    return 0;
  }
  linnet_peer peer = {task, {run_in_java, NULL}, task, release_task, NULL, NULL};
  (*env)->GetJavaVM(env, &peer.vm);
  peer.java_engine = (*env)->NewGlobalRef(env, engine);
  if (peer.java_engine == NULL) {
    linnet_task_free(task);
    linnet_jni_throw_no_memory(env);
    return 0;
  }
  return linnet_jni_peer(env, peer);
}

/* ---- the manifest ------------------------------------------------------------------------------- */

LINNET_NATIVE(jobjectArray, labels)(JNIEnv* env, jclass type, jlong handle) {
  (void)type;
  const linnet_task* task = peer_of(handle)->task;
  const jsize count = (jsize)linnet_task_label_count(task);
  const jobjectArray labels = (*env)->NewObjectArray(env, count, java.string.type, NULL);
  for (jsize i = 0; labels != NULL && i < count; ++i) {
    linnet_text label = {0};
    if (failed(env, linnet_task_label(task, (size_t)i, &label)) ||
        !put(env, labels, i, string_of(env, label))) {
      return NULL;
    }
  }
  return labels;
}

LINNET_NATIVE(jobject, field)(JNIEnv* env, jclass type, jlong handle, jbyteArray name) {
  (void)type;
  const borrowed key = borrow(env, name);
  if (key.bytes == NULL) {
    return NULL;
  }
  linnet_value value = {0};
  const linnet_status status = linnet_task_value(peer_of(handle)->task, (const char*)key.bytes, &value);
  give_back(env, key);
  const jbyteArray bytes = failed(env, status) ? NULL : bytes_of(env, value.bytes, value.size);
  return bytes == NULL ? NULL
                       : (*env)->NewObject(env, java.field_value.type, java.field_value.make,
                                           (jint)value.type, (jlong)value.integer, value.real, bytes);
}

/* ---- tokens ------------------------------------------------------------------------------------- */

static jlongArray longs_of(JNIEnv* env, const int64_t* values, size_t count) {
  const jlongArray array = (*env)->ExceptionCheck(env) ? NULL : (*env)->NewLongArray(env, (jsize)count);
  if (array != NULL) {
    (*env)->SetLongArrayRegion(env, array, 0, (jsize)count, (const jlong*)values);
  }
  return array;
}

static jintArray ints_of(JNIEnv* env, const int32_t* values, size_t count) {
  const jintArray array = (*env)->ExceptionCheck(env) ? NULL : (*env)->NewIntArray(env, (jsize)count);
  if (array != NULL) {
    (*env)->SetIntArrayRegion(env, array, 0, (jsize)count, (const jint*)values);
  }
  return array;
}

/* Make a Tokens from one window. Its constructor in Kotlin makes the Token objects, because making the four
 * objects of each token from here took four times as long. */
static jobject tokens_of(JNIEnv* env, const linnet_encoding_view* view) {
  if ((*env)->PushLocalFrame(env, 8) != JNI_OK) {
    return NULL;
  }
  const size_t length = view->length;
  const jlongArray ids = longs_of(env, view->ids, length);
  const jlongArray type_ids = longs_of(env, view->type_ids, length);
  const jintArray sequences = ints_of(env, view->sequence_ids, length);
  const jlongArray utf16 = longs_of(env, view->offsets_utf16, 2 * length);
  const jlongArray utf8 = longs_of(env, view->offsets_utf8, 2 * length);
  const jlongArray code_points = longs_of(env, view->offsets_code_points, 2 * length);
  jobject window = NULL;
  if (!(*env)->ExceptionCheck(env)) {
    window = (*env)->NewObject(env, java.tokens.type, java.tokens.make, ids, type_ids, sequences, utf16, utf8,
                               code_points, (jboolean)(view->truncated != 0));
  }
  return (*env)->PopLocalFrame(env, window);
}

/* Make a Tokens[] from the windows; NULL with an exception waiting. */
static jobjectArray windows_of(JNIEnv* env, const linnet_encoding* encoding) {
  const jsize count = (jsize)linnet_encoding_window_count(encoding);
  const jobjectArray windows = (*env)->NewObjectArray(env, count, java.tokens.type, NULL);
  for (jsize i = 0; windows != NULL && i < count; ++i) {
    linnet_encoding_view view = {0};
    if (failed(env, linnet_encoding_window(encoding, (size_t)i, &view)) ||
        !put(env, windows, i, tokens_of(env, &view))) {
      return NULL;
    }
  }
  return windows;
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
  const jobjectArray windows = failed(env, status) ? NULL : windows_of(env, encoding);
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

typedef jobject (*make_answer)(JNIEnv* env, const linnet_answer* answer);

static jobject classification_of(JNIEnv* env, const linnet_answer* answer) {
  const jstring label = string_of(env, answer->label);
  const jobject made = label == NULL
                           ? NULL
                           : (*env)->NewObject(env, java.classification.type, java.classification.make, label,
                                               (jfloat)answer->score, (jint)answer->label_index);
  (*env)->DeleteLocalRef(env, label);
  return made;
}

static jobject entity_of(JNIEnv* env, const linnet_answer* answer) {
  const jstring label = string_of(env, answer->label);
  const jstring word = label == NULL ? NULL : string_of(env, answer->text);
  const jobject made =
      word == NULL ? NULL
                   : (*env)->NewObject(env, java.entity.type, java.entity.make, label, (jfloat)answer->score,
                                       word, (jint)answer->utf16.start, (jint)answer->utf16.end);
  (*env)->DeleteLocalRef(env, word);
  (*env)->DeleteLocalRef(env, label);
  return made;
}

static jobject answer_of(JNIEnv* env, const linnet_answer* answer) {
  const jstring text = string_of(env, answer->text);
  const jobject made =
      text == NULL ? NULL
                   : (*env)->NewObject(env, java.answer.type, java.answer.make, text, (jdouble)answer->score,
                                       (jint)answer->utf16.start, (jint)answer->utf16.end);
  (*env)->DeleteLocalRef(env, text);
  return made;
}

static jobject mask_proposal_of(JNIEnv* env, const linnet_answer* answer) {
  const jstring token = string_of(env, answer->text);
  const jstring sequence = token == NULL ? NULL : string_of(env, answer->sequence);
  const jobject made =
      sequence == NULL
          ? NULL
          : (*env)->NewObject(env, java.mask_proposal.type, java.mask_proposal.make, token,
                              (jfloat)answer->score, (jlong)answer->token, sequence, (jint)answer->index);
  (*env)->DeleteLocalRef(env, sequence);
  (*env)->DeleteLocalRef(env, token);
  return made;
}

/* Make an array of `type` with one element for each answer; NULL with an exception waiting. */
static jobjectArray made_answers(JNIEnv* env, const linnet_answers* answers, const java_class* type,
                                 make_answer make) {
  const jsize count = (jsize)linnet_answers_count(answers);
  const jobjectArray array = (*env)->NewObjectArray(env, count, type->type, NULL);
  for (jsize i = 0; array != NULL && i < count; ++i) {
    linnet_answer answer;
    if (failed(env, linnet_answers_get(answers, (size_t)i, &answer)) ||
        !put(env, array, i, make(env, &answer))) {
      return NULL;
    }
  }
  return array;
}

/* Do the same after a call that returned `status`, and free the answers. */
static jobjectArray take_answers(JNIEnv* env, linnet_status status, linnet_answers* answers,
                                 const java_class* type, make_answer make) {
  const jobjectArray array = failed(env, status) ? NULL : made_answers(env, answers, type, make);
  linnet_answers_free(answers);
  return array;
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
  return take_answers(env, status, answers, &java.classification, classification_of);
}

enum { kMostIgnored = 64 };

LINNET_NATIVE(jobjectArray, entities)(JNIEnv* env, jclass type, jlong handle, jbyteArray text, jint truncate,
                                      jint aggregation, jobjectArray ignored) {
  (void)type;
  const linnet_peer* peer = peer_of(handle);
  const jsize count = (*env)->GetArrayLength(env, ignored);
  if (count > kMostIgnored || (*env)->EnsureLocalCapacity(env, count + 16) != JNI_OK) {
    throw_with(env, LINNET_INVALID_ARGUMENT, "expected at most 64 ignored labels, got more; leave some out",
               0);
    return NULL;
  }
  borrowed kept[kMostIgnored] = {{NULL, NULL, 0}};
  linnet_text labels[kMostIgnored] = {{NULL, 0}};
  for (jsize i = 0; i < count && !(*env)->ExceptionCheck(env); ++i) {
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
  return take_answers(env, status, answers, &java.entity, entity_of);
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
  return take_answers(env, status, answers, &java.answer, answer_of);
}

LINNET_NATIVE(jobjectArray, fillMask)(JNIEnv* env, jclass type, jlong handle, jbyteArray text, jint truncate,
                                      jint top_k, jlongArray targets) {
  (void)type;
  const linnet_peer* peer = peer_of(handle);
  const size_t count = targets == NULL ? 0 : (size_t)(*env)->GetArrayLength(env, targets);
  jlong* ids = targets == NULL ? NULL : (*env)->GetLongArrayElements(env, targets, NULL);
  const linnet_mask_options options = {top_k, (const int64_t*)ids, count};
  const borrowed bytes = borrow(env, text);
  linnet_answers* answers = NULL;
  const linnet_status status =
      linnet_fill_mask(peer->task, &peer->engine, text_of(bytes), truncate, &options, &answers);
  give_back(env, bytes);
  if (ids != NULL) {
    (*env)->ReleaseLongArrayElements(env, targets, ids, JNI_ABORT);
  }
  return take_answers(env, status, answers, &java.mask_proposal, mask_proposal_of);
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
  if (vector == NULL) {
    linnet_jni_throw_no_memory(env);
    return NULL;
  }
  const borrowed bytes = borrow(env, text);
  const borrowed name = borrow(env, prompt);
  const linnet_status status =
      linnet_embed(peer->task, &peer->engine, text_of(bytes), truncate, (const char*)name.bytes, normalize,
                   vector, (size_t)width.integer);
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

/* ---- statistics --------------------------------------------------------------------------------- */

LINNET_NATIVE(void, startStatistics)(JNIEnv* env, jclass type, jlong handle, jbyteArray name) {
  (void)type;
  const borrowed bytes = borrow(env, name);
  const linnet_status status = linnet_stats_start(peer_of(handle)->task, (const char*)bytes.bytes);
  give_back(env, bytes);
  (void)failed(env, status);
}

LINNET_NATIVE(void, stopStatistics)(JNIEnv* env, jclass type, jlong handle) {
  (void)type;
  (void)failed(env, linnet_stats_stop(peer_of(handle)->task));
}

LINNET_NATIVE(jstring, statistics)(JNIEnv* env, jclass type, jlong handle) {
  (void)type;
  enum { kMostBytes = 1 << 20 };
  const linnet_task* task = peer_of(handle)->task;
  /* as large as the largest JSON: it can grow between two calls */
  char* json = malloc(kMostBytes);
  if (json == NULL) {
    linnet_jni_throw_no_memory(env);
    return NULL;
  }
  size_t size = 0;
  const linnet_status status = linnet_stats_json(task, json, kMostBytes, &size);
  const jstring text = failed(env, status) ? NULL : string_of(env, (linnet_text){json, size});
  free(json);
  return text;
}
