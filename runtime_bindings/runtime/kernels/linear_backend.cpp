// LinnetBackend: ExecuTorch's delegate for linear layers of int8 or int4 weights that read the same tokens.
#include <executorch/runtime/backend/interface.h>
#include <executorch/runtime/core/exec_aten/util/tensor_util.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "kernels/dispatch.h"
#include "kernels/linear.h"
#include "kernels/linear_call.h"
#include "kernels/on_threads.h"
#include "kernels/tensor_checks.h"

namespace linnet::kernels {
namespace {

using executorch::aten::ScalarType;
using executorch::aten::Tensor;
using executorch::runtime::ArrayRef;
using executorch::runtime::Backend;
using executorch::runtime::BackendExecutionContext;
using executorch::runtime::BackendInitContext;
using executorch::runtime::BackendInterface;
using executorch::runtime::CompileSpec;
using executorch::runtime::DelegateHandle;
using executorch::runtime::Error;
using executorch::runtime::EValue;
using executorch::runtime::FreeableBuffer;
using executorch::runtime::NamedDataMap;
using executorch::runtime::Result;
using executorch::runtime::Span;

constexpr std::size_t kAlignment = 64;
// Tokens and products below both of which waking the other threads takes longer than the work. One token of a
// decoder reads each weight once, and several threads read faster than one.
constexpr std::size_t kSmallestShare = 4;
constexpr std::size_t kSmallestProducts = 1U << 18U;
constexpr std::size_t kRoundedAtOnce = 64;  // rows that a thread rounds before it takes the next piece

// What one delegate call computes.
struct Call {
  const LinearKernel* kernel;
  LinearCall described;  // its list of layers is empty: `layers` holds them
  std::vector<PackedLinear> layers;
};

// Named data of a program, freed with this object: a kernel reads only the packed copy.
class Data {
 public:
  // Read data of this name and size; return false if there are none.
  bool read(const NamedDataMap& map, const std::string& name, std::size_t size) {
    auto found = map.get_data(name.c_str());
    if (!found.ok()) {
      return false;
    }
    buffer_.emplace(std::move(*found));
    bytes_ = static_cast<const std::uint8_t*>(buffer_->data());
    return buffer_->size() == size;
  }

  const std::uint8_t* bytes() const noexcept { return bytes_; }

 private:
  std::optional<FreeableBuffer> buffer_;
  const std::uint8_t* bytes_ = nullptr;
};

Error read_layer(const LinearCall& described, const LinearCall::Layer& layer, const NamedDataMap& map,
                 Call& call) {
  Data weight;
  Data scale;
  Data bias;
  Data residual_scale;
  const std::size_t size = layer.outputs * sizeof(float);
  const std::size_t weights = std::size_t{described.inputs} * layer.outputs;
  const bool int4 = described.shared > 0;
  if (!weight.read(map, layer.weight, int4 ? weights / 2 : weights) ||
      !scale.read(map, layer.scale, int4 ? weights / described.shared * sizeof(std::uint16_t) : size) ||
      (!layer.bias.empty() && !bias.read(map, layer.bias, size)) ||
      (!layer.residual_scale.empty() && !residual_scale.read(map, layer.residual_scale, size))) {
    return Error::InvalidProgram;
  }
  call.layers.emplace_back(LinearWeights{described.inputs, layer.outputs, weight.bytes(), scale.bytes(),
                                         bias.bytes(), residual_scale.bytes(), described.shared},
                           call.kernel->packing);
  return Error::Ok;
}

// Read the layers and choose their kernels; `bits` are those of activations beside int8 weights.
Error read_call(const FreeableBuffer& description, const NamedDataMap& map, int bits, Call& call) {
  auto described = read_linear_call(description.data(), description.size());
  if (!described) {
    return Error::DelegateInvalidCompatibility;
  }
  const Kernels& kernels = chosen_kernels();
  call.kernel = described->shared > 0 ? &kernels.int4_linear
                : bits == 7           ? &kernels.seven_linear
                                      : &kernels.linear;
  call.layers.reserve(described->layers.size());
  for (const LinearCall::Layer& layer : described->layers) {
    const Error error = read_layer(*described, layer, map, call);
    if (error != Error::Ok) {
      return error;
    }
  }
  described->layers = {};  // their names are not needed again
  call.described = std::move(*described);
  return Error::Ok;
}

// The work of one call: the panels of all its layers, numbered through, and the outputs, borrowed.
struct Work {
  const Call& call;
  std::size_t count;                // of rows
  const float* residual = nullptr;  // float32 [count, outputs]
  std::array<float*, LinearCall::kMostLayers> outputs = {};
  RoundedRows rows = {};

  std::size_t panels() const noexcept {
    std::size_t sum = 0;
    for (const PackedLinear& layer : call.layers) {
      sum += layer.panels();
    }
    return sum;
  }

  // Return the products of activations with weights.
  std::size_t products() const noexcept {
    std::size_t sum = 0;
    for (const PackedLinear& layer : call.layers) {
      sum += layer.outputs();
    }
    return count * call.described.inputs * sum;
  }

