// C ABI, task: manifest, outputs, answers.
#include <cstring>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "c_api/handles.h"
#include "file/fields.h"
#include "linnet.h"
#include "status.h"

using linnet::c_api::require_array;
using linnet::c_api::require_enum;
using linnet::c_api::require_pointer;
using linnet::c_api::text_of;

namespace {

std::size_t item_size(linnet_dtype dtype) {
  switch (dtype) {
    case LINNET_INT64:
      return sizeof(std::int64_t);
    case LINNET_INT32:
    case LINNET_FLOAT32:
      return sizeof(float);
    case LINNET_BOOLEAN:
      return sizeof(bool);
  }
  throw linnet::Error(LINNET_INVALID_ARGUMENT, "a tensor has no dtype of linnet.h");
}

// Return the size of a tensor in bytes. Throw LINNET_INVALID_ARGUMENT for a rank or extent that is
// impossible, or a product that is larger than any memory.
std::size_t byte_size(const linnet_tensor& tensor) {
  constexpr std::uint64_t kLargest = std::uint64_t{1} << 40U;
  if (tensor.rank < 0 || tensor.rank > LINNET_MAX_RANK) {
    throw linnet::Error(LINNET_INVALID_ARGUMENT, "a tensor has rank " + std::to_string(tensor.rank));
  }
  std::uint64_t size = item_size(tensor.dtype);
  for (std::int32_t i = 0; i < tensor.rank; ++i) {
    if (tensor.shape[i] < 0 || static_cast<std::uint64_t>(tensor.shape[i]) > kLargest) {
      throw linnet::Error(LINNET_INVALID_ARGUMENT,
                          "a tensor has the extent " + std::to_string(tensor.shape[i]));
    }
    size *= static_cast<std::uint64_t>(tensor.shape[i]);
    if (size > kLargest) {
      throw linnet::Error(LINNET_INVALID_ARGUMENT, "a tensor is larger than memory");
    }
  }
  return static_cast<std::size_t>(size);
}

linnet::Output copy_of(const linnet_tensor& tensor) {
  require_enum(tensor.dtype, LINNET_BOOLEAN, "dtype of a tensor");
  linnet::Output output;
  output.dtype = tensor.dtype;
  const std::size_t size = byte_size(tensor);
  output.shape.assign(tensor.shape, tensor.shape + tensor.rank);
  output.bytes.resize(size);
  if (size > 0) {
    require_pointer(tensor.data, "data of a tensor");
    std::memcpy(output.bytes.data(), tensor.data, size);
  }
  return output;
}

}  // namespace

extern "C" linnet_status linnet_task_create(const linnet_field* fields, size_t count, linnet_task** task) {
  return linnet::guarded([&] {
    require_pointer(task, "task");
    require_array(fields, count, "fields");
    auto kept = std::make_unique<linnet::Fields>();
    for (std::size_t i = 0; i < count; ++i) {
      require_pointer(fields[i].name, "name of a field");
      require_enum(fields[i].value.type, LINNET_BYTES, fields[i].name);
      if (fields[i].value.type == LINNET_STRING || fields[i].value.type == LINNET_BYTES) {
        require_array(fields[i].value.bytes, fields[i].value.size, fields[i].name);
      }
      kept->copy(fields[i].name, fields[i].value);
    }
    linnet::check_manifest(*kept, "the manifest");
    *task = new linnet_task(std::unique_ptr<const linnet::Fields>(std::move(kept)));
  });
}

extern "C" void linnet_task_free(linnet_task* task) { delete task; }

extern "C" linnet_status linnet_task_value(const linnet_task* task, const char* name, linnet_value* value) {
  return linnet::guarded([&] {
    require_pointer(task, "task");
    require_pointer(name, "name");
    require_pointer(value, "value");
    const linnet_value* found = task->value.fields().find(name);
    if (found == nullptr) {
      throw linnet::Error(LINNET_UNKNOWN_FIELD, std::string("the manifest has no field \"") + name + "\"");
    }
    *value = *found;
  });
}

