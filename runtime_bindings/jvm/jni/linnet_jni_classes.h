/* Table of the Java and Kotlin classes, constructors and fields that the JNI code uses. */
#ifndef LINNET_JNI_CLASSES_H_
#define LINNET_JNI_CLASSES_H_

#include <jni.h>

typedef struct {
  jclass type;    /* a global reference, which keeps `make` and the field ids of the class valid */
  jmethodID make; /* its constructor; NULL for a class that native code never makes */
} java_class;

typedef struct {
  java_class exception, string, byte_array, long_array;
  java_class classification, entity, answer, mask_proposal, tokens;
  java_class field_value, tensor, engine;
  jobject utf8;  /* StandardCharsets.UTF_8, a global reference */
  jmethodID run; /* EngineAdapter.run */
  jfieldID value_type, value_integer, value_real, value_bytes, tensor_shape, tensor_data;
} java_names;

/* Filled by JNI_OnLoad before any other call, and only read after that: threads need no lock. */
extern java_names java;

/* Look up everything in `java`. Return 1, or 0 with an exception waiting. Only JNI_OnLoad may call it: there
 * FindClass sees the app's classes, which it does not on a thread that native code attached. */
int linnet_jni_find_classes(JNIEnv* env);
/* Delete the global references of `java`. */
void linnet_jni_release_classes(JNIEnv* env);

#endif
