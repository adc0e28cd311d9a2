/* JNI functions of dev.linnet.Native that need ExecuTorch: texts of a decoder. */
#include <stdint.h>

#include "linnet_jni.h"

static linnet_generation* text_of(jlong text) { return (linnet_generation*)(intptr_t)text; }

/* The model of a peer that openPath or openBytes made. */
static linnet_model* model_of(jlong handle) { return ((const linnet_peer*)(intptr_t)handle)->owner; }

LINNET_NATIVE(jlong, newText)(JNIEnv* env, jclass type, jlong handle, jint capacity) {
  (void)type;
  linnet_generation* made = NULL;
  linnet_jni_failed(env, linnet_generation_create(model_of(handle), capacity, &made));
  return (jlong)(intptr_t)made;
}

LINNET_NATIVE(jlong, loadText)(JNIEnv* env, jclass type, jlong handle, jbyteArray path, jint capacity) {
  (void)type;
  linnet_generation* made = NULL;
  jbyte* bytes = (*env)->GetByteArrayElements(env, path, NULL); /* ends with a zero */
  if (bytes != NULL) {
    linnet_jni_failed(env, linnet_generation_load(model_of(handle), (const char*)bytes, capacity, &made));
    (*env)->ReleaseByteArrayElements(env, path, bytes, JNI_ABORT);
  }
  return (jlong)(intptr_t)made;
}

LINNET_NATIVE(void, closeText)(JNIEnv* env, jclass type, jlong text) {
  (void)env;
  (void)type;
  linnet_generation_free(text_of(text));
}

LINNET_NATIVE(jint, textCapacity)(JNIEnv* env, jclass type, jlong text) {
  (void)env;
  (void)type;
  return (jint)linnet_generation_capacity(text_of(text));
}

LINNET_NATIVE(jlongArray, textTokens)(JNIEnv* env, jclass type, jlong text) {
  (void)type;
  const int64_t* ids = NULL;
  size_t count = 0;
  if (linnet_jni_failed(env, linnet_generation_tokens(text_of(text), &ids, &count))) {
    return NULL;
  }
  const jlongArray array = (*env)->NewLongArray(env, (jsize)count);
  if (array != NULL) {
    (*env)->SetLongArrayRegion(env, array, 0, (jsize)count, (const jlong*)ids);
  }
  return array;
}

LINNET_NATIVE(void, appendTokens)(JNIEnv* env, jclass type, jlong text, jlongArray ids) {
  (void)type;
  jlong* tokens = (*env)->GetLongArrayElements(env, ids, NULL);
  if (tokens != NULL) {
    linnet_jni_failed(env, linnet_generation_append(text_of(text), (const int64_t*)tokens,
                                                    (size_t)(*env)->GetArrayLength(env, ids)));
    (*env)->ReleaseLongArrayElements(env, ids, tokens, JNI_ABORT);
  }
}

/* With a constraint of 0, any token may be chosen. */
LINNET_NATIVE(jlong, sampleToken)(JNIEnv* env, jclass type, jlong text, jdoubleArray settings, jlong seed,
                                  jint prompt_tokens, jlong constraint, jint tokens_left,
                                  jfloatArray log_probability) {
  (void)type;
  const linnet_sampling sampling = linnet_jni_sampling(env, settings, seed);
  int64_t id = -1;
  jfloat logarithm = 0;
  const linnet_status status =
      constraint == 0
          ? linnet_generation_sample(text_of(text), &sampling, (size_t)prompt_tokens, &id, &logarithm)
          : linnet_generation_sample_constrained(text_of(text), &sampling,
                                                 (linnet_constraint*)(intptr_t)constraint,
                                                 (size_t)tokens_left, (size_t)prompt_tokens, &id, &logarithm);
  if (!linnet_jni_failed(env, status)) {
    (*env)->SetFloatArrayRegion(env, log_probability, 0, 1, &logarithm);
  }
  return id;
}

LINNET_NATIVE(jfloatArray, textLogits)(JNIEnv* env, jclass type, jlong text) {
  (void)type;
  const float* logits = NULL;
  size_t count = 0;
  if (linnet_jni_failed(env, linnet_generation_logits(text_of(text), &logits, &count))) {
    return NULL;
  }
  const jfloatArray array = (*env)->NewFloatArray(env, (jsize)count);
  if (array != NULL) {
    (*env)->SetFloatArrayRegion(env, array, 0, (jsize)count, logits);
  }
  return array;
}

LINNET_NATIVE(void, rewindText)(JNIEnv* env, jclass type, jlong text, jint length) {
  (void)type;
  linnet_jni_failed(env, linnet_generation_rewind(text_of(text), (size_t)length));
}

LINNET_NATIVE(void, setLookup)(JNIEnv* env, jclass type, jlong text, jint tokens) {
  (void)type;
  linnet_jni_failed(env, linnet_generation_set_lookup(text_of(text), (size_t)tokens));
}

/* Return how many tokens were guessed, and how many of them were appended. */
LINNET_NATIVE(jlongArray, lookup)(JNIEnv* env, jclass type, jlong text) {
  (void)type;
  size_t guessed = 0;
  size_t accepted = 0;
  if (linnet_jni_failed(env, linnet_generation_lookup(text_of(text), &guessed, &accepted))) {
    return NULL;
  }
  const jlong found[] = {(jlong)guessed, (jlong)accepted};
  const jlongArray array = (*env)->NewLongArray(env, 2);
  if (array != NULL) {
    (*env)->SetLongArrayRegion(env, array, 0, 2, found);
  }
  return array;
}

LINNET_NATIVE(jlong, forkText)(JNIEnv* env, jclass type, jlong text) {
  (void)type;
  linnet_generation* copy = NULL;
  linnet_jni_failed(env, linnet_generation_fork(text_of(text), &copy));
  return (jlong)(intptr_t)copy;
}

LINNET_NATIVE(void, saveText)(JNIEnv* env, jclass type, jlong text, jbyteArray path) {
  (void)type;
  jbyte* bytes = (*env)->GetByteArrayElements(env, path, NULL); /* ends with a zero */
  if (bytes != NULL) {
    linnet_jni_failed(env, linnet_generation_save(text_of(text), (const char*)bytes));
    (*env)->ReleaseByteArrayElements(env, path, bytes, JNI_ABORT);
  }
}
