// C ABI, model: arguments are checked, exceptions become a status.
#include <memory>
#include <vector>

#include "c_api/model_handle.h"
#include "file/file_bytes.h"
#include "linnet.h"
#include "per_thread.h"
#include "program/runtime.h"
#include "status.h"

namespace {

struct RuntimeInfo {
  std::string text;
};

void require(bool condition, const char* message) {
  if (!condition) {
    throw linnet::Error(LINNET_INVALID_ARGUMENT, message);
  }
}

std::int32_t wanted_threads(const linnet_open_options* options) {
  return options == nullptr ? 0 : options->threads;
}

}  // namespace

extern "C" const char* linnet_runtime_info(void) {
  auto* const kept = linnet::PerThread<RuntimeInfo>::find();
  if (kept == nullptr) {
    return "";
  }
  const linnet_status status = linnet::guarded([&] { kept->text = linnet::runtime_info(); });
  return status == LINNET_OK ? kept->text.c_str() : "";
}

extern "C" linnet_status linnet_model_open(const char* path, const linnet_open_options* options,
                                           linnet_model** model) {
  return linnet::guarded([&] {
    require(path != nullptr && model != nullptr, "path or model is NULL");
    *model = std::make_unique<linnet_model>(linnet::FileBytes::map(path), wanted_threads(options)).release();
  });
}

extern "C" linnet_status linnet_model_open_bytes(const void* bytes, size_t size,
                                                 const linnet_open_options* options, linnet_model** model) {
  return linnet::guarded([&] {
    require(bytes != nullptr && model != nullptr, "bytes or model is NULL");
    linnet::c_api::view_of(bytes, size, "bytes");
    *model = std::make_unique<linnet_model>(linnet::FileBytes::copy(bytes, size), wanted_threads(options))
                 .release();
  });
}

extern "C" void linnet_model_free(linnet_model* model) { delete model; }

extern "C" linnet_status linnet_model_value(const linnet_model* model, const char* name,
                                            linnet_value* value) {
  return linnet_task_value(model == nullptr ? nullptr : &model->task, name, value);
}

extern "C" const char* linnet_model_fields(const linnet_model* model) {
  return model == nullptr ? "" : model->program.fields().names().c_str();
}

extern "C" const char* linnet_model_methods(const linnet_model* model) {
  return model == nullptr ? "" : model->program.methods().c_str();
}

extern "C" linnet_status linnet_model_evidence(const linnet_model* model, const char** json, size_t* size) {
  return linnet::guarded([&] {
    require(model != nullptr && json != nullptr && size != nullptr, "model, json or size is NULL");
    const linnet::ByteView evidence = model->program.evidence();
    *json = reinterpret_cast<const char*>(evidence.data());
    *size = evidence.size();
  });
}

extern "C" linnet_status linnet_model_tokenizer(const linnet_model* model,
                                                const linnet_tokenizer** tokenizer) {
  return linnet_task_tokenizer(model == nullptr ? nullptr : &model->task, tokenizer);
}

extern "C" linnet_status linnet_model_task(const linnet_model* model, const linnet_task** task) {
  return linnet::guarded([&] {
    require(model != nullptr && task != nullptr, "model or task is NULL");
    *task = &model->task;
  });
}

extern "C" linnet_status linnet_model_engine(linnet_model* model, linnet_engine* engine) {
  return linnet::guarded([&] {
    require(model != nullptr && engine != nullptr, "model or engine is NULL");
    engine->context = model;
    engine->run = [](void* context, const char* method, const linnet_tensor* inputs, size_t input_count,
                     linnet_outputs** outputs) {
      return linnet_model_run(static_cast<linnet_model*>(context), method, inputs, input_count, outputs);
    };
  });
}

extern "C" linnet_status linnet_model_run(linnet_model* model, const char* method,
                                          const linnet_tensor* inputs, size_t input_count,
                                          linnet_outputs** outputs) {
  return linnet::guarded([&] {
    require(model != nullptr && method != nullptr && outputs != nullptr, "model, method or outputs is NULL");
    auto result = std::make_unique<linnet_outputs>();
    result->tensors = model->program.run(method, inputs, input_count);
    *outputs = result.release();
  });
}

extern "C" linnet_status linnet_model_set_activation_bits(linnet_model* model, int32_t bits) {
  return linnet::guarded([&] {
    linnet::c_api::require_pointer(model, "model");
    model->program.set_activation_bits(bits);
  });
}

extern "C" linnet_status linnet_model_activation_bits(linnet_model* model, int32_t* bits) {
  return linnet::guarded([&] {
    linnet::c_api::require_pointer(model, "model");
    linnet::c_api::require_pointer(bits, "bits");
    *bits = model->program.activation_bits();
  });
}

extern "C" linnet_status linnet_model_set_fused(linnet_model* model, linnet_fused when) {
  return linnet::guarded([&] {
    require(model != nullptr, "model is NULL");
    linnet::c_api::require_enum(when, LINNET_FUSED_ALWAYS, "when");
    model->program.set_fused(when);
  });
}
