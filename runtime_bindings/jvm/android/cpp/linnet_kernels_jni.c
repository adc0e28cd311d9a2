/* JNI function of liblinnet_kernels.so: the name of the kernels. */
#include <jni.h>
#include <stddef.h>

#include "linnet_kernels.h"

JNIEXPORT jstring JNICALL Java_dev_linnet_android_Kernels_chosen(JNIEnv* env, jobject self);

JNIEXPORT jstring JNICALL Java_dev_linnet_android_Kernels_chosen(JNIEnv* env, jobject self) {
  (void)self;
  const char* name = linnet_kernels_name();
  return name == NULL ? NULL : (*env)->NewStringUTF(env, name);
}
