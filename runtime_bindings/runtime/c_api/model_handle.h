// Handle of a model, for the sources of the C ABI that use it.
#ifndef LINNET_RUNTIME_C_API_MODEL_HANDLE_H_
#define LINNET_RUNTIME_C_API_MODEL_HANDLE_H_

#include <memory>
#include <utility>

#include "c_api/handles.h"
#include "file/file_bytes.h"
#include "linnet.h"
#include "program/model.h"

struct linnet_model {
  linnet_model(std::unique_ptr<linnet::FileBytes> file, std::int32_t threads)
      : program(std::move(file), threads), task(program.fields()) {}
  linnet_model(const linnet_model&) = delete;
  linnet_model& operator=(const linnet_model&) = delete;
  ~linnet_model() = default;

  linnet::Model program;
  linnet_task task;  // its fields are the program's
};

#endif  // LINNET_RUNTIME_C_API_MODEL_HANDLE_H_
