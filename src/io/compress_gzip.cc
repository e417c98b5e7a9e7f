#include <libdeflate.h>
#include <zlib.h>

#include <algorithm>
#include <array>

#include "base/check.h"
#include "io/compress.h"

namespace gauntlet::io {
namespace {

constexpr size_t kDeflateRatioMax = 1032;  // the most that deflate can expand
constexpr int kLevelMax = 12;

struct FreeCompressor {
  void operator()(libdeflate_compressor* c) const { libdeflate_free_compressor(c); }
};
struct FreeDecompressor {
  void operator()(libdeflate_decompressor* d) const { libdeflate_free_decompressor(d); }
};

// Some hundred kilobytes each: kept per thread and level.
libdeflate_compressor* Compressor(int level) {
  thread_local std::array<std::unique_ptr<libdeflate_compressor, FreeCompressor>, kLevelMax + 1> compressors;
  auto& compressor = compressors[static_cast<size_t>(level)];
  if (compressor == nullptr) compressor.reset(libdeflate_alloc_compressor(level));
  GN_CHECK(compressor != nullptr);
  return compressor.get();
}

libdeflate_decompressor* Decompressor() {
  thread_local std::unique_ptr<libdeflate_decompressor, FreeDecompressor> decompressor(libdeflate_alloc_decompressor());
  GN_CHECK(decompressor != nullptr);
  return decompressor.get();
}

Status TooLarge(size_t bytes_max) {
  return Status(Code::kExhausted, "gzip: decompresses to more than " + std::to_string(bytes_max) + " bytes");
}

Status Broken(std::string_view why) { return Status(Code::kCorrupt, "gzip: " + std::string(why)); }

// The size that a single member's trailer claims. Only a first guess: it is modulo 2^32, and may be a lie.
size_t ClaimedSize(std::string_view bytes) {
  if (bytes.size() < 18) return 0;
  size_t size = 0;
  for (size_t i = 0; i < 4; ++i)
    size |= static_cast<size_t>(static_cast<uint8_t>(bytes[bytes.size() - 4 + i])) << 8 * i;
  return std::min(size, bytes.size() * kDeflateRatioMax);
}

}  // namespace

std::string GzipCompress(std::string_view bytes, int level) {
  auto* compressor = Compressor(std::clamp(level, 1, kLevelMax));
  std::string out(libdeflate_gzip_compress_bound(compressor, bytes.size()), '\0');
  size_t size = libdeflate_gzip_compress(compressor, bytes.data(), bytes.size(), out.data(), out.size());
  GN_CHECK(size > 0);
  out.resize(size);
  return out;
}

Result<std::string> GzipDecompress(std::string_view bytes, size_t bytes_max) {
  bytes_max = std::min(bytes_max, kNoByteLimit);
  std::string out;
  size_t used = 0;  // of out
  // One byte more than expected, so that a full buffer always means that more is to come.
  out.resize(std::min(ClaimedSize(bytes), bytes_max) + 1);
  do {
    size_t in_used = 0, out_used = 0;
    libdeflate_result result = libdeflate_gzip_decompress_ex(Decompressor(), bytes.data(), bytes.size(),
                                                             out.data() + used, out.size() - used, &in_used, &out_used);
    if (result == LIBDEFLATE_INSUFFICIENT_SPACE) {
      if (out.size() > bytes_max) return TooLarge(bytes_max);
      out.resize(std::min(std::max<size_t>(out.size() * 2, 4096), bytes_max + 1));
      continue;
    }
    if (result != LIBDEFLATE_SUCCESS) return Broken("invalid or truncated data");
    used += out_used;
    bytes.remove_prefix(in_used);
    if (used > bytes_max) return TooLarge(bytes_max);
  } while (!bytes.empty());
  out.resize(used);
  return out;
}

class GzipWriter::Rep {
 public:
  explicit Rep(int level) {
    constexpr int kGzip = 16;
    GN_CHECK(deflateInit2(&stream, std::clamp(level, 1, 9), Z_DEFLATED, MAX_WBITS + kGzip, 8, Z_DEFAULT_STRATEGY) ==
             Z_OK);
  }
  ~Rep() { deflateEnd(&stream); }
  Rep(const Rep&) = delete;
  Rep& operator=(const Rep&) = delete;

  void Run(std::string_view bytes, int flush, std::string* out) {
    std::array<char, 16 << 10> buffer;
    do {  // zlib counts in 32 bits
      std::string_view piece = bytes.substr(0, 1 << 30);
      bytes.remove_prefix(piece.size());
      stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(piece.data()));
      stream.avail_in = static_cast<uInt>(piece.size());
      do {
        stream.next_out = reinterpret_cast<Bytef*>(buffer.data());
        stream.avail_out = static_cast<uInt>(buffer.size());
        GN_CHECK(deflate(&stream, bytes.empty() ? flush : Z_NO_FLUSH) != Z_STREAM_ERROR);
        out->append(buffer.data(), buffer.size() - stream.avail_out);
      } while (stream.avail_out == 0);
    } while (!bytes.empty());
  }

  z_stream stream = {};
};

GzipWriter::GzipWriter(int level) : rep_(std::make_unique<Rep>(level)) {}
GzipWriter::~GzipWriter() = default;
void GzipWriter::Append(std::string_view bytes, std::string* out) { rep_->Run(bytes, Z_NO_FLUSH, out); }
void GzipWriter::Flush(std::string* out) { rep_->Run({}, Z_SYNC_FLUSH, out); }
void GzipWriter::Finish(std::string* out) { rep_->Run({}, Z_FINISH, out); }

class GzipReader::Rep {
 public:
  explicit Rep(size_t max) : bytes_max(max) {
    constexpr int kGzipOrZlib = 32;
    GN_CHECK(inflateInit2(&stream, MAX_WBITS + kGzipOrZlib) == Z_OK);
  }
  ~Rep() { inflateEnd(&stream); }
  Rep(const Rep&) = delete;
  Rep& operator=(const Rep&) = delete;

  z_stream stream = {};
  const size_t bytes_max;
  size_t written = 0;
  bool at_end = false, started = false;
};

GzipReader::GzipReader(size_t bytes_max) : rep_(std::make_unique<Rep>(bytes_max)) {}
GzipReader::~GzipReader() = default;

Status GzipReader::Append(std::string_view bytes, std::string* out) {
  z_stream& stream = rep_->stream;
  std::array<char, 16 << 10> buffer;
  for (bool full = false; !bytes.empty() || full;) {
    if (rep_->at_end) {  // another member follows
      inflateReset(&stream);
      rep_->at_end = false;
    }
    rep_->started = true;
    std::string_view piece = bytes.substr(0, 1 << 30);
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(piece.data()));
    stream.avail_in = static_cast<uInt>(piece.size());
    stream.next_out = reinterpret_cast<Bytef*>(buffer.data());
    stream.avail_out = static_cast<uInt>(buffer.size());
    int result = inflate(&stream, Z_NO_FLUSH);
    if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR) {
      return Broken(stream.msg ? stream.msg : "invalid data");
    }
    bytes.remove_prefix(piece.size() - stream.avail_in);
    size_t size = buffer.size() - stream.avail_out;
    if (size > rep_->bytes_max - rep_->written) return TooLarge(rep_->bytes_max);
    rep_->written += size;
    out->append(buffer.data(), size);
    rep_->at_end = result == Z_STREAM_END;
    full = stream.avail_out == 0 && !rep_->at_end;
  }
  return Status();
}

Status GzipReader::Finish() const {
  return rep_->at_end || !rep_->started ? Status() : Broken("unexpected end of data");
}

}  // namespace gauntlet::io
