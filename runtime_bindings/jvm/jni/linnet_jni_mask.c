/* JNI functions of dev.linnet.Native for masking: personal data found, replaced and restored. Texts arrive as
 * UTF-8 bytes; places are UTF-16 code units, the unit of String. */
#include <stdint.h>
#include <stdlib.h>

#include "linnet_jni.h"
#include "linnet_jni_classes.h"

/* A Java array of bytes as a text; bytes NULL with an exception waiting if memory ran out. */
typedef struct {
  jbyteArray array;
  linnet_text text;
} java_text;

static java_text take(JNIEnv* env, jbyteArray array) {
  java_text taken = {array, {NULL, 0}};
  taken.text.bytes = (const char*)(*env)->GetByteArrayElements(env, array, NULL);
  if (taken.text.bytes == NULL) {
    linnet_jni_throw_no_memory(env);
  } else {
    taken.text.size = (size_t)(*env)->GetArrayLength(env, array);
  }
  return taken;
}

static void give_back(JNIEnv* env, java_text taken) {
  if (taken.text.bytes != NULL) {
    (*env)->ReleaseByteArrayElements(env, taken.array, (jbyte*)(uintptr_t)taken.text.bytes, JNI_ABORT);
  }
}

/* Split texts that stand one behind the other. */
static void split(const char* bytes, const jint* sizes, size_t count, linnet_text* texts) {
  for (size_t i = 0; i < count; ++i) {
    texts[i].bytes = bytes;
    texts[i].size = (size_t)sizes[i];
    bytes += sizes[i];
  }
}

static jbyteArray bytes_of(JNIEnv* env, linnet_text text) {
  const jbyteArray array = (*env)->NewByteArray(env, (jsize)text.size);
  if (array != NULL && text.size > 0) {
    (*env)->SetByteArrayRegion(env, array, 0, (jsize)text.size, (const jbyte*)text.bytes);
  }
  return array;
}

/* ---- maskers ------------------------------------------------------------------------------------ */

LINNET_NATIVE(jlong, openMasker)(JNIEnv* env, jclass type, jbyteArray names, jintArray sizes) {
  (void)type;
  const size_t count = (size_t)(*env)->GetArrayLength(env, sizes);
  java_text joined = take(env, names);
  jint* lengths = joined.text.bytes == NULL ? NULL : (*env)->GetIntArrayElements(env, sizes, NULL);
  linnet_text* texts = lengths == NULL ? NULL : calloc(count + 1, sizeof *texts);
  linnet_masker* masker = NULL;
  if (texts != NULL) {
    split(joined.text.bytes, lengths, count, texts);
    linnet_jni_failed(env, linnet_masker_create(texts, count, &masker));
  } else {
    linnet_jni_throw_no_memory(env);
  }
  free(texts);
  if (lengths != NULL) {
    (*env)->ReleaseIntArrayElements(env, sizes, lengths, JNI_ABORT);
  }
  give_back(env, joined);
  return (jlong)(intptr_t)masker;
}

LINNET_NATIVE(void, closeMasker)(JNIEnv* env, jclass type, jlong masker) {
  (void)env;
  (void)type;
  linnet_masker_free((linnet_masker*)(intptr_t)masker);
}

/* Read the places that Kotlin found: three numbers of each, start, end and source, and its score. The types
 * are borrowed. */
static linnet_mask_given* given_of(JNIEnv* env, linnet_text types, jintArray sizes, jintArray places,
                                   jdoubleArray scores) {
  const jsize count = (*env)->GetArrayLength(env, sizes);
  linnet_mask_given* given = calloc((size_t)count + 1, sizeof *given);
  const char* at = types.bytes;
  for (jsize i = 0; given != NULL && i < count; ++i) {
    jint size = 0;
    jint place[3] = {0, 0, 0};
    (*env)->GetIntArrayRegion(env, sizes, i, 1, &size);
    (*env)->GetIntArrayRegion(env, places, 3 * i, 3, place);
    (*env)->GetDoubleArrayRegion(env, scores, i, 1, &given[i].score);
    given[i].type.bytes = at;
    given[i].type.size = (size_t)size;
    given[i].place.start = place[0];
    given[i].place.end = place[1];
    given[i].source = (linnet_mask_source)place[2];
    at += size;
  }
  return given;
}

