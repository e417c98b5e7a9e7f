// Upstream plans the chunks of one call before it writes them, counting each with a length of five bytes: a segment is
// cut before the chunk with which that sum would pass the limit, though not before the first chunk of the first
// segment.
#include "tsdb/chunks/segment_writer.h"

#include <utility>

#include "base/check.h"
#include "io/path.h"

namespace gauntlet::tsdb {

SegmentWriter::SegmentWriter(io::FileSystem& files, std::string dir, uint64_t segment_bytes_max)
    : open_([&files, dir](const std::string& name) { return files.Create(io::JoinPath(dir, name)); }),
      sync_directory_([&files, folder = std::move(dir)] { return files.SyncDirectory(folder); }),
      bytes_max_(segment_bytes_max),
      buffer_bytes_(kBufferBytes) {}

Status SegmentWriter::Write(std::span<const ChunkToStore> chunks, std::span<uint64_t> refs) {
  GN_DCHECK(refs.size() >= chunks.size());
  // What the current segment would hold with the chunks so far.
  uint64_t planned = offset_ > kSegmentHeaderBytes ? offset_ : kSegmentHeaderBytes;
  bool continued = offset_ > kSegmentHeaderBytes;
  std::string_view run;  // stored chunks that follow each other in memory too, not yet put
  for (size_t i = 0; i < chunks.size(); ++i) {
    uint64_t size = chunks[i].chunk.bytes.size() + kStoredChunkOverheadMax;
    bool cut = planned + size > bytes_max_ && (continued || i != 0);
    if (cut) {
      planned = kSegmentHeaderBytes;
      continued = false;
    }
    planned += size;
    if (cut || segments_ == 0) {
      GN_TRY(Put(std::exchange(run, {})));
      GN_TRY(Cut());
    }
    refs[i] = PackChunkRef({segments_ - 1, static_cast<uint32_t>(offset_)});
    std::string_view stored = chunks[i].stored;
    if (stored.empty()) {
      GN_TRY(Put(std::exchange(run, {})));
      size_t before = buffer_.size();
      AppendStoredChunk(chunks[i].chunk, &buffer_);
      offset_ += buffer_.size() - before;
      if (buffer_.size() >= buffer_bytes_) GN_TRY(Flush());
      continue;
    }
    offset_ += stored.size();
    if (run.data() + run.size() == stored.data()) {
      run = {run.data(), run.size() + stored.size()};
    } else {
      GN_TRY(Put(std::exchange(run, stored)));
    }
  }
  return Put(run);
}

Status SegmentWriter::Finish() {
  if (file_ == nullptr) return Status();
  GN_TRY(Flush());
  GN_TRY(file_->Sync());
  file_.reset();
  return sync_directory_ ? sync_directory_() : Status();
}

Status SegmentWriter::Cut() {
  if (file_ != nullptr) {
    GN_TRY(Flush());
    GN_TRY(file_->Sync());
  }
  finished_bytes_ += offset_;
  GN_ASSIGN(file_, open_(SegmentName(segments_ + 1)));
  ++segments_;
  buffer_.assign("\x85\xbd\x40\xdd\x01\0\0\0", kSegmentHeaderBytes);
  offset_ = kSegmentHeaderBytes;
  return Status();
}

Status SegmentWriter::Put(std::string_view bytes) {
  if (bytes.empty()) return Status();
  if (buffer_bytes_ == 0) {
    GN_TRY(Flush());
    return file_->Append(bytes);
  }
  buffer_.append(bytes);
  return buffer_.size() >= buffer_bytes_ ? Flush() : Status();
}

Status SegmentWriter::Flush() {
  if (buffer_.empty()) return Status();
  GN_TRY(file_->Append(buffer_));
  buffer_.clear();
  return Status();
}

}  // namespace gauntlet::tsdb
