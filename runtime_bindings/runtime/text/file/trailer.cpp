#include "file/trailer.h"

#include <algorithm>
#include <cstring>
#include <string_view>

#include "file/other_kinds.h"
#include "file/sha256.h"
#include "linnet.h"
#include "status.h"

namespace linnet {
namespace {

constexpr std::size_t kFooterSize = 128;
constexpr std::uint64_t kMajor = 1;
constexpr std::uint64_t kSignedMinor = 2;  // from here on a signature covers the footer too
constexpr std::size_t kRangeSize = 16;
constexpr std::size_t kMostRanges = 1U << 16U;
constexpr std::size_t kMostEvidence = 16U << 20U;
constexpr std::size_t kFileHashAt = 80;
constexpr std::size_t kZeroAt = 112;
constexpr std::uint64_t kBitsMinor = 3;  // from it on the byte at kZeroAt is 7 if 7 bits are proven, else 0
constexpr std::string_view kMagic = "LNTRAILR";
constexpr std::string_view kSignedDomain1 = "linnet file signature 1\n";
constexpr std::string_view kSignedDomain2 = "linnet file signature 2\n";
constexpr std::string_view kEndMagic = "LNTREND\n";
constexpr std::string_view kManifestMark = "schema_version";  // the manifest's first constant method
constexpr std::size_t kMarkWindow = 1U << 20U;                // bytes searched for the mark, as in trailer.py
constexpr std::string_view kExtendedHeader = "eh00";          // at byte 8 (ExecuTorch, extended_header.h)

struct Footer {
  std::uint64_t major;
  std::uint64_t minor;
  std::uint64_t footer_size;
  std::uint64_t program_size;
  std::uint64_t evidence_size;
  std::uint64_t range_count;
  std::uint64_t signature_size;
};

bool equals(ByteView bytes, std::string_view text) {
  return bytes.size() == text.size() && std::memcmp(bytes.data(), text.data(), text.size()) == 0;
}

bool contains(ByteView bytes, std::string_view text) {
  const std::uint8_t* end = bytes.data() + bytes.size();
  return std::search(bytes.data(), end, text.begin(), text.end()) != end;
}

[[noreturn]] void refuse_trailer(const std::string& name, const std::string& problem) {
  throw Error(LINNET_TRAILER_DAMAGED,
              name + ": the trailer " + problem + "; copy the file again, or export it again");
}

void check_program_start(ByteView file, const std::string& name) {
  if (file.size() < 8) {
    throw Error(LINNET_NOT_A_PROGRAM,
                name + ": " + std::to_string(file.size()) + " bytes, too short for an ExecuTorch program");
  }
  if (!equals(file.part(4, 2), "ET")) {
    throw Error(LINNET_NOT_A_PROGRAM, name + ": not an ExecuTorch program, " + other_kind(file));
  }
}

// The size of a program by its extended header (ExecuTorch, extended_header.h), 0 without one.
std::uint64_t least_size(ByteView file) {
  constexpr std::size_t kHeaderSize = 40;
  constexpr std::uint64_t kWithSegmentsSize = 32;
  if (file.size() < kHeaderSize) {
    return kHeaderSize;
  }
  if (!equals(file.part(8, 4), kExtendedHeader)) {
    return 0;
  }
  const std::uint64_t segments_at = file.integer(24, 8);
  const std::uint64_t segments_size = file.integer(12, 4) >= kWithSegmentsSize ? file.integer(32, 8) : 0;
  // an end beyond all numbers is none that a file can have
  const std::uint64_t end =
      segments_size > UINT64_MAX - segments_at ? UINT64_MAX : segments_at + segments_size;
  return std::max(file.integer(16, 8), end);
}

[[noreturn]] void refuse_without_trailer(ByteView file, const std::string& name) {
  const std::uint64_t least = least_size(file);
  if (file.size() < least) {
    throw Error(LINNET_FILE_TRUNCATED, name + ": has " + std::to_string(file.size()) +
                                           " bytes, its own header needs " + std::to_string(least) +
                                           ": the download or the copy was cut off; fetch it again");
  }
  if (contains(file.part(0, std::min(file.size(), kMarkWindow)), kManifestMark)) {
    throw Error(LINNET_FILE_TRUNCATED,
                name +
                    ": the trailer is missing although the program has linnet's manifest: "
                    "the end of the file is cut off; copy or export it again");
  }
  throw Error(LINNET_NOT_A_LINNET_FILE,
              name +
                  ": an ExecuTorch program without linnet's manifest; "
                  "make one with `linnet export`, or run it with executorch.runtime");
}

Footer parse_footer(ByteView footer) {
  return {footer.integer(8, 2),  footer.integer(10, 2), footer.integer(12, 4), footer.integer(16, 8),
          footer.integer(24, 8), footer.integer(32, 8), footer.integer(40, 8)};
}

// Tell whether the parts of the file add up to its size. Sizes are subtracted one by one from what is left,
// because a sum of forged sizes could overflow.
bool adds_up(const Footer& footer, std::uint64_t file_size) {
  std::uint64_t left = file_size;
  const auto take = [&left](std::uint64_t size) {
    const bool fits = size <= left;
    left -= fits ? size : 0;
    return fits;
  };
  return footer.range_count <= file_size / kRangeSize && take(kFooterSize) && take(footer.program_size) &&
         take(footer.evidence_size) && take(footer.range_count * kRangeSize) && take(footer.signature_size) &&
         left == 0;
}

void check_footer(const Footer& footer, ByteView bytes, std::uint64_t file_size, const std::string& name) {
  if (!equals(bytes.part(0, 8), kMagic)) {
    refuse_trailer(name, "does not start with LNTRAILR");
  }
  if (footer.major != kMajor) {
    refuse_trailer(name, "has version " + std::to_string(footer.major) + ", this linnet reads " +
                             std::to_string(kMajor) + ".x");
  }
  if (footer.footer_size != kFooterSize) {
    refuse_trailer(name, "says " + std::to_string(footer.footer_size) + " bytes, expected 128");
  }
  if (!adds_up(footer, file_size)) {
    refuse_trailer(name, "does not add up to the file's " + std::to_string(file_size) + " bytes");
  }
  if (footer.minor <= kSignedMinor && bytes.integer(kZeroAt, 8) != 0) {
    refuse_trailer(name, "has bytes that are not zero behind its hashes");
  }
  const std::uint64_t bits = bytes.integer(kZeroAt, 8);
  if (footer.minor == kBitsMinor && bits != 0 && bits != 7) {
    refuse_trailer(name, "has " + std::to_string(bits) + " as its proven bits, expected 0 or 7");
  }
  if (footer.minor == 0 && footer.signature_size != 0) {
    refuse_trailer(name, "has a signature, which version 1.0 does not know");
  }
  if (footer.range_count > kMostRanges) {
    refuse_trailer(name, "has " + std::to_string(footer.range_count) + " ranges, expected at most " +
                             std::to_string(kMostRanges));
  }
  if (footer.evidence_size > kMostEvidence) {
    refuse_trailer(name, "has " + std::to_string(footer.evidence_size) +
                             " bytes of evidence, expected at most " + std::to_string(kMostEvidence));
  }
}

std::vector<ByteView> parse_ranges(ByteView table, ByteView program, const std::string& name) {
  std::vector<ByteView> ranges;
  std::uint64_t left = program.size();  // ranges do not overlap, so hashing is bounded by the program
  for (std::size_t at = 0; at < table.size(); at += kRangeSize) {
    const std::uint64_t offset = table.integer(at, 8);
    const std::uint64_t size = table.integer(at + 8, 8);
    if (size == 0 || size > left || !program.has(offset, size)) {
      refuse_trailer(name, "names ranges that do not fit into the program");
    }
    left -= size;
    ranges.push_back(program.part(static_cast<std::size_t>(offset), static_cast<std::size_t>(size)));
  }
  return ranges;
}

// Return how many bytes from the start ExecuTorch parses: up to the first segment, or all of them.
std::uint64_t parsed_size(ByteView program) {
  constexpr std::size_t kSegmentBaseAt = 24;
  if (program.size() < 32 || !equals(program.part(8, 4), kExtendedHeader)) {
    return program.size();
  }
  const std::uint64_t base = program.integer(kSegmentBaseAt, 8);
  return base == 0 ? program.size() : base;
}

// Refuse a hash that does not cover what ExecuTorch parses: it would protect nothing.
void check_coverage(const Trailer& trailer, const std::string& name) {
  if (trailer.structure.empty() || trailer.structure[0].data() != trailer.program.data() ||
      trailer.structure[0].size() <
          std::min<std::uint64_t>(parsed_size(trailer.program), trailer.program.size())) {
    refuse_trailer(name, "does not cover the header and the program section");
  }
}

void check_evidence(ByteView evidence, const std::string& name) {
  const std::size_t size = evidence.size();
  if (size < 2 || evidence.data()[0] != '{' || evidence.data()[size - 1] != '}') {
    refuse_trailer(name, "has no JSON object as evidence");
  }
}

bool same(ByteView expected, const Sha256::Digest& found) {
  return std::memcmp(expected.data(), found.data(), found.size()) == 0;
}

}  // namespace

Trailer read_trailer(ByteView file, const std::string& name) {
  check_program_start(file, name);
  if (file.size() < kFooterSize || !equals(file.part(file.size() - 8, 8), kEndMagic)) {
    refuse_without_trailer(file, name);
  }
  const ByteView bytes = file.part(file.size() - kFooterSize, kFooterSize);
  const Footer footer = parse_footer(bytes);
  check_footer(footer, bytes, file.size(), name);

  const auto program_size = static_cast<std::size_t>(footer.program_size);
  const auto evidence_size = static_cast<std::size_t>(footer.evidence_size);
  const auto table_size = static_cast<std::size_t>(footer.range_count) * kRangeSize;
  Trailer trailer;
  trailer.proven_seven_bits = footer.minor >= kBitsMinor && bytes.integer(kZeroAt, 1) == 7;
  trailer.program = file.part(0, program_size);
  trailer.evidence = file.part(program_size, evidence_size);
  trailer.structure =
      parse_ranges(file.part(program_size + evidence_size, table_size), trailer.program, name);
  trailer.structure_hash = bytes.part(48, 32);
  trailer.file_hash = bytes.part(kFileHashAt, 32);
  trailer.before_file_hash = file.part(0, file.size() - kFooterSize + kFileHashAt);
  trailer.before_signature = file.part(0, program_size + evidence_size + table_size);
  trailer.signature =
      file.part(program_size + evidence_size + table_size, static_cast<std::size_t>(footer.signature_size));
  trailer.footer = bytes;
  check_coverage(trailer, name);
  check_evidence(trailer.evidence, name);
  return trailer;
}

void check_structure(const Trailer& trailer, const std::string& name) {
  Sha256 hash;
  for (const ByteView& range : trailer.structure) {
    hash.update(range);
  }
  if (!same(trailer.structure_hash, hash.finish())) {
    throw Error(LINNET_PROGRAM_DAMAGED,
                name +
                    ": header, program section or a delegate section differs from its SHA-256; "
                    "copy the file again, or export it again");
  }
}

std::vector<std::uint8_t> signed_message(const Trailer& trailer, const std::string& name) {
  if (trailer.signature.size() != LINNET_SIGNATURE_SIZE) {
    throw Error(LINNET_SIGNATURE_INVALID, name + ": the file has no signature; sign it with: linnet sign");
  }
  const bool covers_footer = trailer.footer.integer(10, 2) >= kSignedMinor;
  Sha256 hash;
  hash.update(trailer.before_signature);
  Sha256 whole = hash;
  whole.update(trailer.signature);
  whole.update(trailer.footer.part(0, kFileHashAt));
  if (!same(trailer.file_hash, whole.finish())) {
    throw Error(LINNET_SIGNATURE_INVALID, name + ": the file was changed since it was signed; do not use it");
  }
  if (covers_footer) {
    hash.update(trailer.footer.part(0, kFileHashAt));
    hash.update(trailer.footer.part(kZeroAt, kFooterSize - kZeroAt));
  }
  const Sha256::Digest digest = hash.finish();
  const std::string_view domain = covers_footer ? kSignedDomain2 : kSignedDomain1;
  std::vector<std::uint8_t> message(domain.begin(), domain.end());
  for (const ByteView part :
       {trailer.footer.part(16, 24), trailer.structure_hash, ByteView(digest.data(), digest.size())}) {
    message.insert(message.end(), part.data(), part.data() + part.size());
  }
  return message;
}

void check_file(const Trailer& trailer, const std::string& name) {
  Sha256 hash;
  hash.update(trailer.before_file_hash);
  if (!same(trailer.file_hash, hash.finish())) {
    throw Error(LINNET_FILE_DAMAGED, name +
                                         ": weights or evidence differ from the SHA-256 of the file; "
                                         "copy the file again, or export it again");
  }
}

}  // namespace linnet
