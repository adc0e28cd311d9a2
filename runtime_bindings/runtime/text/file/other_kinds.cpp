#include "file/other_kinds.h"

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <iterator>
#include <string_view>

namespace linnet {
namespace {

struct Kind {
  std::size_t at;
  std::string_view magic;
  const char* name;
};

constexpr const char* kOtherModel = "linnet runs what `linnet export` makes of the model's checkpoint";
constexpr const char* kMake = "make one with `linnet export`";
constexpr std::string_view kPointer = "version https://git-lfs.github.com/spec/";
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr std::size_t kWindow = 64;

constexpr Kind kOtherModels[] = {
    {0, "GGUF", "a GGUF file"},
    {0, "PK\x03\x04", "a zip archive, as PyTorch's .pt files are"},
    {0, "\x80\x02", "a pickle, as older .pt and .bin files of PyTorch are"},
    {4, "TFL3", "a TensorFlow Lite model"},
    {4, "ORTM", "an ONNX Runtime model (.ort)"},
};
constexpr Kind kOthers[] = {
    {0, "\x1F\x8B", "a gzip archive"},
    {0, "\x93NUMPY", "a numpy array"},
    {0,
     "\x7F"
     "ELF",
     "a Linux program or library"},
    {0, "%PDF", "a PDF document"},
    {0, "\x89PNG", "a PNG image"},
    {0, "SQLite format", "an SQLite database"},
};

std::string_view head_of(ByteView file) {
  return {reinterpret_cast<const char*>(file.data()), std::min(file.size(), kWindow)};
}

const char* named(std::string_view head, const Kind* begin, const Kind* end) {
  const Kind* found = std::find_if(begin, end, [head](const Kind& kind) {
    return head.size() >= kind.at && head.substr(kind.at, kind.magic.size()) == kind.magic;
  });
  return found == end ? nullptr : found->name;
}

// The size of the JSON header in 8 bytes, then the header.
bool is_safetensors(std::string_view head, ByteView file) {
  return head.size() > 8 && head[8] == '{' && file.integer(0, 8) <= file.size() - 8;
}

// A protobuf with the version of its format (field 1), then the producer, its version, the domain or the
// graph.
bool is_onnx(std::string_view head) {
  constexpr std::string_view kNextFields = "\x12\x1A\x22\x3A\x42";
  return head.size() > 2 && head[0] == 8 && head[1] > 0 && head[1] < 32 &&
         kNextFields.find(head[2]) != std::string_view::npos;
}

std::string_view without_leading_space(std::string_view text) {
  if (text.substr(0, kByteOrderMark.size()) == kByteOrderMark) {
    text.remove_prefix(kByteOrderMark.size());
  }
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  return first == std::string_view::npos ? std::string_view() : text.substr(first);
}

bool begins(std::string_view text, std::string_view lower) {
  return text.size() >= lower.size() &&
         std::equal(lower.begin(), lower.end(), text.begin(), [](char want, char got) {
           return want == static_cast<char>(std::tolower(static_cast<unsigned char>(got)));
         });
}

}  // namespace

std::string other_kind(ByteView file) {
  const std::string_view head = head_of(file);
  const std::string_view text = without_leading_space(head);
  if (text.substr(0, kPointer.size()) == kPointer) {
    return "it is a pointer of git-lfs; fetch the file itself with `git lfs pull`";
  }
  if (begins(text, "<!doctype html") || begins(text, "<html")) {
    return "it is an HTML page; if it was downloaded, the address was that of a page about the file";
  }
  if (const char* name = named(head, std::begin(kOtherModels), std::end(kOtherModels))) {
    return std::string("it is ") + name + "; " + kOtherModel;
  }
  if (is_safetensors(head, file)) {
    return std::string("it is a safetensors file; ") + kOtherModel;
  }
  if (is_onnx(head)) {
    return std::string("it is an ONNX model; ") + kOtherModel;
  }
  if (const char* name = named(head, std::begin(kOthers), std::end(kOthers))) {
    return std::string("it is ") + name + "; " + kMake;
  }
  if (begins(text, "{") || begins(text, "[")) {
    return std::string("it is JSON; ") + kMake;
  }
  if (begins(text, "<")) {
    return std::string("it is XML; ") + kMake;
  }
  const bool is_text = std::none_of(head.begin(), head.end(), [](char character) {
    const auto byte = static_cast<unsigned char>(character);
    return byte < 32 && byte != '\t' && byte != '\r' && byte != '\n';
  });
  return std::string(is_text ? "it is a text file; " : "which has ET12 at byte 4; ") + kMake;
}

}  // namespace linnet
