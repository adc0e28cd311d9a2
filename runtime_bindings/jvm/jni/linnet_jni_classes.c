/* Lookup of Java and Kotlin classes, constructors and fields by name. */
#include "linnet_jni_classes.h"

#include <stddef.h>

java_names java;

/* Classes, and the constructors that native code calls. A shrinker of Android apps sees neither used, so
 * android/consumer-rules.pro keeps them and the fields below; a test compares the two files. */
static const struct {
  java_class* into;
  const char* name;
  const char* constructor; /* NULL: native code never makes one */
} kClasses[] = {
    {&java.exception, "dev/linnet/LinnetException", "(I[BI)V"},
    {&java.string, "java/lang/String", "([BLjava/nio/charset/Charset;)V"},
    {&java.byte_array, "[B", NULL},
    {&java.long_array, "[J", NULL},
    {&java.classification, "dev/linnet/Classification", "(Ljava/lang/String;FI)V"},
    {&java.entity, "dev/linnet/Entity", "(Ljava/lang/String;FLjava/lang/String;II)V"},
    {&java.answer, "dev/linnet/Answer", "(Ljava/lang/String;DII)V"},
    {&java.mask_proposal, "dev/linnet/MaskProposal", "(Ljava/lang/String;FJLjava/lang/String;I)V"},
    {&java.tokens, "dev/linnet/Tokens", "([J[J[I[J[J[JZ)V"},
    {&java.field_value, "dev/linnet/FieldValue", "(IJD[B)V"},
    {&java.tensor, "dev/linnet/Tensor", NULL},
    {&java.engine, "dev/linnet/EngineAdapter", NULL},
};

/* Fields that native code reads. */
static const struct {
  jfieldID* into;
  const java_class* owner;
  const char* name;
  const char* type;
} kFields[] = {
    {&java.value_type, &java.field_value, "type", "I"},
    {&java.value_integer, &java.field_value, "integer", "J"},
    {&java.value_real, &java.field_value, "real", "D"},
    {&java.value_bytes, &java.field_value, "bytes", "[B"},
    {&java.tensor_shape, &java.tensor, "shape", "[J"},
    {&java.tensor_data, &java.tensor, "data", "[F"},
};

enum { kClassCount = sizeof kClasses / sizeof kClasses[0], kFieldCount = sizeof kFields / sizeof kFields[0] };

/* Replace a local reference by a global one, which the caller deletes; NULL if `local` is NULL or memory runs
 * out. */
static jobject keep(JNIEnv* env, jobject local) {
  const jobject global = local == NULL ? NULL : (*env)->NewGlobalRef(env, local);
  (*env)->DeleteLocalRef(env, local);
  return global;
}

static int find_class(JNIEnv* env, java_class* into, const char* name, const char* constructor) {
  into->type = (jclass)keep(env, (*env)->FindClass(env, name));
  if (into->type == NULL || constructor == NULL) {
    return into->type != NULL;
  }
  into->make = (*env)->GetMethodID(env, into->type, "<init>", constructor);
  return into->make != NULL;
}

static int find_utf8(JNIEnv* env) {
  const jclass charsets = (*env)->FindClass(env, "java/nio/charset/StandardCharsets");
  const jfieldID field = charsets == NULL
                             ? NULL
                             : (*env)->GetStaticFieldID(env, charsets, "UTF_8", "Ljava/nio/charset/Charset;");
  java.utf8 = field == NULL ? NULL : keep(env, (*env)->GetStaticObjectField(env, charsets, field));
  return java.utf8 != NULL;
}

int linnet_jni_find_classes(JNIEnv* env) {
  for (size_t i = 0; i < kClassCount; ++i) {
    if (!find_class(env, kClasses[i].into, kClasses[i].name, kClasses[i].constructor)) {
      return 0;
    }
  }
  for (size_t i = 0; i < kFieldCount; ++i) {
    *kFields[i].into = (*env)->GetFieldID(env, kFields[i].owner->type, kFields[i].name, kFields[i].type);
    if (*kFields[i].into == NULL) {
      return 0;
    }
  }
  java.run = (*env)->GetMethodID(env, java.engine.type, "run", "([[J)[Ldev/linnet/Tensor;");
  return java.run != NULL && find_utf8(env);
}

void linnet_jni_release_classes(JNIEnv* env) {
  for (size_t i = 0; i < kClassCount; ++i) {
    (*env)->DeleteGlobalRef(env, kClasses[i].into->type);
  }
  (*env)->DeleteGlobalRef(env, java.utf8);
}
