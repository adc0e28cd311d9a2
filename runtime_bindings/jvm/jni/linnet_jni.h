/* What the two halves of the JNI code share. */
#ifndef LINNET_JNI_H_
#define LINNET_JNI_H_

#include <jni.h>

#include "linnet.h"

/* Behind a Kotlin `Linnet`: a model of linnet's own, or a task with an engine written in Kotlin or Java. */
typedef struct {
  const linnet_task* task;
  linnet_engine engine;
  void* owner;            /* a linnet_model or a linnet_task */
  void (*release)(void*); /* frees the owner */
  JavaVM* vm;             /* these two: NULL unless the engine is Java's */
  jobject java_engine;
} linnet_peer;

#define LINNET_NATIVE(type, name) JNIEXPORT type JNICALL Java_dev_linnet_Native_##name

/* Throws dev.linnet.LinnetException with the last error, unless Java has an exception waiting. */
void linnet_jni_throw(JNIEnv* env, linnet_status status);
/* Hands a new peer to Kotlin; frees what it holds and throws if memory runs out. */
jlong linnet_jni_peer(JNIEnv* env, linnet_peer peer);

#endif
