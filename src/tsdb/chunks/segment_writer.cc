// Upstream plans the chunks of one call before it writes them, counting each with a length of five bytes: a segment is
// cut before the chunk with which that sum would pass the limit, though not before the first chunk of the first
// segment.
#include "tsdb/chunks/segment_writer.h"

#include <utility>

#include "base/check.h"
#include "io/path.h"

namespace gauntlet::tsdb {
namespace {

constexpr size_t kBufferBytes = 1 << 20;

}  // namespace

SegmentWriter::SegmentWriter(io::FileSystem& files, std::string dir, uint64_t segment_bytes_max)
    : open_([&files, dir](const std::string& name) { return files.Create(io::JoinPath(dir, name)); }),
      sync_directory_([&files, dir] { return files.SyncDirectory(dir); }),
      bytes_max_(segment_bytes_max) {}

Status SegmentWriter::Write(std::span<const ChunkToStore> chunks, std::span<uint64_t> refs) {
  GN_DCHECK(refs.size() >= chunks.size());
  // What the current segment would hold with the chunks so far.
  uint64_t planned = offset_ > kSegmentHeaderBytes ? offset_ : kSegmentHeaderBytes;
  bool continued = offset_ > kSegmentHeaderBytes;
  for (size_t i = 0; i < chunks.size(); ++i) {
    uint64_t size = chunks[i].chunk.bytes.size() + kStoredChunkOverheadMax;
    bool cut = planned + size > bytes_max_ && (continued || i != 0);
    if (cut) {
      planned = kSegmentHeaderBytes;
      continued = false;
    }
    planned += size;
    if (cut || segments_ == 0) GN_TRY(Cut());
    refs[i] = PackChunkRef({segments_ - 1, static_cast<uint32_t>(offset_)});
    size_t before = buffer_.size();
    if (chunks[i].stored.empty()) {
      AppendStoredChunk(chunks[i].chunk, &buffer_);
    } else {
      buffer_.append(chunks[i].stored);
    }
    offset_ += buffer_.size() - before;
    if (buffer_.size() >= kBufferBytes) GN_TRY(Flush());
  }
  return Status();
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

Status SegmentWriter::Flush() {
  GN_TRY(file_->Append(buffer_));
  buffer_.clear();
  return Status();
}

}  // namespace gauntlet::tsdb
