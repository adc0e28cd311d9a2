/* JNI functions of dev.linnet.Native that need ExecuTorch: opening a file. */
#include <stdint.h>

#include "linnet_jni.h"

static void release_model(void* model) { linnet_model_free(model); }

static jlong opened(JNIEnv* env, linnet_status status, linnet_model* model) {
  linnet_peer peer = {NULL, {NULL, NULL}, model, release_model, NULL, NULL};
  if (status == LINNET_OK) {
    status = linnet_model_task(model, &peer.task);
  }
  if (status == LINNET_OK) {
    status = linnet_model_engine(model, &peer.engine);
  }
  if (status != LINNET_OK) {
    linnet_jni_throw(env, status);
    linnet_model_free(model);
    return 0;
  }
  return linnet_jni_peer(env, peer);
}

LINNET_NATIVE(jlong, openPath)(JNIEnv* env, jclass type, jbyteArray path, jint threads) {
  (void)type;
  const linnet_open_options options = {threads};
  linnet_model* model = NULL;
  jbyte* bytes = (*env)->GetByteArrayElements(env, path, NULL); /* ends with a zero */
  if (bytes == NULL) {
    return 0;
  }
  const linnet_status status = linnet_model_open((const char*)bytes, &options, &model);
  (*env)->ReleaseByteArrayElements(env, path, bytes, JNI_ABORT);
  return opened(env, status, model);
}

LINNET_NATIVE(jlong, openBytes)(JNIEnv* env, jclass type, jbyteArray file, jint threads) {
  (void)type;
  const linnet_open_options options = {threads};
  linnet_model* model = NULL;
  jbyte* bytes = (*env)->GetByteArrayElements(env, file, NULL);
  if (bytes == NULL) {
    return 0;
  }
  const linnet_status status =
      linnet_model_open_bytes(bytes, (size_t)(*env)->GetArrayLength(env, file), &options, &model);
  (*env)->ReleaseByteArrayElements(env, file, bytes, JNI_ABORT);
  return opened(env, status, model);
}
