// Opened linnet file: its manifest, its methods and their runs.
#ifndef LINNET_RUNTIME_PROGRAM_MODEL_H_
#define LINNET_RUNTIME_PROGRAM_MODEL_H_

#include <executorch/runtime/executor/program.h>

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "file/fields.h"
#include "file/file_bytes.h"
#include "file/trailer.h"
#include "program/loader.h"
#include "program/method.h"
#include "program/tracer.h"

namespace linnet {

class Model {
 public:
  // Take over the file and check it from the outside in, so that nothing is parsed before its hash was
  // compared: trailer, hash, ExecuTorch's own verification, manifest, backends and operators. No method that
  // computes is loaded yet. `threads` as in linnet_open_options. Throw what linnet_model_open returns.
  Model(std::unique_ptr<FileBytes> file, std::int32_t threads);
  ~Model();
  Model(const Model&) = delete;
  Model& operator=(const Model&) = delete;

  const Fields& fields() const noexcept { return fields_; }
  // Return the names of the methods that compute, one per line, in the program's order.
  const std::string& methods() const noexcept { return methods_; }
  ByteView evidence() const noexcept { return trailer_.evidence; }

  // Run a method, and load it first if needed. Calls from several threads wait for each other. Inputs are
  // borrowed for the call, outputs are copies. Throw what linnet_model_run returns.
  std::vector<Output> run(const std::string& method, const linnet_tensor* inputs, std::size_t count);

  // Return what the manifest says about a decoder's calls. Throw LINNET_INVALID_ARGUMENT for a file that
  // generates no text.
  DecoderShape decoder_shape() const;
  // Run a decoder on a call with a cache, and load its method first if needed; linnet's kernels run on every
  // processor, so that answers are the same everywhere. Copy the logits, float32 [row_count, vocabulary], to
  // `logits`. Calls from several threads wait for each other. Throw LINNET_INPUT_OUT_OF_RANGE,
  // LINNET_INPUT_SHAPE, and what linnet_model_run returns.
  void decode(const DecoderCall& call, float* logits);
  // Return the SHA-256 that identifies the content of the file, 32 bytes, borrowed.
  ByteView identity() const noexcept { return trailer_.file_hash; }

  // Turn profiling on or off. A change drops the loaded methods, because ExecuTorch takes a tracer only while
  // it loads a method.
  void set_profiling(bool on);
  // Choose when "forward_fused" runs as "forward". A change drops the loaded methods.
  void set_fused(linnet_fused when);
  // Choose the bits of rounded activations, 0, 7 or 8, as linnet_model_set_activation_bits does. A change
  // drops the loaded methods.
  void set_activation_bits(std::int32_t bits);
  // Return the bits of rounded activations at the next run of "forward": 7 or 8.
  std::int32_t activation_bits();
  // Take the events of all runs since the last call. Throw LINNET_INVALID_ARGUMENT while profiling is off.
  Trace take_trace();

 private:
  struct Slot {
    std::string name;
    InputRules rules;
    std::unique_ptr<ComputeMethod> method;
    bool broken = false;  // ExecuTorch would have aborted: the method is neither run nor freed any more
  };

  bool is_decoder() const;
  std::vector<Slot> make_slots() const;
  Slot& slot(const std::string& method);
  LoadNeeds load_needs() const noexcept;
  void load(Slot& slot) const;
  // Load the method of a slot if needed, and call `run` with it; a method in a broken state is never called
  // again.
  template <typename Run>
  void run_in(Slot& slot, const Run& run);
  void unload() noexcept;
  std::int32_t chosen_bits() const;

  std::unique_ptr<FileBytes> file_;
  Trailer trailer_;
  ParsedCopy parsed_;
  Loader loader_;
  executorch::runtime::Program program_;
  Fields fields_;
  std::string methods_;
  std::mutex mutex_;  // around run and copy-out: outputs lie in memory that the next run overwrites
  std::unique_ptr<Tracer> tracer_;  // NULL while profiling is off; outlives the methods
  std::vector<Slot> slots_;
  linnet_fused fused_ = LINNET_FUSED_WHERE_FASTER;
  std::int32_t activation_bits_ = 0;
};

}  // namespace linnet

#endif  // LINNET_RUNTIME_PROGRAM_MODEL_H_
