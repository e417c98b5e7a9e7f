#include "objstore/sources.h"

#include <algorithm>

namespace gauntlet::objstore {

Status BytesFile::ReadTo(uint64_t offset, size_t n, char* out) const {
  if (offset > bytes_.size() || n > bytes_.size() - offset) return {Code::kCorrupt, "read past the end of the bytes"};
  bytes_.copy(out, n, offset);
  return Status();
}

Result<size_t> StringSource::Read(char* out, size_t n) {
  n = file_.bytes().substr(at_).copy(out, n);
  at_ += n;
  return n;
}

Result<std::unique_ptr<FileSource>> FileSource::Open(io::FileSystem& files, const std::string& path) {
  GN_ASSIGN(auto file, files.OpenRandom(path));
  return std::make_unique<FileSource>(std::move(file));
}

Result<size_t> FileSource::Read(char* out, size_t n) {
  n = static_cast<size_t>(std::min<uint64_t>(n, file_->size() - at_));
  if (n == 0) return n;
  GN_TRY(file_->ReadTo(at_, n, out));
  at_ += n;
  return n;
}

}  // namespace gauntlet::objstore
