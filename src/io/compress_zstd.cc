#include <zstd.h>
#include <zstd_errors.h>

#include <algorithm>

#include "base/check.h"
#include "io/compress.h"

namespace gauntlet::io {
namespace {

struct FreeContext {
  void operator()(ZSTD_CCtx* c) const { ZSTD_freeCCtx(c); }
  void operator()(ZSTD_DCtx* d) const { ZSTD_freeDCtx(d); }
};

// A window of at most 128 MiB is asked for by any frame that tools make.
constexpr int kWindowLogMax = 27;

ZSTD_CCtx* ZstdCompressor() {
  thread_local std::unique_ptr<ZSTD_CCtx, FreeContext> context(ZSTD_createCCtx());
  GN_CHECK(context != nullptr);
  return context.get();
}

ZSTD_DCtx* ZstdDecompressor() {
  thread_local std::unique_ptr<ZSTD_DCtx, FreeContext> context(ZSTD_createDCtx());
  GN_CHECK(context != nullptr);
  ZSTD_DCtx_reset(context.get(), ZSTD_reset_session_only);
  ZSTD_DCtx_setParameter(context.get(), ZSTD_d_windowLogMax, kWindowLogMax);
  return context.get();
}

Status ZstdBroken(std::string_view why) { return Status(Code::kCorrupt, "zstd: " + std::string(why)); }

Status ZstdTooLarge(size_t bytes_max) {
  return Status(Code::kExhausted, "zstd: decompresses to more than " + std::to_string(bytes_max) + " bytes");
}

}  // namespace

void ZstdCompress(std::string_view bytes, int level, std::string* out) {
  out->resize(ZSTD_compressBound(bytes.size()));
  size_t size = ZSTD_compressCCtx(ZstdCompressor(), out->data(), out->size(), bytes.data(), bytes.size(), level);
  GN_CHECK(!ZSTD_isError(size));
  out->resize(size);
}

std::string ZstdCompress(std::string_view bytes, int level) {
  std::string out;
  ZstdCompress(bytes, level, &out);
  return out;
}

// One frame that tells its size decodes straight into place. Otherwise as a stream: frames need not tell it, and what
// they tell need not be true.
Status ZstdDecompress(std::string_view bytes, size_t bytes_max, std::string* out) {
  bytes_max = std::min(bytes_max, kNoByteLimit);
  ZSTD_DCtx* context = ZstdDecompressor();
  unsigned long long claimed = ZSTD_getFrameContentSize(bytes.data(), bytes.size());
  bool known = claimed != ZSTD_CONTENTSIZE_UNKNOWN && claimed != ZSTD_CONTENTSIZE_ERROR;
  if (known && claimed > bytes_max) return ZstdTooLarge(bytes_max);
  bool one_frame = ZSTD_findFrameCompressedSize(bytes.data(), bytes.size()) == bytes.size();
  if (known && one_frame && claimed <= bytes.size() * 64) {
    out->resize(static_cast<size_t>(claimed));
    size_t size = ZSTD_decompressDCtx(context, out->data(), out->size(), bytes.data(), bytes.size());
    if (ZSTD_isError(size)) return ZstdBroken(ZSTD_getErrorName(size));
    out->resize(size);
    return Status();
  }
  size_t guess = known && claimed <= bytes.size() * 64 ? static_cast<size_t>(claimed) : bytes.size() * 4;
  out->clear();
  out->resize(std::min(guess, bytes_max) + 1);  // one more, so that a full buffer means that more is to come
  ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
  size_t used = 0, left = 1;  // left = 0: a frame has ended
  while (in.pos < in.size || left != 0) {
    if (used == out->size()) {
      if (used > bytes_max) return ZstdTooLarge(bytes_max);
      out->resize(std::min(std::max<size_t>(used * 2, 4096), bytes_max + 1));
    }
    ZSTD_outBuffer to{out->data() + used, out->size() - used, 0};
    size_t in_before = in.pos;
    left = ZSTD_decompressStream(context, &to, &in);
    if (ZSTD_isError(left)) return ZstdBroken(ZSTD_getErrorName(left));
    used += to.pos;
    if (left != 0 && in.pos == in_before && to.pos == 0) {
      return ZstdBroken("unexpected end of data");
    }
  }
  if (used > bytes_max) return ZstdTooLarge(bytes_max);
  out->resize(used);
  return Status();
}

Result<std::string> ZstdDecompress(std::string_view bytes, size_t bytes_max) {
  std::string out;
  GN_TRY(ZstdDecompress(bytes, bytes_max, &out));
  return out;
}

}  // namespace gauntlet::io
