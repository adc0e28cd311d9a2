#include "program/model.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif

#include <new>
#include <utility>

#include "kernels/dispatch.h"
#include "program/executorch_errors.h"
#include "program/read_fields.h"
#include "program/runtime.h"
#include "program/threads.h"
#include "status.h"

namespace linnet {
namespace {

using executorch::runtime::Program;
using executorch::runtime::Result;

constexpr std::size_t kLeastObjects = 65536;
constexpr std::size_t kLeastPacked = 1048576;

// The copies are what is hashed: the file may change at any time.
ParsedCopy checked_copy(const FileBytes& file, Trailer& trailer) {
  ParsedCopy copy(file, trailer);
  check_structure(trailer, file.name());
  return copy;
}

void check_program_version(ByteView program, const std::string& name) {
  if (program.size() >= Program::kMinHeadBytes &&
      Program::check_header(program.data(), program.size()) == Program::IncompatibleVersion) {
    throw Error(LINNET_EXECUTORCH_TOO_OLD,
                name + ": the program's format is not the one of ExecuTorch " + executorch_version() +
                    ", which this linnet has; install a newer linnet, or export the file again");
  }
}

Program load_program(Loader* loader, ByteView bytes, const std::string& name, std::int32_t threads) {
  prepare_runtime(threads);
  check_program_version(bytes, name);
  const ExecutorchCall call(LINNET_LOAD_FAILED);
  Result<Program> program = Program::load(loader, Program::Verification::InternalConsistency);
  if (!program.ok()) {
    throw executorch_error(LINNET_LOAD_FAILED, name + ": ExecuTorch could not load the program",
                           program.error());
  }
  return std::move(*program);
}

std::vector<std::string> all_methods(const Program& program) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < program.num_methods(); ++i) {
    const Result<const char*> name = program.get_method_name(i);
    if (name.ok()) {
      names.emplace_back(*name);
    }
  }
  return names;
}

bool has_method(const Program& program, const std::string& name) {
  const std::vector<std::string> names = all_methods(program);
  return std::find(names.begin(), names.end(), name) != names.end();
}

// Return the names of the methods that compute: those that are no field of the manifest.
std::string computing_methods(const Program& program, const Fields& fields) {
  std::string lines;
  for (const std::string& name : all_methods(program)) {
    if (fields.find(name) == nullptr) {
      lines += (lines.empty() ? "" : "\n") + name;
    }
  }
  return lines;
}

// Return the method that runs when `name` is asked for. "forward_fused" computes "forward" with linnet's
// custom kernels. A stock ExecuTorch lacks them and runs "forward"; so does linnet on processors without the
// instructions that make the kernels faster (kernels/dispatch.h).
std::string chosen_method(const Program& program, const std::string& name, linnet_fused when) {
  const bool wanted =
      when == LINNET_FUSED_ALWAYS ||
      (when == LINNET_FUSED_WHERE_FASTER && &kernels::chosen_kernels() != &kernels::portable_kernels());
  const std::string fused = name + "_fused";
  return wanted && has_method(program, fused) ? fused : name;
}

Fields checked_fields(const Program& program, const FileBytes& file) {
  Fields fields = read_fields(program, file);
  check_manifest(fields, file.name());
  check_requirements(fields, file.name());
  return fields;
}

