#include "program/method.h"

#include <executorch/runtime/backend/backend_options_map.h>
#include <executorch/runtime/backend/options.h>

#include <array>
#include <cstring>

#include "kernels/linear.h"
#include "program/executorch_errors.h"
#include "program/threads.h"

namespace linnet {
namespace {

using executorch::aten::ScalarType;
using executorch::aten::Tensor;
using executorch::aten::TensorImpl;
using executorch::runtime::EValue;
using executorch::runtime::Method;
using executorch::runtime::MethodMeta;
using executorch::runtime::Program;
using executorch::runtime::Result;

[[noreturn]] void refuse_shape(const std::string& problem) { throw Error(LINNET_INPUT_SHAPE, problem); }

std::string shape_text(const linnet_tensor& tensor) {
  std::string text = "[";
  for (std::int32_t i = 0; i < tensor.rank; ++i) {
    text += (i == 0 ? "" : ", ") + std::to_string(tensor.shape[i]);
  }
  return text + "]";
}

// Compare the bytes: a caller from C may have put any number there, which no linnet_dtype may hold.
bool is_int64(const linnet_tensor& tensor) {
  constexpr linnet_dtype kInt64 = LINNET_INT64;
  return std::memcmp(&tensor.dtype, &kInt64, sizeof kInt64) == 0;
}

void check_shape(const InputRules& rules, const std::string& name, const linnet_tensor& tensor) {
  if (tensor.rank < 0 || tensor.rank > LINNET_MAX_RANK) {
    refuse_shape(name + " has rank " + std::to_string(tensor.rank) + ", expected 2");
  }
  if (!is_int64(tensor)) {
    refuse_shape(name + " is not int64, which every input must be");
  }
  if (tensor.rank != 2 || tensor.shape[0] < 1 || tensor.shape[0] > rules.max_batch || tensor.shape[1] < 1 ||
      tensor.shape[1] > rules.max_length) {
    refuse_shape(name + " has shape " + shape_text(tensor) + ", expected [1 to " +
                 std::to_string(rules.max_batch) + ", 1 to " + std::to_string(rules.max_length) + "]");
  }
  if (tensor.data == nullptr) {
    throw Error(LINNET_INVALID_ARGUMENT, name + " has no data (NULL)");
  }
}

void check_values(const std::string& name, const linnet_tensor& tensor, std::int64_t end) {
  const auto* values = static_cast<const std::int64_t*>(tensor.data);
  const std::int64_t count = tensor.shape[0] * tensor.shape[1];
  for (std::int64_t i = 0; i < count; ++i) {
    if (values[i] < 0 || values[i] >= end) {
      throw Error(LINNET_INPUT_OUT_OF_RANGE, name + " has " + std::to_string(values[i]) + " at position " +
                                                 std::to_string(i) + ", expected 0 to " +
                                                 std::to_string(end - 1));
    }
  }
}

struct Size {
  linnet_dtype dtype;
  std::size_t bytes;
};

Size element(ScalarType type) {
  switch (type) {
    case ScalarType::Float:
      return {LINNET_FLOAT32, 4};
    case ScalarType::Long:
      return {LINNET_INT64, 8};
    case ScalarType::Int:
      return {LINNET_INT32, 4};
    case ScalarType::Bool:
      return {LINNET_BOOLEAN, 1};
    default:
      throw Error(LINNET_RUN_FAILED, "an output has an element type that linnet does not hand out");
  }
}

MethodMeta describe(const Program& program, const std::string& name) {
  const Result<MethodMeta> meta = program.method_meta(name.c_str());
  check_executorch(LINNET_LOAD_FAILED, "the method cannot be described", meta.error());
  return *meta;
}

Method load(const Program& program, const std::string& name, executorch::runtime::MemoryManager* manager,
            std::int32_t activation_bits, Tracer* tracer, std::size_t packed) {
  require_memory(packed);
  executorch::runtime::BackendOptions<1> options;
  executorch::runtime::LoadBackendOptionsMap map;
  if (options.set_option(kernels::kActivationBits, static_cast<int>(activation_bits)) !=
          executorch::runtime::Error::Ok ||
      map.set_options(kernels::kLinearBackend, options.view()) != executorch::runtime::Error::Ok) {
    throw Error(LINNET_INTERNAL, "ExecuTorch does not take the backend's option");
  }
  Result<Method> method = program.load_method(name.c_str(), manager, tracer, nullptr, &map);
  if (!method.ok()) {
    const bool missing = method.error() == executorch::runtime::Error::OperatorMissing;
    throw executorch_error(missing ? LINNET_OPERATOR_MISSING : LINNET_LOAD_FAILED,
                           "method " + name + " could not be loaded", method.error());
  }
  return std::move(*method);
}

// Scope of a traced run, which ends the run even if ExecuTorch throws in the middle.
class TracedRun {
 public:
  explicit TracedRun(Tracer* tracer) noexcept : tracer_(tracer) {
    if (tracer_ != nullptr) {
      tracer_->begin_run();
    }
  }
  ~TracedRun() {
    if (tracer_ != nullptr) {
      tracer_->end_run(whole_);
    }
  }
  TracedRun(const TracedRun&) = delete;
  TracedRun& operator=(const TracedRun&) = delete;

