#include "io/direct_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <new>

#include "io/errno_status.h"

namespace gauntlet::io {
namespace {

constexpr size_t kBufferBytes = 1 << 20;

bool IsAligned(const char* bytes) { return reinterpret_cast<uintptr_t>(bytes) % kDirectAlignment == 0; }

}  // namespace

void FreeAligned::operator()(char* bytes) const { operator delete[](bytes, std::align_val_t(kDirectAlignment)); }

AlignedBytes MakeAligned(size_t n) {
  return AlignedBytes(static_cast<char*>(operator new[](n, std::align_val_t(kDirectAlignment))));
}

Status DirectFile::LeaveDirect() {
  direct_ = false;
  int flags = fcntl(fd_.get(), F_GETFL);
  if (flags < 0 || fcntl(fd_.get(), F_SETFL, flags & ~O_DIRECT) != 0) return ErrnoStatus("set flags of", path_);
  return Status();
}

Status DirectFile::Write(std::string_view bytes) {
  while (!bytes.empty()) {
    // Also after a write that ended within a block.
    if (direct_ && (!IsAligned(bytes.data()) || bytes.size() % kDirectAlignment != 0)) GN_TRY(LeaveDirect());
    ssize_t put = write(fd_.get(), bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0 && errno == EINVAL && direct_) {
      GN_TRY(LeaveDirect());
      continue;
    }
    if (put < 0) return ErrnoStatus("write", path_);
    bytes.remove_prefix(static_cast<size_t>(put));
  }
  return Status();
}

Status DirectFile::Append(std::string_view bytes) {
  size_ += bytes.size();
  while (!bytes.empty()) {
    size_t whole = bytes.size() - bytes.size() % kDirectAlignment;
    if (used_ == 0 && (!direct_ || (whole > 0 && IsAligned(bytes.data())))) {
      size_t now = direct_ ? whole : bytes.size();
      GN_TRY(Write(bytes.substr(0, now)));
      bytes.remove_prefix(now);
      continue;
    }
    if (buffer_ == nullptr) buffer_ = MakeAligned(kBufferBytes);
    size_t now = std::min(bytes.size(), kBufferBytes - used_);
    std::memcpy(buffer_.get() + used_, bytes.data(), now);
    used_ += now;
    bytes.remove_prefix(now);
    if (used_ < kBufferBytes) continue;
    used_ = 0;
    GN_TRY(Write({buffer_.get(), kBufferBytes}));
  }
  return Status();
}

Status DirectFile::Sync() {
  if (used_ > 0) {
    size_t whole = used_ - used_ % kDirectAlignment, rest = used_ - whole;
    used_ = 0;
    GN_TRY(Write({buffer_.get(), whole}));
    GN_TRY(Write({buffer_.get() + whole, rest}));
  }
  return fdatasync(fd_.get()) == 0 ? Status() : ErrnoStatus("fsync", path_);
}

}  // namespace gauntlet::io
