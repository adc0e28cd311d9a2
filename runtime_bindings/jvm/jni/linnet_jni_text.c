/* JNI functions of dev.linnet.Native for generated text that need no ExecuTorch: streams of text, prompts of
 * conversations, the choice of a token, constraints. */
#include <stdint.h>
#include <stdlib.h>

#include "linnet_jni.h"

static const linnet_task* task_of(jlong handle) { return ((const linnet_peer*)(intptr_t)handle)->task; }

/* ---- streams of text ---------------------------------------------------------------------------- */

LINNET_NATIVE(jlong, openTextStream)(JNIEnv* env, jclass type, jlong handle, jint skip_special) {
  (void)type;
  const linnet_tokenizer* tokenizer = NULL;
  linnet_text_stream* stream = NULL;
  if (linnet_jni_failed(env, linnet_task_tokenizer(task_of(handle), &tokenizer)) ||
      linnet_jni_failed(env, linnet_text_stream_create(tokenizer, skip_special, &stream))) {
    return 0;
  }
  return (jlong)(intptr_t)stream;
}

LINNET_NATIVE(void, closeTextStream)(JNIEnv* env, jclass type, jlong stream) {
  (void)env;
  (void)type;
  linnet_text_stream_free((linnet_text_stream*)(intptr_t)stream);
}

LINNET_NATIVE(jstring, pushToken)(JNIEnv* env, jclass type, jlong stream, jlong id) {
  (void)type;
  linnet_text text = {NULL, 0};
  const linnet_status status = linnet_text_stream_push((linnet_text_stream*)(intptr_t)stream, id, &text);
  return linnet_jni_failed(env, status) ? NULL : linnet_jni_string(env, text);
}

LINNET_NATIVE(jstring, finishStream)(JNIEnv* env, jclass type, jlong stream) {
  (void)type;
  linnet_text text = {NULL, 0};
  const linnet_status status = linnet_text_stream_finish((linnet_text_stream*)(intptr_t)stream, &text);
  return linnet_jni_failed(env, status) ? NULL : linnet_jni_string(env, text);
}

/* ---- sampling ----------------------------------------------------------------------------------- */

enum { kSettings = 7 };

LINNET_NATIVE(jdoubleArray, sampling)(JNIEnv* env, jclass type, jlong handle) {
  (void)type;
  linnet_sampling found;
  if (linnet_jni_failed(env, linnet_task_sampling(task_of(handle), &found))) {
    return NULL;
  }
  const jdouble settings[kSettings] = {(jdouble)found.temperature,
                                       (jdouble)found.top_k,
                                       (jdouble)found.top_p,
                                       (jdouble)found.min_p,
                                       (jdouble)found.repetition_penalty,
                                       (jdouble)found.presence_penalty,
                                       (jdouble)found.frequency_penalty};
  const jdoubleArray array = (*env)->NewDoubleArray(env, kSettings);
  if (array != NULL) {
    (*env)->SetDoubleArrayRegion(env, array, 0, kSettings, settings);
  }
  return array;
}

linnet_sampling linnet_jni_sampling(JNIEnv* env, jdoubleArray settings, jlong seed) {
  jdouble given[kSettings] = {0};
  (*env)->GetDoubleArrayRegion(env, settings, 0, kSettings, given);
  const linnet_sampling sampling = {(float)given[0], (int32_t)given[1], (float)given[2], (float)given[3],
                                    (float)given[4], (float)given[5],   (float)given[6], (uint64_t)seed};
  return sampling;
}

static linnet_constraint* constraint_of(jlong constraint) { return (linnet_constraint*)(intptr_t)constraint; }

/* With a constraint of 0, any token may be chosen. */
LINNET_NATIVE(jlong, chooseToken)(JNIEnv* env, jclass type, jfloatArray logits, jlongArray ids,
                                  jint prompt_tokens, jdoubleArray settings, jlong seed, jlong constraint,
                                  jint tokens_left, jfloatArray log_probability) {
  (void)type;
  const linnet_sampling sampling = linnet_jni_sampling(env, settings, seed);
  jfloat* numbers = (*env)->GetFloatArrayElements(env, logits, NULL);
  jlong* tokens = numbers == NULL ? NULL : (*env)->GetLongArrayElements(env, ids, NULL);
  int64_t id = -1;
  jfloat logarithm = 0;
  if (tokens != NULL) {
    const size_t size = (size_t)(*env)->GetArrayLength(env, logits);
    const size_t count = (size_t)(*env)->GetArrayLength(env, ids);
    const linnet_status status =
        constraint == 0 ? linnet_choose_token(&sampling, numbers, size, (const int64_t*)tokens, count,
                                              (size_t)prompt_tokens, &id, &logarithm)
                        : linnet_constraint_choose_token(constraint_of(constraint), (size_t)tokens_left,
                                                         &sampling, numbers, size, (const int64_t*)tokens,
                                                         count, (size_t)prompt_tokens, &id, &logarithm);
    linnet_jni_failed(env, status);
    (*env)->ReleaseLongArrayElements(env, ids, tokens, JNI_ABORT);
  }
  if (numbers != NULL) {
    (*env)->ReleaseFloatArrayElements(env, logits, numbers, JNI_ABORT);
  }
  if (!(*env)->ExceptionCheck(env)) {
    (*env)->SetFloatArrayRegion(env, log_probability, 0, 1, &logarithm);
  }
  return id;
}

