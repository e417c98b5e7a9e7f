#include "store/caches/postings_codec.h"

#include "base/varint.h"
#include "io/compress.h"
#include "io/crc32c.h"

namespace gauntlet::store {
namespace {

constexpr std::string_view kStreamed = "dss", kBlock = "dvs";
constexpr size_t kPlainBytesMax = size_t{1} << 30;

void AppendBigEndian32(uint32_t v, std::string* out) {
  for (int shift = 24; shift >= 0; shift -= 8) out->push_back(static_cast<char>(v >> shift));
}

}  // namespace

std::string EncodePostings(std::span<const uint32_t> ids) {
  std::string plain;
  plain.reserve(ids.size() + ids.size() / 4);
  uint32_t before = 0;
  for (uint32_t id : ids) {
    AppendUvarint(plain, id - before);
    before = id;
  }
  return std::string(kStreamed) + io::SnappyFramedCompress(plain);
}

Result<std::vector<uint32_t>> DecodePostings(std::string_view bytes) {
  std::string plain;
  if (bytes.starts_with(kStreamed)) {
    GN_ASSIGN(plain, io::SnappyFramedDecompress(bytes.substr(kStreamed.size()), kPlainBytesMax));
  } else if (bytes.starts_with(kBlock)) {
    GN_ASSIGN(plain, io::SnappyDecompress(bytes.substr(kBlock.size()), kPlainBytesMax));
  } else {
    return Status(Code::kCorrupt, "postings in no known form");
  }
  std::vector<uint32_t> ids;
  ids.reserve(plain.size());
  ByteReader reader(plain);
  uint64_t id = 0;
  while (reader.left() > 0) {
    uint64_t step = 0;
    if (!reader.Uvarint(&step) || step > UINT32_MAX || (step == 0 && !ids.empty()) || id + step > UINT32_MAX)
      return Status(Code::kCorrupt, "postings do not ascend");
    id += step;
    ids.push_back(static_cast<uint32_t>(id));
  }
  return ids;
}

std::string IndexListOf(std::span<const uint32_t> ids) {
  std::string out;
  out.reserve(ids.size() * 4 + 12);
  AppendBigEndian32(static_cast<uint32_t>(ids.size() * 4 + 4), &out);
  size_t body = out.size();
  AppendBigEndian32(static_cast<uint32_t>(ids.size()), &out);
  for (uint32_t id : ids) AppendBigEndian32(id, &out);
  AppendBigEndian32(io::Crc32c(std::string_view(out).substr(body)), &out);
  return out;
}

}  // namespace gauntlet::store
