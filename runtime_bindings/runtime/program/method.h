// Loaded method of a program, with its memory; it runs one call at a time.
#ifndef LINNET_RUNTIME_PROGRAM_METHOD_H_
#define LINNET_RUNTIME_PROGRAM_METHOD_H_

#include <executorch/runtime/executor/method.h>
#include <executorch/runtime/executor/program.h>

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

#include "decode/output.h"
#include "linnet.h"
#include "program/method_memory.h"
#include "program/planned_memory.h"
#include "program/scratch_memory.h"
#include "program/tracer.h"

namespace linnet {

// What the manifest says about the inputs of a method; the bounds are inclusive.
struct InputRules {
  std::vector<std::string> names;  // of the method, in its order, as in the manifest
  std::int64_t max_batch;
  std::int64_t max_length;
  std::int64_t vocab_size;
};

// Check that all inputs are int64 [batch, tokens] of one shape within the bounds, with ids below the
// vocabulary. Throw LINNET_INPUT_SHAPE, LINNET_INPUT_OUT_OF_RANGE or LINNET_INVALID_ARGUMENT.
void check_inputs(const InputRules& rules, const linnet_tensor* inputs, std::size_t count);

// What the manifest of a decoder says about its calls.
struct DecoderShape {
  std::int64_t layers;
  std::int64_t row_bytes;  // of a token in the cache of a layer
  std::int64_t context;    // most tokens of a text
  std::int64_t chunk;      // most tokens of a call
  std::int64_t rows;       // most rows of logits of a call
  std::int64_t vocabulary;
};

// Upper bounds of the memory that loading takes, in bytes. They must be known beforehand, because neither
// ExecuTorch nor XNNPACK survives every allocation that fails while it loads.
struct LoadNeeds {
  std::size_t objects;  // ExecuTorch's own
  std::size_t packed;   // XNNPACK's graph and packed weights
};

// One call of a decoder; everything is borrowed for the call.
struct DecoderCall {
  const std::int64_t* ids;  // [count]
  std::size_t count;
  std::int64_t start;        // tokens before these
  const std::int64_t* rows;  // [row_count], tokens of this call whose logits are wanted
  std::size_t row_count;
  std::uint8_t* cache;  // [layers][capacity][row bytes], changed in place
  std::int64_t capacity;
};

class ComputeMethod {
 public:
  // Load the method and pack its weights; linnet's linear layers round activations to 7 or 8 bits. Program
  // and tracer are borrowed and must outlive the method; a tracer can be set only here (NULL: none). Throw
  // Error with ExecuTorch's code, or std::bad_alloc if the system does not have the memory of `needs`.
  ComputeMethod(const executorch::runtime::Program& program, const std::string& name,
                std::int32_t activation_bits, Tracer* tracer, const LoadNeeds& needs);

  // Run the method on inputs that have passed check_inputs(), which are borrowed for the call, and return
  // copies of its outputs. Only one thread may call it at a time. Throw Error with ExecuTorch's code,
  // std::bad_alloc.
  std::vector<Output> run(const linnet_tensor* inputs, std::size_t count);
  // Run a method of a decoder on a call that was checked, and copy its logits, float32 [row_count,
  // vocabulary], to `logits`. Only one thread may call it at a time. Throw Error with ExecuTorch's code.
  void decode(const DecoderCall& call, const DecoderShape& shape, float* logits);

 private:
  void execute();
  void set_input(const linnet_tensor& input, std::size_t index);
  // Set an input whose memory the method may use until the end of the run.
  void set_tensor(std::size_t index, executorch::aten::ScalarType type,
                  std::initializer_list<std::int64_t> shape, void* data);
  Output copy_output(std::size_t index) const;

  MethodMemory method_memory_;
  ScratchMemory temporary_memory_;
  PlannedMemory planned_;
  executorch::runtime::MemoryManager manager_;
  Tracer* tracer_;
  executorch::runtime::Method method_;
};

}  // namespace linnet

#endif  // LINNET_RUNTIME_PROGRAM_METHOD_H_
