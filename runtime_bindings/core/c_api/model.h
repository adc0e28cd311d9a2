// The handle of a model, for the parts of the C ABI that work on it.
#ifndef LINNET_CORE_C_API_MODEL_H_
#define LINNET_CORE_C_API_MODEL_H_

#include <memory>
#include <mutex>
#include <utility>

#include "linnet.h"
#include "session/file_bytes.h"
#include "session/model.h"

struct linnet_model {
  linnet_model(std::unique_ptr<linnet::FileBytes> file, std::int32_t threads)
      : session(std::move(file), threads) {}
  linnet_model(const linnet_model&) = delete;
  linnet_model& operator=(const linnet_model&) = delete;
  ~linnet_model() { linnet_tokenizer_free(tokenizer); }

  linnet::Model session;
  mutable std::mutex tokenizer_mutex;
  mutable linnet_tokenizer* tokenizer = nullptr;  // built when first asked for
};

#endif  // LINNET_CORE_C_API_MODEL_H_
