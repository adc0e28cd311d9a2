// Runs a fuzzer's function over files, and over each with some bytes changed, cut off and doubled: what
// libFuzzer does with a corpus, without libFuzzer.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <random>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

using Bytes = std::vector<std::uint8_t>;

namespace {

constexpr int kChanges = 200;

Bytes changed(const Bytes& bytes, std::mt19937& random) {
  Bytes made = bytes;
  const auto place = [&] { return made.empty() ? 0 : random() % made.size(); };
  for (unsigned count = 1 + random() % 4; count > 0; --count) {
    switch (random() % 4) {
      case 0:
        made.resize(place());
        break;
      case 1:
        made.insert(made.end(), bytes.begin() + static_cast<std::ptrdiff_t>(random() % (bytes.size() + 1)),
                    bytes.end());
        break;
      default:
        if (!made.empty()) {
          made[place()] = static_cast<std::uint8_t>(random());
        }
    }
  }
  return made;
}

}  // namespace

int main(int argc, char** argv) {
  std::mt19937 random(1);
  int runs = 0;
  for (int i = 1; i < argc; ++i) {
    std::ifstream file(argv[i], std::ios::binary);
    const Bytes bytes{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    std::printf("%s\n", argv[i]);
    std::fflush(stdout);
    LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
    for (int change = 0; change < kChanges; ++change) {
      const Bytes other = changed(bytes, random);
      LLVMFuzzerTestOneInput(other.data(), other.size());
    }
    runs += 1 + kChanges;
  }
  std::printf("%d runs\n", runs);
}