// Refuse a call that the program would run past its bounds with.
void check_call(const DecoderCall& call, const DecoderShape& shape) {
  const auto count = static_cast<std::int64_t>(call.count);
  if (count < 1 || count > shape.chunk || call.start < 0 || call.start > call.capacity - count ||
      call.capacity > shape.context || call.row_count < 1 ||
      static_cast<std::int64_t>(call.row_count) > shape.rows) {
    throw Error(LINNET_INPUT_SHAPE,
                std::to_string(call.count) + " tokens behind " + std::to_string(call.start) +
                    " with a capacity of " + std::to_string(call.capacity) + " and " +
                    std::to_string(call.row_count) + " rows of logits, expected 1 to " +
                    std::to_string(shape.chunk) + " tokens within the capacity, and 1 to " +
                    std::to_string(shape.rows) + " rows");
  }
  for (std::size_t i = 0; i < call.count; ++i) {
    if (call.ids[i] < 0 || call.ids[i] >= shape.vocabulary) {
      throw Error(LINNET_INPUT_OUT_OF_RANGE, "token " + std::to_string(i) + " is " +
                                                 std::to_string(call.ids[i]) + ", expected 0 to " +
                                                 std::to_string(shape.vocabulary - 1));
    }
  }
  for (std::size_t i = 0; i < call.row_count; ++i) {
    if (call.rows[i] < 0 || call.rows[i] >= count) {
      throw Error(LINNET_INPUT_OUT_OF_RANGE, "row " + std::to_string(i) + " is " +
                                                 std::to_string(call.rows[i]) + ", expected 0 to " +
                                                 std::to_string(count - 1));
    }
  }
}

}  // namespace

Model::Model(std::unique_ptr<FileBytes> file, std::int32_t threads)
    : file_(std::move(file)),
      trailer_(read_trailer(file_->view(), file_->name())),
      parsed_(checked_copy(*file_, trailer_)),
      loader_(*file_, trailer_.program, parsed_),
      program_(load_program(&loader_, trailer_.program, file_->name(), threads)),
      fields_(checked_fields(program_, *file_)),
      methods_(computing_methods(program_, fields_)),
      slots_(make_slots()) {}

Model::~Model() {
  unload();
// not under ThreadSanitizer and AddressSanitizer, which have allocators of their own: glibc's then sometimes
// aborts when a thread ends, or is not set up yet when two threads trim it
#if defined(__GLIBC__) && !defined(__SANITIZE_THREAD__) && !defined(__SANITIZE_ADDRESS__)
  // the freed memory of models that several threads used lies between memory that is still in use, in each
  // thread's part of the heap; without this, models that come and go hold ever more of it
  malloc_trim(0);
#endif
}

void Model::unload() noexcept {
  for (Slot& slot : slots_) {
    if (slot.broken) {
      // its state is unknown, and its destructor may crash: a leak is the safe choice
      [[maybe_unused]] const ComputeMethod* lost = slot.method.release();
    }
    slot.method.reset();
  }
}

std::vector<Model::Slot> Model::make_slots() const {
  const std::int64_t length = fields_.integer("max_length");
  const std::int64_t vocabulary = fields_.integer("vocab_size");
  std::vector<Slot> slots;
  slots.push_back({"forward", {fields_.items("inputs"), 1, length, vocabulary}, nullptr});
  if (fields_.integer("max_batch") > 0) {
    slots.push_back({"forward_batch",
                     {fields_.items("batch_inputs"), fields_.integer("max_batch"), length, vocabulary},
                     nullptr});
  }
  return slots;
}

Model::Slot& Model::slot(const std::string& method) {
  std::string known;
  for (Slot& slot : slots_) {
    if (slot.name == method) {
      return slot;
    }
    known += (known.empty() ? "" : ", ") + slot.name;
  }
  throw Error(LINNET_UNKNOWN_METHOD,
              "no method \"" + method + "\" in " + file_->name() + ", it has " + known);
}

// Estimate what loading takes: XNNPACK packs weights of the program, padded to its tiles, and its graph and
// ExecuTorch's objects grow with the parts that are parsed. The factors are generous;
// tests/runtime_bindings/runtime/test_out_of_memory.py checks them with several programs.
LoadNeeds Model::load_needs() const noexcept {
  std::size_t parsed = 0;
  for (const ByteView& range : trailer_.structure) {
    parsed += range.size();
  }
  return {4 * parsed + kLeastObjects, trailer_.program.size() + 16 * parsed + kLeastPacked};
}

void Model::load(Slot& slot) const {
  const linnet_fused when = is_decoder() ? LINNET_FUSED_ALWAYS : fused_;
  const ExecutorchCall call(LINNET_LOAD_FAILED);
  try {
    slot.method = std::make_unique<ComputeMethod>(program_, chosen_method(program_, slot.name, when),
                                                  chosen_bits(), tracer_.get(), load_needs());
  } catch (const ExecutorchAborted&) {
    slot.broken = true;
    throw;
  } catch (const Error& error) {
    rethrow_load_failure(error, fields_, file_->name());
  }
}

