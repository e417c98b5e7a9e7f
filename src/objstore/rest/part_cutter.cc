#include "objstore/rest/part_cutter.h"

#include <algorithm>
#include <utility>

#include "objstore/directories.h"

namespace gauntlet::objstore {

PartCutter::PartCutter(Source& source, CutOptions options)
    : options_(options),
      source_(source),
      stream_(source.file() == nullptr),
      part_bytes_(stream_ ? options.stream_part_bytes : options.file_part_bytes) {}

Result<bool> PartCutter::Next(UploadPart* part) {
  MutexLock lock(mutex_);
  if (!pushed_.empty()) {
    *part = std::move(pushed_.back());
    pushed_.pop_back();
    return true;
  }
  if (over_) return false;
  part->number = next_++;
  part->offset = at_;
  if (!stream_) {
    part->file = source_.file();
    part->bytes = std::min(part_bytes_, part->file->size() - at_);
  } else {
    if (part->number > 1 && (part->number - 1) % options_.parts_before_doubling == 0) part_bytes_ *= 2;
    GN_TRY(Fill(&part->buffer));
    part->bytes = part->buffer.size();
  }
  at_ += part->bytes;
  if (at_ > options_.object_bytes_max) return Status(Code::kInvalid, "an object of more bytes than the store takes");
  over_ = stream_ ? part->bytes < part_bytes_ : at_ == source_.file()->size();
  // An empty part only stands for an empty object.
  return part->bytes > 0 || part->number == 1;
}

void PartCutter::Push(UploadPart part) {
  MutexLock lock(mutex_);
  pushed_.push_back(std::move(part));
}

bool PartCutter::over() {
  MutexLock lock(mutex_);
  return over_ && pushed_.empty();
}

Status PartCutter::Fill(std::string* buffer) {
  buffer->resize(part_bytes_);
  size_t filled = 0;
  while (filled < buffer->size()) {
    GN_ASSIGN(size_t n, source_.Read(buffer->data() + filled, buffer->size() - filled));
    if (n == 0) break;
    filled += n;
  }
  buffer->resize(filled);
  return Status();
}

Status SendParts(PartCutter& cutter, Executor& executor, size_t parallel, const Cancel& cancel,
                 const std::function<Status(const UploadPart&, const Cancel&)>& send) {
  // As many senders as parts may be under way; each cuts and sends until there is nothing left.
  return ForEachConcurrently(executor, parallel, parallel, cancel, [&](size_t, const Cancel& one) -> Status {
    while (true) {
      GN_TRY(one.status());
      UploadPart part;
      GN_ASSIGN(bool more, cutter.Next(&part));
      if (!more) return Status();
      GN_TRY(send(part, one));
    }
  });
}

}  // namespace gauntlet::objstore
