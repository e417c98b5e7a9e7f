// BucketBlockSink: a block that goes into a bucket while it is made: segments as they fill, the index when it is whole
// and was verified, meta.json last. On this machine's disk is only the new index.
//
// A sink that goes without Finish() leaves a partial upload, as any broken upload does. It deletes nothing: the id is
// deterministic, and somebody else may be writing the same block, byte for byte.
//
// Upstream: thanos pkg/compact/compact.go (Group.compact), pkg/block/block.go (Upload)
// Threads:  one thread at a time; uploads run on the executor beside it.           Owns: its folder of scratch.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/cancel.h"
#include "base/clock.h"
#include "base/executor.h"
#include "base/memory_budget.h"
#include "base/status.h"
#include "blocks/thanos_meta.h"
#include "io/file_system.h"
#include "objstore/bucket.h"
#include "tsdb/chunks/segment_writer.h"
#include "tsdb/compact/sink.h"
#include "tsdb/index/index_writer.h"

namespace gauntlet::blockstream {

struct BucketSinkOptions {
  std::string scratch_dir;    // the sink makes its folder in it
  std::string hash_function;  // "" or "SHA256": of the files that meta.json names
  // Segments go through a buffer of so many bytes. False: through a file of scratch, for buckets that want to know the
  // length of an object before, and for executors that run one thing at a time.
  bool stream = true;
  size_t buffer_bytes = 4 << 20;
  uint64_t segment_bytes_max = tsdb::kSegmentBytesMax;
  // The counts of samples stay as the meta says them: those of a downsampled block are its raw block's.
  bool keep_sample_counts = false;
  // Labels that do not ascend within a series are let through.
  bool accept_malformed_index = false;
  MemoryBudget* budget = nullptr;  // null = uncounted
};

class BucketBlockSink : public tsdb::BlockSink {
 public:
  // Of `meta`, Finish() fills in counts, files, sizes and the time of the upload. What is uploaded ends with `cancel`.
  // See SegmentUpload for what is asked of the executor.
  static Result<std::unique_ptr<BucketBlockSink>> Create(objstore::Bucket& bucket, io::FileSystem& files,
                                                         Executor& executor, Clock& clock, blocks::Meta meta,
                                                         BucketSinkOptions options, const Cancel& cancel);
  ~BucketBlockSink() override;

  const tsdb::BlockMeta& meta() const override { return meta_.block; }
  // With the files, after Finish().
  const blocks::Meta& full_meta() const { return meta_; }
  Status AddSymbol(std::string_view symbol) override { return index_->AddSymbol(symbol); }
  std::string_view symbol(uint32_t number) const override { return index_->symbol(number); }
  Status AddSeries(std::span<const uint32_t> labels, std::span<const tsdb::BlockChunk> chunks,
                   const Cancel& cancel) override;
  Result<tsdb::BlockMeta> Finish(const Cancel& cancel) override;

 private:
  class SegmentFile;

  BucketBlockSink(objstore::Bucket& bucket, io::FileSystem& files, Executor& executor, Clock& clock, blocks::Meta meta,
                  BucketSinkOptions options, const Cancel& cancel);
  Result<std::unique_ptr<io::WritableFile>> OpenSegment(const std::string& name);
  // Charges what is held, and `more` bytes.
  Status Charge(size_t more);
  // Reads the new index; what it says fits together and to what was written.
  Status VerifyIndex(const Cancel& cancel);
  Status UploadIndex(const Cancel& cancel);
  Status UploadHeader(const Cancel& cancel);
  // Whether the bucket shows all files with their sizes.
  Status VerifyUpload(const Cancel& cancel);
  // Reads some chunks from the bucket as the new index says where they are.
  Status VerifyChunks(const Cancel& cancel);
  Status VerifyChunk(const tsdb::ChunkMeta& meta, const Cancel& cancel);

  objstore::Bucket& bucket_;
  io::FileSystem& files_;
  Executor& executor_;
  Clock& clock_;
  blocks::Meta meta_;
  const BucketSinkOptions options_;
  const Cancel cancel_;
  const std::string dir_, scratch_;
  std::vector<blocks::BlockFile> written_;
  uint64_t chunks_sent_ = 0;  // counted and checked on their way, in segments that are done
  MemoryCharge charge_;
  std::unique_ptr<tsdb::IndexWriter> index_;
  std::unique_ptr<tsdb::SegmentWriter> segments_;  // goes before what it writes to
  tsdb::WrittenChunks chunks_;                     // of the series at hand
};

}  // namespace gauntlet::blockstream
