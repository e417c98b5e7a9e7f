#include "compactor/output.h"

#include "blocks/block_objects.h"
#include "blocks/index_health.h"
#include "blocks/markers.h"
#include "io/path.h"
#include "tsdb/compact/compacted_meta.h"
#include "tsdb/index/index_reader.h"

namespace gauntlet::compactor {
namespace {

constexpr uint32_t kSaltMax = 1000;

}  // namespace

bool IsPassing(const Status& status) {
  switch (status.code()) {
    case Code::kUnavailable:
    case Code::kDeadline:
    case Code::kCancelled:
    case Code::kDenied:
    case Code::kExhausted:
      return true;
    default:
      return false;
  }
}

Result<OutputId> ChooseOutputId(const JobContext& context, std::span<const Ulid> blocks, std::string_view parameters,
                                const Cancel& cancel) {
  for (uint32_t salt = 0; salt < kSaltMax; ++salt) {
    const Ulid id = tsdb::OutputUlid(blocks, parameters, salt);
    const std::string name = id.ToString();
    if (context.quarantine.Holds(name)) continue;
    GN_ASSIGN(bool marked, context.bucket.Exists(name + "/" + blocks::kDeletionMarkFile, cancel));
    if (marked) continue;
    Result<blocks::Meta> there = blocks::DownloadMeta(context.bucket, id, cancel);
    if (there.ok()) return OutputId{id, std::make_shared<blocks::Meta>(*std::move(there))};
    if (there.status().code() == Code::kNotFound) return OutputId{id, nullptr};
    if (IsPassing(there.status())) return there.status();
  }
  return Status(Code::kInternal, "every id of the result is taken");
}

Result<std::unique_ptr<blockstream::BucketBlockSink>> OpenSink(const JobContext& context, const OutputOptions& options,
                                                               const std::string& scratch_dir, blocks::Meta meta,
                                                               bool keep_sample_counts, const Cancel& cancel) {
  blockstream::BucketSinkOptions sink;
  sink.scratch_dir = scratch_dir;
  sink.hash_function = options.hash_function;
  sink.budget = context.budget;
  sink.keep_sample_counts = keep_sample_counts;
  sink.accept_malformed_index = options.accept_malformed_index;
  return blockstream::BucketBlockSink::Create(context.bucket, context.files, context.blocking, context.clock,
                                              std::move(meta), std::move(sink), cancel);
}

Result<blocks::MetaPtr> PublishBlock(const JobContext& context, const OutputOptions& options, const std::string& dir,
                                     blocks::Meta meta, const Cancel& cancel) {
  const Ulid id = meta.block.ulid;
  GN_ASSIGN(auto index, tsdb::IndexReader::Open(context.files, io::JoinPath(dir, blocks::kIndexFile)));
  GN_ASSIGN(blocks::IndexHealth health,
            blocks::GatherIndexHealth(*index, meta.block.mint_ms, meta.block.maxt_ms, cancel));
  if (!options.accept_malformed_index) GN_TRY(health.Any().Wrap("invalid result block " + id.ToString()));
  meta.thanos.files.clear();
  meta.thanos.segment_files.clear();
  meta.thanos.series_bytes_max = health.series_bytes_max;
  meta.thanos.chunk_bytes_max = health.chunk_bytes_max;
  GN_ASSIGN(std::vector<io::FileInfo> segments, context.files.List(io::JoinPath(dir, blocks::kChunksDirectory)));
  for (const io::FileInfo& segment : segments) meta.thanos.segment_files.push_back(segment.name);
  GN_TRY(context.files.WriteAtomically(io::JoinPath(dir, tsdb::kMetaFile), blocks::FormatMeta(meta)));
  blocks::UploadBlockOptions upload;
  upload.hash_function = options.hash_function;
  upload.concurrency = options.files_concurrency;
  GN_TRY(blocks::UploadBlock(context.bucket, context.files, context.blocking, context.clock, dir, upload, cancel)
             .Wrap("upload of " + id.ToString()));
  GN_ASSIGN(blocks::Meta published, blocks::DownloadMeta(context.bucket, id, cancel));
  return blocks::MetaPtr(std::make_shared<blocks::Meta>(std::move(published)));
}

}  // namespace gauntlet::compactor