template <typename Run>
void Model::run_in(Slot& slot, const Run& run) {
  check_not_forked();
  const std::lock_guard<std::mutex> lock(mutex_);
  if (slot.broken) {
    throw Error(LINNET_RUN_FAILED, slot.name + " failed inside of ExecuTorch before; open the model again");
  }
  file_->check_unchanged();
  const ExecutorchCall call(LINNET_RUN_FAILED);
  if (slot.method == nullptr) {
    load(slot);
  }
  try {
    run(*slot.method);
  } catch (const ExecutorchAborted&) {
    slot.broken = true;
    throw;
  } catch (const std::bad_alloc&) {
    slot.method.reset();  // it stopped in the middle: the next run loads it again
    throw;
  } catch (const Error& error) {
    if (error.status() == LINNET_OUT_OF_MEMORY) {
      slot.method.reset();
    }
    throw;
  }
}

std::vector<Output> Model::run(const std::string& method, const linnet_tensor* inputs, std::size_t count) {
  if (is_decoder()) {
    throw Error(LINNET_UNKNOWN_METHOD, file_->name() +
                                           " generates text, whose tokens need the keys and values of those "
                                           "before; use the functions of linnet_generation");
  }
  Slot& target = slot(method);
  check_inputs(target.rules, inputs, count);
  std::vector<Output> outputs;
  run_in(target, [&](ComputeMethod& loaded) { outputs = loaded.run(inputs, count); });
  return outputs;
}

bool Model::is_decoder() const { return fields_.integer("cache_layers") > 0; }

DecoderShape Model::decoder_shape() const {
  if (!is_decoder()) {
    throw Error(LINNET_INVALID_ARGUMENT, file_->name() + " is a file of the task " + fields_.text("task") +
                                             ", which generates no text; open a file of text-generation");
  }
  return {fields_.integer("cache_layers"), fields_.integer("cache_row_bytes"), fields_.integer("max_length"),
          fields_.integer("chunk_length"), fields_.integer("logit_rows"),      fields_.integer("vocab_size")};
}

void Model::decode(const DecoderCall& call, float* logits) {
  const DecoderShape shape = decoder_shape();
  check_call(call, shape);
  run_in(slot("forward"), [&](ComputeMethod& loaded) { loaded.decode(call, shape, logits); });
}

void Model::set_profiling(bool on) {
  check_not_forked();
  const std::lock_guard<std::mutex> lock(mutex_);
  if (on == (tracer_ != nullptr)) {
    return;
  }
  std::unique_ptr<Tracer> tracer = on ? std::make_unique<Tracer>() : nullptr;
  unload();
  tracer_ = std::move(tracer);
}

void Model::set_fused(linnet_fused when) {
  check_not_forked();
  const std::lock_guard<std::mutex> lock(mutex_);
  if (when != fused_) {
    unload();
    fused_ = when;
  }
}

std::int32_t Model::chosen_bits() const {
  if (activation_bits_ != 0) {
    return activation_bits_;
  }
  return trailer_.proven_seven_bits && kernels::chosen_kernels().seven_is_faster ? 7 : 8;
}

void Model::set_activation_bits(std::int32_t bits) {
  if (bits != 0 && bits != 7 && bits != 8) {
    throw Error(LINNET_INVALID_ARGUMENT,
                "activation bits are " + std::to_string(bits) + ", expected 0 (choose), 7 or 8");
  }
  check_not_forked();
  const std::lock_guard<std::mutex> lock(mutex_);
  if (bits != activation_bits_) {
    unload();
    activation_bits_ = bits;
  }
}

std::int32_t Model::activation_bits() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return chosen_bits();
}

Trace Model::take_trace() {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (tracer_ == nullptr) {
    throw Error(LINNET_INVALID_ARGUMENT, "profiling is off; call linnet_model_set_profiling first");
  }
  return tracer_->take();
}

}  // namespace linnet
