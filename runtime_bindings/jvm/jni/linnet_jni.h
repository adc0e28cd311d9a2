/* Shared declarations of the JNI code: the native object behind a Kotlin `Linnet`. */
#ifndef LINNET_JNI_H_
#define LINNET_JNI_H_

#include <jni.h>

#include "linnet.h"

/* What a Kotlin `Linnet` refers to: a model of linnet, or a task with an engine written in Kotlin or Java. */
typedef struct {
  const linnet_task* task;
  linnet_engine engine;
  void* owner;            /* a linnet_model or a linnet_task */
  void (*release)(void*); /* frees the owner */
  JavaVM* vm;             /* this and java_engine: NULL unless the engine is written in Java */
  jobject java_engine;
} linnet_peer;

#define LINNET_NATIVE(type, name) JNIEXPORT type JNICALL Java_dev_linnet_Native_##name

/* Throw dev.linnet.LinnetException with the last error, unless Java has an exception waiting. */
void linnet_jni_throw(JNIEnv* env, linnet_status status);
/* Return 1 if an exception waits: one thrown here for the status, or one that Java threw before. */
int linnet_jni_failed(JNIEnv* env, linnet_status status);
/* Throw dev.linnet.LinnetException of LINNET_OUT_OF_MEMORY, unless Java has an exception waiting. */
void linnet_jni_throw_no_memory(JNIEnv* env);
/* Make a String; NULL with an exception waiting. */
jstring linnet_jni_string(JNIEnv* env, linnet_text text);
/* Read `linnet_sampling` from the numbers that Native.sampling gives, and a seed. */
linnet_sampling linnet_jni_sampling(JNIEnv* env, jdoubleArray settings, jlong seed);
/* Copy a new peer and return the handle for Kotlin, which frees it by Native.close. If memory runs out, free
 * what it holds, throw, and return 0. */
jlong linnet_jni_peer(JNIEnv* env, linnet_peer peer);

#endif