LINNET_NATIVE(jboolean, isEnd)(JNIEnv* env, jclass type, jlong handle, jlong id) {
  (void)env;
  (void)type;
  return (jboolean)(linnet_task_is_end(task_of(handle), id) != 0);
}

/* ---- conversations ------------------------------------------------------------------------------ */

/* Split texts that stand one behind the other, role and content of each message; NULL if memory runs out. */
static linnet_message* messages_of(const jbyte* texts, const jint* sizes, size_t count) {
  linnet_message* messages = calloc(count + 1, sizeof *messages);
  const char* at = (const char*)texts;
  for (size_t i = 0; messages != NULL && i < count; ++i) {
    linnet_text* parts[] = {&messages[i].role, &messages[i].content};
    for (size_t part = 0; part < 2; ++part) {
      parts[part]->bytes = at;
      parts[part]->size = (size_t)sizes[2 * i + part];
      at += parts[part]->size;
    }
  }
  return messages;
}

static jstring prompt_of(JNIEnv* env, const linnet_task* task, const linnet_message* messages, size_t count,
                         jint generation) {
  linnet_text prompt = {NULL, 0};
  if (linnet_jni_failed(env,
                        linnet_task_chat_prompt(task, messages, count, generation, NULL, 0, &prompt.size))) {
    return NULL;
  }
  char* text = malloc(prompt.size + 1);
  if (text == NULL) {
    linnet_jni_throw_no_memory(env);
    return NULL;
  }
  prompt.bytes = text;
  const linnet_status status =
      linnet_task_chat_prompt(task, messages, count, generation, text, prompt.size, &prompt.size);
  const jstring string = linnet_jni_failed(env, status) ? NULL : linnet_jni_string(env, prompt);
  free(text);
  return string;
}

LINNET_NATIVE(jstring, chatPrompt)(JNIEnv* env, jclass type, jlong handle, jbyteArray texts, jintArray sizes,
                                   jint generation) {
  (void)type;
  const size_t count = (size_t)(*env)->GetArrayLength(env, sizes) / 2;
  jbyte* bytes = (*env)->GetByteArrayElements(env, texts, NULL);
  jint* lengths = bytes == NULL ? NULL : (*env)->GetIntArrayElements(env, sizes, NULL);
  linnet_message* messages = lengths == NULL ? NULL : messages_of(bytes, lengths, count);
  jstring prompt = NULL;
  if (messages != NULL) {
    prompt = prompt_of(env, task_of(handle), messages, count, generation);
  } else {
    linnet_jni_throw_no_memory(env);
  }
  free(messages);
  if (lengths != NULL) {
    (*env)->ReleaseIntArrayElements(env, sizes, lengths, JNI_ABORT);
  }
  if (bytes != NULL) {
    (*env)->ReleaseByteArrayElements(env, texts, bytes, JNI_ABORT);
  }
  return prompt;
}

/* ---- constraints -------------------------------------------------------------------------------- */

/* Split texts that stand one behind the other; NULL if memory runs out. */
static linnet_text* texts_of(const jbyte* texts, const jint* sizes, size_t count) {
  linnet_text* parts = calloc(count + 1, sizeof *parts);
  const char* at = (const char*)texts;
  for (size_t i = 0; parts != NULL && i < count; ++i) {
    parts[i].bytes = at;
    parts[i].size = (size_t)sizes[i];
    at += parts[i].size;
  }
  return parts;
}

LINNET_NATIVE(jlong, openConstraint)(JNIEnv* env, jclass type, jlong handle, jint kind, jbyteArray texts,
                                     jintArray sizes) {
  (void)type;
  const size_t count = (size_t)(*env)->GetArrayLength(env, sizes);
  jbyte* bytes = (*env)->GetByteArrayElements(env, texts, NULL);
  jint* lengths = bytes == NULL ? NULL : (*env)->GetIntArrayElements(env, sizes, NULL);
  linnet_text* parts = lengths == NULL ? NULL : texts_of(bytes, lengths, count);
  linnet_constraint* made = NULL;
  if (parts != NULL) {
    linnet_jni_failed(
        env, linnet_constraint_create(task_of(handle), (linnet_constraint_kind)kind, parts, count, &made));
  } else {
    linnet_jni_throw_no_memory(env);
  }
  free(parts);
  if (lengths != NULL) {
    (*env)->ReleaseIntArrayElements(env, sizes, lengths, JNI_ABORT);
  }
  if (bytes != NULL) {
    (*env)->ReleaseByteArrayElements(env, texts, bytes, JNI_ABORT);
  }
  return (jlong)(intptr_t)made;
}

LINNET_NATIVE(void, closeConstraint)(JNIEnv* env, jclass type, jlong constraint) {
  (void)env;
  (void)type;
  linnet_constraint_free(constraint_of(constraint));
}

LINNET_NATIVE(void, advanceConstraint)(JNIEnv* env, jclass type, jlong constraint, jlong id) {
  (void)type;
  linnet_jni_failed(env, linnet_constraint_advance(constraint_of(constraint), id));
}

/* Return the least number of tokens that complete the text; -1 if it is finished. */
LINNET_NATIVE(jlong, constraintLeft)(JNIEnv* env, jclass type, jlong constraint) {
  (void)type;
  linnet_constraint_progress progress = {0, 0, 0};
  linnet_jni_failed(env, linnet_constraint_read_progress(constraint_of(constraint), &progress));
  return progress.finished != 0 ? -1 : (jlong)progress.least_tokens;
}