extern "C" linnet_status linnet_task_tokenizer(const linnet_task* task, const linnet_tokenizer** tokenizer) {
  return linnet::guarded([&] {
    require_pointer(task, "task");
    require_pointer(tokenizer, "tokenizer");
    const std::shared_ptr<const linnet::Tokenizer>& built = task->value.tokenizer();
    const std::lock_guard<std::mutex> lock(task->mutex);
    if (task->tokenizer == nullptr) {
      task->tokenizer = std::make_unique<linnet_tokenizer>(built);
    }
    *tokenizer = task->tokenizer.get();
  });
}

extern "C" size_t linnet_task_label_count(const linnet_task* task) {
  return task == nullptr ? 0 : task->value.labels().size();
}

extern "C" linnet_status linnet_task_label(const linnet_task* task, size_t index, linnet_text* label) {
  return linnet::guarded([&] {
    require_pointer(task, "task");
    require_pointer(label, "label");
    if (index >= task->value.labels().size()) {
      throw linnet::Error(LINNET_INVALID_ARGUMENT, "there is no label " + std::to_string(index) +
                                                       "; the file has " +
                                                       std::to_string(task->value.labels().size()));
    }
    *label = text_of(task->value.labels()[index]);
  });
}

extern "C" linnet_status linnet_outputs_create(const linnet_tensor* tensors, size_t count,
                                               linnet_outputs** outputs) {
  return linnet::guarded([&] {
    require_pointer(outputs, "outputs");
    require_array(tensors, count, "tensors");
    auto made = std::make_unique<linnet_outputs>();
    for (std::size_t i = 0; i < count; ++i) {
      made->tensors.push_back(copy_of(tensors[i]));
    }
    *outputs = made.release();
  });
}

extern "C" size_t linnet_outputs_count(const linnet_outputs* outputs) {
  return outputs == nullptr ? 0 : outputs->tensors.size();
}

extern "C" linnet_status linnet_outputs_tensor(const linnet_outputs* outputs, size_t index,
                                               linnet_tensor* tensor) {
  return linnet::guarded([&] {
    require_pointer(outputs, "outputs");
    require_pointer(tensor, "tensor");
    if (index >= outputs->tensors.size()) {
      throw linnet::Error(LINNET_INVALID_ARGUMENT, "index is not below linnet_outputs_count()");
    }
    const linnet::Output& output = outputs->tensors[index];
    *tensor = {output.dtype, static_cast<std::int32_t>(output.shape.size()), {}, output.bytes.data()};
    for (std::size_t i = 0; i < output.shape.size(); ++i) {
      tensor->shape[i] = output.shape[i];
    }
  });
}

extern "C" void linnet_outputs_free(linnet_outputs* outputs) { delete outputs; }

extern "C" size_t linnet_answers_count(const linnet_answers* answers) {
  return answers == nullptr ? 0 : answers->answers.size();
}

extern "C" linnet_status linnet_answers_get(const linnet_answers* answers, size_t index,
                                            linnet_answer* answer) {
  return linnet::guarded([&] {
    require_pointer(answers, "answers");
    require_pointer(answer, "answer");
    if (index >= answers->answers.size()) {
      throw linnet::Error(LINNET_INVALID_ARGUMENT, "index is not below linnet_answers_count()");
    }
    const linnet::Answer& found = answers->answers[index];
    *answer = {found.score,         text_of(found.label),
               text_of(found.text), text_of(found.sequence),
               found.label_index,   found.token,
               found.index,         found.first_token,
               found.last_token,    found.place.code_points,
               found.place.utf8,    found.place.utf16,
               found.words.data(),  found.words.size()};
  });
}

extern "C" int32_t linnet_answers_truncated(const linnet_answers* answers) {
  return answers != nullptr && answers->truncated ? 1 : 0;
}

extern "C" void linnet_answers_free(linnet_answers* answers) { delete answers; }
