// The model half of linnet.h: arguments checked, exceptions turned into a status.
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "c_api/model.h"
#include "linnet.h"
#include "per_thread.h"
#include "session/file_bytes.h"
#include "session/runtime.h"
#include "session/trailer.h"
#include "status.h"

struct linnet_outputs {
  std::vector<linnet::Output> tensors;
};

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

const linnet_value& field(const linnet_model& model, const char* name) {
  const linnet_value* value = model.session.fields().find(name);
  if (value == nullptr) {
    throw linnet::Error(LINNET_UNKNOWN_FIELD, std::string("the manifest has no field \"") + name + "\"");
  }
  return *value;
}

linnet_tokenizer* build_tokenizer(const linnet_model& model) {
  const std::string kind = model.session.fields().text("tokenizer_kind");
  if (kind != "wordpiece") {
    throw linnet::Error(
        LINNET_UNKNOWN_FIELD,
        "the tokenizer has kind \"" + kind +
            "\", this linnet has wordpiece built in; pass token ids to linnet_model_run, or read "
            "the file in Python with: pip install \"linnet[tokenizers]\"");
  }
  const linnet_value& bytes = field(model, "tokenizer");
  linnet_tokenizer* tokenizer = nullptr;
  const linnet_status status = linnet_tokenizer_create(bytes.bytes, bytes.size, &tokenizer);
  if (status != LINNET_OK) {
    throw linnet::Error(status, linnet_last_error(), linnet_last_executorch_error());
  }
  return tokenizer;
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
    *model = std::make_unique<linnet_model>(linnet::FileBytes::copy(bytes, size), wanted_threads(options))
                 .release();
  });
}

extern "C" void linnet_model_free(linnet_model* model) { delete model; }

extern "C" linnet_status linnet_model_value(const linnet_model* model, const char* name,
                                            linnet_value* value) {
  return linnet::guarded([&] {
    require(model != nullptr && name != nullptr && value != nullptr, "model, name or value is NULL");
    *value = field(*model, name);
  });
}

extern "C" const char* linnet_model_fields(const linnet_model* model) {
  return model == nullptr ? "" : model->session.fields().names().c_str();
}

extern "C" linnet_status linnet_model_evidence(const linnet_model* model, const char** json, size_t* size) {
  return linnet::guarded([&] {
    require(model != nullptr && json != nullptr && size != nullptr, "model, json or size is NULL");
    const linnet::ByteView evidence = model->session.evidence();
    *json = reinterpret_cast<const char*>(evidence.data());
    *size = evidence.size();
  });
}

extern "C" linnet_status linnet_model_tokenizer(const linnet_model* model,
                                                const linnet_tokenizer** tokenizer) {
  return linnet::guarded([&] {
    require(model != nullptr && tokenizer != nullptr, "model or tokenizer is NULL");
    const std::lock_guard<std::mutex> lock(model->tokenizer_mutex);
    if (model->tokenizer == nullptr) {
      model->tokenizer = build_tokenizer(*model);
    }
    *tokenizer = model->tokenizer;
  });
}

extern "C" linnet_status linnet_model_run(linnet_model* model, const char* method,
                                          const linnet_tensor* inputs, size_t input_count,
                                          linnet_outputs** outputs) {
  return linnet::guarded([&] {
    require(model != nullptr && method != nullptr && outputs != nullptr, "model, method or outputs is NULL");
    auto result = std::make_unique<linnet_outputs>();
    result->tensors = model->session.run(method, inputs, input_count);
    *outputs = result.release();
  });
}

extern "C" linnet_status linnet_model_set_fused(linnet_model* model, linnet_fused when) {
  return linnet::guarded([&] {
    require(model != nullptr, "model is NULL");
    require(when >= LINNET_FUSED_NEVER && when <= LINNET_FUSED_ALWAYS, "when is no linnet_fused");
    model->session.set_fused(when);
  });
}

extern "C" size_t linnet_outputs_count(const linnet_outputs* outputs) {
  return outputs == nullptr ? 0 : outputs->tensors.size();
}

extern "C" linnet_status linnet_outputs_tensor(const linnet_outputs* outputs, size_t index,
                                               linnet_tensor* tensor) {
  return linnet::guarded([&] {
    require(outputs != nullptr && tensor != nullptr, "outputs or tensor is NULL");
    require(index < outputs->tensors.size(), "index is not below linnet_outputs_count()");
    const linnet::Output& output = outputs->tensors[index];
    *tensor = {output.dtype, static_cast<std::int32_t>(output.shape.size()), {}, output.bytes.data()};
    for (std::size_t i = 0; i < output.shape.size(); ++i) {
      tensor->shape[i] = output.shape[i];
    }
  });
}

extern "C" void linnet_outputs_free(linnet_outputs* outputs) { delete outputs; }

extern "C" linnet_status linnet_file_verify(const char* path) {
  return linnet::guarded([&] {
    require(path != nullptr, "path is NULL");
    const auto file = linnet::FileBytes::map(path);
    const linnet::Trailer trailer = linnet::read_trailer(file->view(), file->name());
    linnet::check_structure(trailer, file->name());
    linnet::check_file(trailer, file->name());
  });
}
