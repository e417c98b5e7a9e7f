#include "net/http_gzip.h"

#include <zlib.h>

#include <algorithm>

#include "base/check.h"
#include "net/http.h"

namespace gauntlet::net {
namespace {

constexpr int kGzip = 16;  // added to zlib's window bits: gzip's frame
constexpr int kLevel = 1;  // three times faster than zlib's default, for about a tenth more bytes of JSON
constexpr size_t kStep = 64 << 10;

std::string_view Trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// True when the parameters say q=0 (any number of zeros).
bool Refused(std::string_view parameters) {
  std::string text = LowerAscii(parameters);
  std::erase(text, ' ');
  if (!text.starts_with("q=0")) return false;
  return text.find_first_not_of("0.", 2) == std::string::npos;
}

// Inflates until the end of the stream (of each member, for gzip).
Result<std::string> Inflate(std::string_view bytes, int window_bits, size_t bytes_max) {
  z_stream stream{};
  GN_CHECK(inflateInit2(&stream, window_bits) == Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  std::string out;
  int result = Z_OK;
  while (true) {
    size_t had = out.size();
    if (had > bytes_max) {
      result = Z_BUF_ERROR;
      break;
    }
    out.resize(had + std::min(std::max(kStep, had), bytes_max + 1 - had));
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + had);
    stream.avail_out = static_cast<uInt>(out.size() - had);
    result = inflate(&stream, Z_NO_FLUSH);
    out.resize(out.size() - stream.avail_out);
    if (result == Z_STREAM_END) {
      bool another = window_bits > 15 && stream.avail_in > 0;
      if (!another || inflateReset(&stream) != Z_OK) break;
    } else if (result != Z_OK || (stream.avail_in == 0 && stream.avail_out > 0)) {
      if (result == Z_OK) result = Z_DATA_ERROR;  // cut short
      break;
    }
  }
  bool trailing = stream.avail_in > 0;
  inflateEnd(&stream);
  if (out.size() > bytes_max) {
    return Status(Code::kExhausted, "the decoded body is longer than " + std::to_string(bytes_max) + " bytes");
  }
  if (result != Z_STREAM_END || trailing) return Status(Code::kInvalid, "the compressed body is damaged");
  return out;
}

}  // namespace

bool AcceptsGzip(std::string_view accept_encoding) {
  bool any = false;
  while (!accept_encoding.empty()) {
    size_t comma = std::min(accept_encoding.find(','), accept_encoding.size());
    std::string_view item = Trimmed(accept_encoding.substr(0, comma));
    accept_encoding.remove_prefix(std::min(comma + 1, accept_encoding.size()));
    size_t semicolon = std::min(item.find(';'), item.size());
    std::string coding = LowerAscii(Trimmed(item.substr(0, semicolon)));
    bool refused = Refused(Trimmed(item.substr(std::min(semicolon + 1, item.size()))));
    if (coding == "gzip" || coding == "x-gzip") return !refused;
    if (coding == "*") any = !refused;
  }
  return any;
}

Result<std::string> DecodeContent(std::string_view coding, std::string_view bytes, size_t bytes_max) {
  if (bytes.size() > UINT32_MAX) return Status(Code::kExhausted, "the compressed body is longer than 4 GiB");
  std::string name = LowerAscii(Trimmed(coding));
  if (name.empty() || name == "identity") return std::string(bytes);
  if (name == "gzip" || name == "x-gzip") return Inflate(bytes, 15 + kGzip, bytes_max);
  if (name == "deflate") {
    // The RFC means zlib's frame; some clients send none. The first two bytes tell.
    auto byte = [&](size_t i) { return i < bytes.size() ? static_cast<uint8_t>(bytes[i]) : 0; };
    bool framed = (byte(0) & 0x0f) == 8 && (byte(0) << 8 | byte(1)) % 31 == 0;
    return Inflate(bytes, framed ? 15 : -15, bytes_max);
  }
  return Status(Code::kUnsupported, "unsupported Content-Encoding \"" + name + "\"");
}

struct GzipWriter::Rep {
  z_stream stream{};
};

GzipWriter::GzipWriter() : rep_(std::make_unique<Rep>()) {
  GN_CHECK(deflateInit2(&rep_->stream, kLevel, Z_DEFLATED, 15 + kGzip, 8, Z_DEFAULT_STRATEGY) == Z_OK);
}

GzipWriter::~GzipWriter() { deflateEnd(&rep_->stream); }

void GzipWriter::Write(std::string_view bytes, Mode mode, std::string* out) {
  z_stream& stream = rep_->stream;
  int flush = mode == Mode::kMore ? Z_NO_FLUSH : mode == Mode::kFlush ? Z_SYNC_FLUSH : Z_FINISH;
  do {
    std::string_view part = bytes.substr(0, 1 << 30);
    bytes.remove_prefix(part.size());
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(part.data()));
    stream.avail_in = static_cast<uInt>(part.size());
    do {
      size_t had = out->size();
      out->resize(had + std::clamp<size_t>(part.size() / 4, 1 << 10, kStep));
      stream.next_out = reinterpret_cast<Bytef*>(out->data() + had);
      stream.avail_out = static_cast<uInt>(out->size() - had);
      int result = deflate(&stream, bytes.empty() ? flush : Z_NO_FLUSH);
      GN_CHECK(result == Z_OK || result == Z_STREAM_END || result == Z_BUF_ERROR);
      out->resize(out->size() - stream.avail_out);
    } while (stream.avail_out == 0);
  } while (!bytes.empty());
}

}  // namespace gauntlet::net