  // Compute the panels [first, last), numbered through all layers.
  void multiply(std::size_t first, std::size_t last) const {
    std::size_t start = 0;
    for (std::size_t i = 0; i < call.layers.size(); ++i) {
      const PackedLinear& layer = call.layers[i];
      const std::size_t end = start + layer.panels();
      if (first < end && last > start) {
        call.kernel->multiply(layer, call.described.tail, rows, count, residual,
                              std::max(first, start) - start, std::min(last, end) - start, outputs[i]);
      }
      start = end;
    }
  }
};

// Round the rows and compute all panels, in small pieces that the threads take one by one: other programs may
// hold up one of the threads.
void run(const Work& work, const float* x, std::size_t inputs) {
  const LinearKernel& kernel = *work.call.kernel;
  if (usable_threads(work.count, kSmallestShare) == 1 &&
      usable_threads(work.products(), kSmallestProducts) == 1) {
    kernel.round_rows(x, inputs, 0, work.count, work.rows);
    work.multiply(0, work.panels());
    return;
  }
  on_threads((work.count + kRoundedAtOnce - 1) / kRoundedAtOnce, [&](std::size_t piece) {
    const std::size_t first = piece * kRoundedAtOnce;
    kernel.round_rows(x, inputs, first, std::min(first + kRoundedAtOnce, work.count), work.rows);
  });
  on_threads(work.panels(), [&](std::size_t panel) { work.multiply(panel, panel + 1); });
}

class LinnetBackend final : public BackendInterface {
 public:
  bool is_available() const override { return true; }

  Result<DelegateHandle*> init(BackendInitContext& context, FreeableBuffer* processed,
                               ArrayRef<CompileSpec> /*specs*/) const override {
    const NamedDataMap* map = context.get_named_data_map();
    if (map == nullptr) {
      return Error::InvalidProgram;
    }
    try {
      auto call = std::make_unique<Call>();
      const Result<int> bits = context.get_runtime_spec<int>(kActivationBits);
      const Error error = read_call(*processed, *map, bits.ok() ? *bits : 8, *call);
      if (error != Error::Ok) {
        return error;
      }
      processed->Free();
      return static_cast<DelegateHandle*>(call.release());
    } catch (const std::bad_alloc&) {
      return Error::MemoryAllocationFailed;
    }
  }

  Error execute(BackendExecutionContext& context, DelegateHandle* handle, Span<EValue*> args) const override {
    const Call& call = *static_cast<const Call*>(handle);
    if (args.size() != call.layers.size() + call.described.arguments()) {
      return Error::InvalidArgument;
    }
    auto* tracer = context.event_tracer();
    executorch::runtime::EventTracerEntry event;
    if (tracer != nullptr) {
      const bool int4 = call.described.shared > 0;
      event = tracer->start_profiling_delegate(int4 ? "linnet::int4_linear" : "linnet::int8_linear", 0);
    }
    const Error error = computed(context, call, args);
    if (tracer != nullptr) {
      tracer->end_profiling_delegate(event, nullptr, 0);
    }
    return error;
  }

  void destroy(DelegateHandle* handle) const override { delete static_cast<Call*>(handle); }

 private:
  // Compute, and turn exceptions into an error, since none may pass through ExecuTorch.
  static Error computed(BackendExecutionContext& context, const Call& call, Span<EValue*> args) {
    try {
      return compute(context, call, args);
    } catch (const std::bad_alloc&) {
      return Error::MemoryAllocationFailed;
    }
  }

  static Error compute(BackendExecutionContext& context, const Call& call, Span<EValue*> args) {
    const Tensor& x = args[call.described.tokens_argument]->toTensor();
    const std::size_t inputs = call.described.inputs;
    if (!is_matrix(x, inputs)) {
      return Error::InvalidArgument;
    }
    Work work{call, static_cast<std::size_t>(x.size(0))};
    if (call.described.tail == Tail::kResidual) {
      const Tensor& residual = args[call.described.residual_argument]->toTensor();
      if (!is_matrix(residual, call.layers.front().outputs()) || residual.size(0) != x.size(0)) {
        return Error::InvalidArgument;
      }
      work.residual = residual.const_data_ptr<float>();
    }
    for (std::size_t i = 0; i < call.layers.size(); ++i) {
      Tensor& out = args[call.described.arguments() + i]->toTensor();
      const executorch::aten::SizesType sizes[] = {
          static_cast<executorch::aten::SizesType>(x.size(0)),
          static_cast<executorch::aten::SizesType>(call.layers[i].outputs())};
      if (out.scalar_type() != ScalarType::Float ||
          executorch::runtime::resize_tensor(out, sizes) != Error::Ok) {
        return Error::InvalidArgument;
      }
      work.outputs[i] = out.mutable_data_ptr<float>();
    }
    if (work.count == 0) {
      return Error::Ok;
    }
    work.rows.stride = call.layers.front().row_bytes(call.kernel->number_bytes);
    const std::size_t bytes = (work.count * work.rows.stride + kAlignment - 1) / kAlignment * kAlignment;
    void* memory = context.allocate(bytes + 2 * work.count * sizeof(float), kAlignment);
    if (memory == nullptr) {
      return Error::MemoryAllocationFailed;
    }
    work.rows.bytes = static_cast<std::uint8_t*>(memory);
    work.rows.scales = reinterpret_cast<float*>(work.rows.bytes + bytes);
    work.rows.zeros = work.rows.scales + work.count;
    run(work, x.const_data_ptr<float>(), inputs);
    return Error::Ok;
  }
};

Error register_backend() {
  static LinnetBackend backend;
  return executorch::runtime::register_backend(Backend{kLinearBackend, &backend});
}

[[maybe_unused]] const Error registered = register_backend();

}  // namespace
}  // namespace linnet::kernels