  void went_through() noexcept { whole_ = true; }

 private:
  Tracer* tracer_;
  bool whole_ = false;
};

}  // namespace

void check_inputs(const InputRules& rules, const linnet_tensor* inputs, std::size_t count) {
  if (count != rules.names.size()) {
    refuse_shape(std::to_string(count) + " inputs, expected " + std::to_string(rules.names.size()));
  }
  if (inputs == nullptr) {
    throw Error(LINNET_INVALID_ARGUMENT, "inputs is NULL");
  }
  for (std::size_t i = 0; i < count; ++i) {
    check_shape(rules, rules.names[i], inputs[i]);
    if (inputs[i].shape[0] != inputs[0].shape[0] || inputs[i].shape[1] != inputs[0].shape[1]) {
      refuse_shape(rules.names[i] + " has shape " + shape_text(inputs[i]) + ", expected " +
                   shape_text(inputs[0]) + " as " + rules.names[0]);
    }
    // masks and segment numbers are 0 or 1
    check_values(rules.names[i], inputs[i], rules.names[i] == "input_ids" ? rules.vocab_size : 2);
  }
}

ComputeMethod::ComputeMethod(const Program& program, const std::string& name, std::int32_t activation_bits,
                             Tracer* tracer, const LoadNeeds& needs)
    : method_memory_(needs.objects),
      planned_(describe(program, name)),
      manager_(&method_memory_, planned_.get(), &temporary_memory_),
      tracer_(tracer),
      method_(load(program, name, &manager_, activation_bits, tracer, needs.packed)) {}

std::vector<Output> ComputeMethod::run(const linnet_tensor* inputs, std::size_t count) {
  if (method_.inputs_size() != count) {
    refuse_shape("the program takes " + std::to_string(method_.inputs_size()) +
                 " inputs, the manifest names " + std::to_string(count));
  }
  for (std::size_t i = 0; i < count; ++i) {
    set_input(inputs[i], i);
  }
  execute();
  std::vector<Output> outputs;
  outputs.reserve(method_.outputs_size());
  for (std::size_t i = 0; i < method_.outputs_size(); ++i) {
    outputs.push_back(copy_output(i));
  }
  return outputs;
}

void ComputeMethod::decode(const DecoderCall& call, const DecoderShape& shape, float* logits) {
  constexpr std::size_t kInputs = 4;
  if (method_.inputs_size() != kInputs || method_.outputs_size() != 1) {
    throw Error(LINNET_RUN_FAILED, "the program is not called as a decoder is; export it again");
  }
  std::int64_t start = call.start;
  const auto count = static_cast<std::int64_t>(call.count);
  const auto rows = static_cast<std::int64_t>(call.row_count);
  set_tensor(0, ScalarType::Long, {1, count}, const_cast<std::int64_t*>(call.ids));
  set_tensor(1, ScalarType::Long, {1}, &start);
  set_tensor(2, ScalarType::Long, {rows}, const_cast<std::int64_t*>(call.rows));
  set_tensor(3, ScalarType::Byte, {shape.layers, call.capacity, shape.row_bytes}, call.cache);
  execute();
  const EValue& value = method_.get_output(0);
  if (!value.isTensor() || value.toTensor().scalar_type() != ScalarType::Float ||
      value.toTensor().numel() != static_cast<std::ptrdiff_t>(rows * shape.vocabulary)) {
    throw Error(LINNET_RUN_FAILED, "the program does not give logits by row; export it again");
  }
  std::memcpy(logits, value.toTensor().const_data_ptr(),
              static_cast<std::size_t>(rows * shape.vocabulary) * sizeof(float));
}

void ComputeMethod::set_tensor(std::size_t index, ScalarType type, std::initializer_list<std::int64_t> shape,
                               void* data) {
  constexpr std::size_t kMostAxes = 3;
  std::array<TensorImpl::SizesType, kMostAxes> sizes = {};
  std::array<TensorImpl::DimOrderType, kMostAxes> order = {0, 1, 2};
  std::array<TensorImpl::StridesType, kMostAxes> strides = {};
  std::size_t rank = 0;
  for (const std::int64_t extent : shape) {
    sizes[rank++] = static_cast<TensorImpl::SizesType>(extent);
  }
  TensorImpl::StridesType step = 1;
  for (std::size_t axis = rank; axis > 0; --axis) {
    strides[axis - 1] = step;
    step *= sizes[axis - 1];
  }
  TensorImpl tensor(type, static_cast<ssize_t>(rank), sizes.data(), data, order.data(), strides.data());
  check_executorch(LINNET_INPUT_SHAPE, "the program does not take this input",
                   method_.set_input(EValue(Tensor(&tensor)), index));
}

void ComputeMethod::execute() {
  const std::unique_lock<std::mutex> alone = one_run_at_a_time();
  TracedRun traced(tracer_);
  check_executorch(LINNET_RUN_FAILED, "the program failed", method_.execute());
  traced.went_through();
}

void ComputeMethod::set_input(const linnet_tensor& input, std::size_t index) {
  std::array<TensorImpl::SizesType, 2> sizes = {static_cast<TensorImpl::SizesType>(input.shape[0]),
                                                static_cast<TensorImpl::SizesType>(input.shape[1])};
  std::array<TensorImpl::DimOrderType, 2> order = {0, 1};
  std::array<TensorImpl::StridesType, 2> strides = {sizes[1], 1};
  // ExecuTorch copies from the input or reads it during execute(); it never writes to it.
  TensorImpl tensor(ScalarType::Long, 2, sizes.data(), const_cast<void*>(input.data), order.data(),
                    strides.data());
  check_executorch(LINNET_INPUT_SHAPE, "the program does not take this input",
                   method_.set_input(EValue(Tensor(&tensor)), index));
}

Output ComputeMethod::copy_output(std::size_t index) const {
  const EValue& value = method_.get_output(index);
  if (!value.isTensor()) {
    throw Error(LINNET_RUN_FAILED, "output " + std::to_string(index) + " is not a tensor");
  }
  const Tensor& tensor = value.toTensor();
  const Size size = element(tensor.scalar_type());
  Output output{size.dtype, {}, {}};
  for (const auto extent : tensor.sizes()) {
    output.shape.push_back(extent);
  }
  if (output.shape.size() > LINNET_MAX_RANK) {
    throw Error(LINNET_RUN_FAILED, "output " + std::to_string(index) + " has more than 4 dimensions");
  }
  const auto* data = static_cast<const std::uint8_t*>(tensor.const_data_ptr());
  output.bytes.assign(data, data + static_cast<std::size_t>(tensor.numel()) * size.bytes);
  return output;
}

}  // namespace linnet