LINNET_NATIVE(jlong, mask)(JNIEnv* env, jclass type, jlong masker, jlong session, jbyteArray text, jint mode,
                           jbyteArray types, jintArray sizes, jintArray places, jdoubleArray scores) {
  (void)type;
  java_text original = take(env, text);
  java_text names = {types, {NULL, 0}};
  linnet_mask_given* given = NULL;
  linnet_masked* masked = NULL;
  if (original.text.bytes != NULL) {
    names = take(env, types);
  }
  if (names.text.bytes != NULL) {
    given = given_of(env, names.text, sizes, places, scores);
  }
  if (given != NULL && !(*env)->ExceptionCheck(env)) {
    linnet_jni_failed(env, linnet_masker_mask((const linnet_masker*)(intptr_t)masker,
                                              (linnet_mask_session*)(intptr_t)session, original.text, given,
                                              (size_t)(*env)->GetArrayLength(env, sizes), LINNET_MASK_UTF16,
                                              (linnet_mask_mode)mode, &masked));
  } else {
    linnet_jni_throw_no_memory(env);
  }
  free(given);
  give_back(env, names);
  give_back(env, original);
  return (jlong)(intptr_t)masked;
}

static const linnet_answers* answers_of(jlong masked) {
  const linnet_answers* answers = NULL;
  (void)linnet_masked_answers((const linnet_masked*)(intptr_t)masked, &answers);
  return answers;
}

LINNET_NATIVE(jstring, maskedText)(JNIEnv* env, jclass type, jlong masked) {
  (void)type;
  linnet_text text = {NULL, 0};
  const linnet_status status = linnet_masked_text((const linnet_masked*)(intptr_t)masked, &text);
  return linnet_jni_failed(env, status) ? NULL : linnet_jni_string(env, text);
}

LINNET_NATIVE(jobjectArray, maskedTypes)(JNIEnv* env, jclass type, jlong masked) {
  (void)type;
  const linnet_answers* answers = answers_of(masked);
  const jsize count = (jsize)linnet_answers_count(answers);
  const jobjectArray types = (*env)->NewObjectArray(env, count, java.string.type, NULL);
  for (jsize i = 0; types != NULL && i < count; ++i) {
    linnet_answer answer;
    const jstring name = linnet_jni_failed(env, linnet_answers_get(answers, (size_t)i, &answer))
                             ? NULL
                             : linnet_jni_string(env, answer.label);
    if (name == NULL) {
      return NULL;
    }
    (*env)->SetObjectArrayElement(env, types, i, name);
    (*env)->DeleteLocalRef(env, name);
  }
  return types;
}

/* Start, end and source of each finding, and its score. */
LINNET_NATIVE(jdoubleArray, maskedPlaces)(JNIEnv* env, jclass type, jlong masked) {
  (void)type;
  const linnet_answers* answers = answers_of(masked);
  const jsize count = (jsize)linnet_answers_count(answers);
  const jdoubleArray places = (*env)->NewDoubleArray(env, 4 * count);
  for (jsize i = 0; places != NULL && i < count; ++i) {
    linnet_answer answer;
    if (linnet_jni_failed(env, linnet_answers_get(answers, (size_t)i, &answer))) {
      return NULL;
    }
    const jdouble row[] = {(jdouble)answer.utf16.start, (jdouble)answer.utf16.end, (jdouble)answer.index,
                           answer.score};
    (*env)->SetDoubleArrayRegion(env, places, 4 * i, 4, row);
  }
  return places;
}

LINNET_NATIVE(void, closeMasked)(JNIEnv* env, jclass type, jlong masked) {
  (void)env;
  (void)type;
  linnet_masked_free((linnet_masked*)(intptr_t)masked);
}

/* ---- sessions ----------------------------------------------------------------------------------- */

LINNET_NATIVE(jlong, openMaskSession)(JNIEnv* env, jclass type) {
  (void)type;
  linnet_mask_session* session = NULL;
  linnet_jni_failed(env, linnet_mask_session_create(&session));
  return (jlong)(intptr_t)session;
}

