// A record of the file: for each chunk min and max time (varints), encoding, aggregate with the joined bit, hash (8
// bytes), and the length-prefixed data.

#include "storeapi/spill_sort.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "base/varint.h"

namespace gauntlet::storeapi {
namespace {

constexpr size_t kBufferBytes = 1 << 20, kBatchBytes = 1 << 18;

Status IoError(const std::string& doing) {
  return Status(Code::kUnavailable, doing + ": " + std::string(std::strerror(errno)));  // NOLINT(concurrency-mt-unsafe)
}

void EncodeChunk(const wire::ChunkView& chunk, std::string* out) {
  AppendVarint(*out, chunk.min_time_ms);
  AppendVarint(*out, chunk.max_time_ms);
  out->push_back(static_cast<char>(chunk.encoding));
  out->push_back(static_cast<char>(static_cast<uint8_t>(chunk.aggregate) | (chunk.joined ? 0x80 : 0)));
  char hash[8];
  std::memcpy(hash, &chunk.hash, 8);
  out->append(hash, 8);
  AppendUvarint(*out, chunk.data.size());
  out->append(chunk.data);
}

bool DecodeChunk(ByteReader& reader, wire::ChunkView* chunk) {
  uint8_t aggregate;
  if (!reader.Varint(&chunk->min_time_ms) || !reader.Varint(&chunk->max_time_ms) || !reader.U8(&chunk->encoding) ||
      !reader.U8(&aggregate) || !reader.Le64(&chunk->hash) || !reader.Prefixed(&chunk->data)) {
    return false;
  }
  chunk->aggregate = static_cast<wire::Aggregate>(aggregate & 0x7f);
  chunk->joined = aggregate & 0x80;
  return true;
}

}  // namespace

SpillSort::SpillSort(std::string folder, MemoryBudget* budget)
    : folder_(std::move(folder)), charge_(budget, "labels of a sorted answer") {}

SpillSort::~SpillSort() {
  if (file_ >= 0) close(file_);
}

Status SpillSort::Write() {
  if (file_ < 0) {
    std::string path = folder_ + "/gauntlet-sort-XXXXXX";
    file_ = mkostemp(path.data(), O_CLOEXEC);
    if (file_ < 0) return IoError("create a temporary file in " + folder_);
    unlink(path.c_str());
  }
  for (size_t done = 0; done < buffer_.size();) {
    ssize_t n = pwrite(file_, buffer_.data() + done, buffer_.size() - done, static_cast<off_t>(written_ + done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return IoError("write a temporary file in " + folder_);
    done += static_cast<size_t>(n);
  }
  written_ += buffer_.size();
  buffer_.clear();
  return Status();
}

Status SpillSort::Add(Labels labels, std::span<const wire::ChunkView> chunks) {
  GN_TRY(charge_.Grow(sizeof(Entry) + labels.memory_bytes()));
  Entry entry{std::move(labels), written_ + buffer_.size(), 0, static_cast<uint32_t>(chunks.size())};
  size_t before = buffer_.size();
  for (const wire::ChunkView& chunk : chunks) EncodeChunk(chunk, &buffer_);
  if (buffer_.size() - before > UINT32_MAX)
    return Status(Code::kExhausted, "a series of more than 4 GiB in one answer");
  entry.bytes = static_cast<uint32_t>(buffer_.size() - before);
  entries_.push_back(std::move(entry));
  return buffer_.size() >= kBufferBytes ? Write() : Status();
}

Status SpillSort::Sort() {
  std::stable_sort(entries_.begin(), entries_.end(),
                   [](const Entry& a, const Entry& b) { return a.labels < b.labels; });
  return buffer_.empty() ? Status() : Write();
}

Result<SeriesBatchPtr> SpillSort::Next() {
  if (next_ == entries_.size()) return SeriesBatchPtr();
  size_t end = next_, bytes = 0;
  while (end < entries_.size() && end - next_ < kBatchSeries &&
         (bytes == 0 || bytes + entries_[end].bytes <= kBatchBytes)) {
    bytes += entries_[end++].bytes;
  }
  auto batch = std::make_shared<SeriesBatch>();
  batch->frame()->resize(bytes);
  char* at = batch->frame()->data();
  std::vector<wire::ChunkView> chunks;
  for (; next_ < end; ++next_) {
    Entry& entry = entries_[next_];
    for (size_t done = 0; done < entry.bytes;) {
      ssize_t n = pread(file_, at + done, entry.bytes - done, static_cast<off_t>(entry.offset + done));
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) return IoError("read a temporary file in " + folder_);
      done += static_cast<size_t>(n);
    }
    chunks.resize(entry.chunks);
    ByteReader reader(std::string_view(at, entry.bytes));
    for (wire::ChunkView& chunk : chunks) {
      if (!DecodeChunk(reader, &chunk)) return Status(Code::kCorrupt, "temporary file in " + folder_ + " was changed");
    }
    batch->Add(entry.labels, chunks);
    at += entry.bytes;
    entry.labels = Labels();
  }
  return SeriesBatchPtr(std::move(batch));
}

}  // namespace gauntlet::storeapi