LINNET_NATIVE(jlong, loadMaskSession)(JNIEnv* env, jclass type, jbyteArray saved, jbyteArray key) {
  (void)type;
  java_text bytes = take(env, saved);
  java_text secret = {key, {NULL, 0}};
  linnet_mask_session* session = NULL;
  if (bytes.text.bytes != NULL) {
    secret = take(env, key);
  }
  if (secret.text.bytes != NULL) {
    linnet_jni_failed(env, linnet_mask_session_load(secret.text.bytes, secret.text.size, bytes.text.bytes,
                                                    bytes.text.size, &session));
  }
  give_back(env, secret);
  give_back(env, bytes);
  return (jlong)(intptr_t)session;
}

LINNET_NATIVE(void, closeMaskSession)(JNIEnv* env, jclass type, jlong session) {
  (void)env;
  (void)type;
  linnet_mask_session_free((linnet_mask_session*)(intptr_t)session);
}

LINNET_NATIVE(jint, maskSessionSize)(JNIEnv* env, jclass type, jlong session) {
  (void)env;
  (void)type;
  return (jint)linnet_mask_session_size((const linnet_mask_session*)(intptr_t)session);
}

LINNET_NATIVE(jbyteArray, saveMaskSession)(JNIEnv* env, jclass type, jlong session, jbyteArray key) {
  (void)type;
  java_text secret = take(env, key);
  linnet_masked* saved = NULL;
  linnet_text bytes = {NULL, 0};
  jbyteArray array = NULL;
  if (secret.text.bytes != NULL &&
      !linnet_jni_failed(env, linnet_mask_session_save((const linnet_mask_session*)(intptr_t)session,
                                                       secret.text.bytes, secret.text.size, &saved)) &&
      !linnet_jni_failed(env, linnet_masked_text(saved, &bytes))) {
    array = bytes_of(env, bytes);
  }
  linnet_masked_free(saved);
  give_back(env, secret);
  return array;
}

LINNET_NATIVE(jstring, unmask)(JNIEnv* env, jclass type, jlong session, jbyteArray text) {
  (void)type;
  java_text given = take(env, text);
  linnet_masked* plain = NULL;
  linnet_text result = {NULL, 0};
  jstring string = NULL;
  if (given.text.bytes != NULL &&
      !linnet_jni_failed(env, linnet_mask_session_unmask((const linnet_mask_session*)(intptr_t)session,
                                                         given.text, &plain)) &&
      !linnet_jni_failed(env, linnet_masked_text(plain, &result))) {
    string = linnet_jni_string(env, result);
  }
  linnet_masked_free(plain);
  give_back(env, given);
  return string;
}

LINNET_NATIVE(jlong, openUnmaskStream)(JNIEnv* env, jclass type, jlong session) {
  (void)type;
  linnet_unmask_stream* stream = NULL;
  linnet_jni_failed(env, linnet_unmask_stream_create((const linnet_mask_session*)(intptr_t)session, &stream));
  return (jlong)(intptr_t)stream;
}

LINNET_NATIVE(void, closeUnmaskStream)(JNIEnv* env, jclass type, jlong stream) {
  (void)env;
  (void)type;
  linnet_unmask_stream_free((linnet_unmask_stream*)(intptr_t)stream);
}

LINNET_NATIVE(jstring, pushMasked)(JNIEnv* env, jclass type, jlong stream, jbyteArray piece) {
  (void)type;
  java_text given = take(env, piece);
  linnet_text text = {NULL, 0};
  jstring string = NULL;
  if (given.text.bytes != NULL &&
      !linnet_jni_failed(
          env, linnet_unmask_stream_push((linnet_unmask_stream*)(intptr_t)stream, given.text, &text))) {
    string = linnet_jni_string(env, text);
  }
  give_back(env, given);
  return string;
}

LINNET_NATIVE(jstring, finishMasked)(JNIEnv* env, jclass type, jlong stream) {
  (void)type;
  linnet_text text = {NULL, 0};
  const linnet_status status = linnet_unmask_stream_finish((linnet_unmask_stream*)(intptr_t)stream, &text);
  return linnet_jni_failed(env, status) ? NULL : linnet_jni_string(env, text);
}
