#include "blockstream/bucket_sink.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "blocks/header_object.h"
#include "blocks/index_health.h"
#include "blockstream/segment_upload.h"
#include "io/path.h"
#include "io/sha256.h"
#include "model/time.h"
#include "objstore/directories.h"
#include "tsdb/index/index_reader.h"

namespace gauntlet::blockstream {
namespace {

constexpr char kSha256[] = "SHA256";
constexpr size_t kChunksVerified = 16, kChunkReadBytes = 2048;

}  // namespace

// A segment on its way into the bucket, or into scratch and from there. One thread at a time.
class BucketBlockSink::SegmentFile : public io::WritableFile {
 public:
  // `upload` is the file, if it goes into the bucket at once.
  SegmentFile(BucketBlockSink& sink, std::string name, std::unique_ptr<io::WritableFile> file,
              const SegmentUpload* upload)
      : sink_(sink), name_(std::move(name)), file_(std::move(file)), upload_(upload) {
    if (sink_.options_.hash_function == kSha256) hash_.emplace();
  }

  Status Append(std::string_view bytes) override {
    if (hash_) hash_->Append(bytes);
    return file_->Append(bytes);
  }
  Status Sync() override {
    GN_TRY(file_->Sync());
    if (upload_ != nullptr) sink_.chunks_sent_ += upload_->chunks();
    blocks::BlockFile entry;
    entry.rel_path = io::JoinPath(blocks::kChunksDirectory, name_);
    entry.bytes = static_cast<int64_t>(file_->size());
    if (hash_) {
      entry.hash_function = kSha256;
      entry.hash = io::HexText(hash_->Finish());
    }
    if (!sink_.options_.stream) {
      const std::string path = io::JoinPath(sink_.scratch_, name_);
      GN_TRY(objstore::UploadFile(sink_.bucket_, sink_.files_, path, io::JoinPath(sink_.dir_, entry.rel_path),
                                  sink_.cancel_));
      GN_TRY(sink_.files_.RemoveFile(path));
    }
    sink_.written_.push_back(std::move(entry));
    return Status();
  }
  uint64_t size() const override { return file_->size(); }

 private:
  BucketBlockSink& sink_;
  const std::string name_;
  const std::unique_ptr<io::WritableFile> file_;
  const SegmentUpload* const upload_;
  std::optional<io::Sha256Stream> hash_;
};

BucketBlockSink::BucketBlockSink(objstore::Bucket& bucket, io::FileSystem& files, Executor& executor, Clock& clock,
                                 blocks::Meta meta, BucketSinkOptions options, const Cancel& cancel)
    : bucket_(bucket),
      files_(files),
      executor_(executor),
      clock_(clock),
      meta_(std::move(meta)),
      options_(std::move(options)),
      cancel_(cancel),
      dir_(meta_.block.ulid.ToString()),
      scratch_(io::JoinPath(options_.scratch_dir, dir_)),
      charge_(options_.budget, "writing a block to a bucket") {}

Result<std::unique_ptr<BucketBlockSink>> BucketBlockSink::Create(objstore::Bucket& bucket, io::FileSystem& files,
                                                                 Executor& executor, Clock& clock, blocks::Meta meta,
                                                                 BucketSinkOptions options, const Cancel& cancel) {
  std::unique_ptr<BucketBlockSink> sink(
      new BucketBlockSink(bucket, files, executor, clock, std::move(meta), std::move(options), cancel));
  tsdb::BlockStats& stats = sink->meta_.block.stats;
  stats.series = stats.chunks = stats.tombstones = 0;
  GN_TRY(files.RemoveAll(sink->scratch_));
  GN_TRY(files.MakeDirectories(sink->scratch_));
  GN_ASSIGN(sink->index_, tsdb::IndexWriter::Create(files, io::JoinPath(sink->scratch_, blocks::kIndexFile)));
  BucketBlockSink* self = sink.get();
  sink->segments_ = std::make_unique<tsdb::SegmentWriter>(
      [self](const std::string& name) { return self->OpenSegment(name); }, sink->options_.segment_bytes_max,
      sink->options_.stream ? 0 : tsdb::SegmentWriter::kBufferBytes);
  return sink;
}

BucketBlockSink::~BucketBlockSink() {
  segments_.reset();
  index_.reset();
  (void)files_.RemoveAll(scratch_).ok();
}

Result<std::unique_ptr<io::WritableFile>> BucketBlockSink::OpenSegment(const std::string& name) {
  if (options_.stream) {
    const std::string object = io::JoinPath(io::JoinPath(dir_, blocks::kChunksDirectory), name);
    auto upload = std::make_unique<SegmentUpload>(bucket_, object, executor_, options_.buffer_bytes, cancel_);
    const SegmentUpload* sent = upload.get();
    return std::unique_ptr<io::WritableFile>(std::make_unique<SegmentFile>(*this, name, std::move(upload), sent));
  }
  GN_ASSIGN(auto file, files_.Create(io::JoinPath(scratch_, name)));
  return std::unique_ptr<io::WritableFile>(std::make_unique<SegmentFile>(*this, name, std::move(file), nullptr));
}

Status BucketBlockSink::AddSeries(std::span<const uint32_t> labels, std::span<const tsdb::BlockChunk> chunks,
                                  const Cancel& cancel) {
  if (meta_.block.stats.series % 256 == 0) {
    GN_TRY(cancel.status());
    GN_TRY(Charge(0));
  }
  GN_TRY(tsdb::WriteChunks(chunks, *segments_, &chunks_));
  GN_TRY(index_->AddSeries(labels, chunks_.metas));
  tsdb::CountSeries(chunks, !options_.keep_sample_counts, &meta_.block.stats);
  return Status();
}

Status BucketBlockSink::Charge(size_t more) {
  return charge_.Set((options_.stream ? options_.buffer_bytes : 0) + index_->memory_bytes() + more);
}

Status BucketBlockSink::VerifyIndex(const Cancel& cancel) {
  GN_ASSIGN(auto index, tsdb::IndexReader::Open(files_, io::JoinPath(scratch_, blocks::kIndexFile)));
  const tsdb::BlockMeta& block = meta_.block;
  GN_ASSIGN(blocks::IndexHealth health, blocks::GatherIndexHealth(*index, block.mint_ms, block.maxt_ms, cancel));
  if (options_.accept_malformed_index) health.out_of_order_labels = 0;
  GN_TRY(health.Any());
  if (static_cast<uint64_t>(health.series) != block.stats.series ||
      static_cast<uint64_t>(health.chunks) != block.stats.chunks) {
    return {Code::kCorrupt, fmt::format("it has {} series and {} chunks, {} and {} were written", health.series,
                                        health.chunks, block.stats.series, block.stats.chunks)};
  }
  meta_.thanos.series_bytes_max = health.series_bytes_max;
  meta_.thanos.chunk_bytes_max = health.chunk_bytes_max;
  return Status();
}

Status BucketBlockSink::UploadIndex(const Cancel& cancel) {
  const std::string path = io::JoinPath(scratch_, blocks::kIndexFile);
  blocks::BlockFile entry;
  entry.rel_path = blocks::kIndexFile;
  GN_ASSIGN(auto file, files_.OpenRandom(path));
  entry.bytes = static_cast<int64_t>(file->size());
  if (options_.hash_function == kSha256) {
    io::Sha256Stream hash;
    std::string buffer;
    for (uint64_t at = 0; at < file->size(); at += buffer.size()) {
      GN_TRY(file->Read(at, static_cast<size_t>(std::min<uint64_t>(1 << 20, file->size() - at)), &buffer));
      hash.Append(buffer);
    }
    entry.hash_function = kSha256;
    entry.hash = io::HexText(hash.Finish());
  }
  written_.push_back(std::move(entry));
  return objstore::UploadFile(bucket_, files_, path, io::JoinPath(dir_, blocks::kIndexFile), cancel);
}

// Ready-made for store gateways (ADR 5). The block is as good without it.
Status BucketBlockSink::UploadHeader(const Cancel& cancel) {
  const std::string path = io::JoinPath(scratch_, blocks::kHeaderObject);
  Status status = blocks::PackIndexHeader(files_, io::JoinPath(scratch_, blocks::kIndexFile), path);
  if (status.ok())
    status = objstore::UploadFile(bucket_, files_, path, io::JoinPath(dir_, blocks::kHeaderObject), cancel);
  return status.ok() ? status : cancel.status();
}

Status BucketBlockSink::VerifyUpload(const Cancel& cancel) {
  for (const blocks::BlockFile& file : written_) {
    const std::string object = io::JoinPath(dir_, file.rel_path);
    auto attributes = bucket_.Attributes(object, cancel);
    if (!attributes.ok() && attributes.status().code() != Code::kNotFound) return attributes.status();
    if (attributes.ok() && attributes->bytes == static_cast<uint64_t>(file.bytes)) continue;
    return {Code::kUnavailable, "the bucket does not show all of " + object + " after its upload"};
  }
  return Status();
}

Status BucketBlockSink::VerifyChunk(const tsdb::ChunkMeta& meta, const Cancel& cancel) {
  const tsdb::ChunkPlace place = tsdb::UnpackChunkRef(meta.ref);
  const std::string object =
      io::JoinPath(dir_, io::JoinPath(blocks::kChunksDirectory, tsdb::SegmentName(place.segment + 1)));
  auto verify = [&]() -> Status {
    GN_ASSIGN(std::string bytes, objstore::ReadRange(bucket_, object, place.offset, kChunkReadBytes, cancel));
    if (uint64_t size = tsdb::StoredChunkBytes(bytes); size > bytes.size()) {
      GN_ASSIGN(bytes, objstore::ReadRange(bucket_, object, place.offset, size, cancel));
    }
    // Not more than that: what a chunk that was copied holds is its source's.
    return tsdb::ReadStoredChunk(bytes).status();
  };
  return verify().Wrap(fmt::format("chunk {} of {}", meta.ref, object));
}

Status BucketBlockSink::VerifyChunks(const Cancel& cancel) {
  GN_ASSIGN(auto index, tsdb::IndexReader::Open(files_, io::JoinPath(scratch_, blocks::kIndexFile)));
  GN_ASSIGN(tsdb::PostingsList all, index->AllPostings());
  tsdb::SeriesDecoder decoder(index->symbols());
  tsdb::SeriesEntry entry;
  const size_t probes = std::min(all.size(), kChunksVerified);
  for (size_t i = 0; i < probes; ++i) {
    // The first series, the last one, and some between them.
    const size_t at = probes == 1 ? 0 : i * (all.size() - 1) / (probes - 1);
    GN_TRY(decoder.Decode(index->SeriesBytes(all[at]), &entry));
    if (entry.chunks.empty()) continue;
    GN_TRY(VerifyChunk(i + 1 == probes ? entry.chunks.back() : entry.chunks[i % entry.chunks.size()], cancel));
  }
  return Status();
}

Result<tsdb::BlockMeta> BucketBlockSink::Finish(const Cancel& cancel) {
  GN_TRY(cancel.status());
  GN_TRY(segments_->Finish());
  if (options_.stream && chunks_sent_ != meta_.block.stats.chunks) {
    return Status(Code::kInternal, fmt::format("{} chunks were written to the new block {}, {} were sent",
                                               meta_.block.stats.chunks, dir_, chunks_sent_));
  }
  GN_TRY(Charge(index_->finish_memory_bytes()));
  GN_TRY(index_->Finish());
  GN_TRY(VerifyIndex(cancel).Wrap(fmt::format("verify the index of the new block {}", dir_)));
  GN_TRY(UploadIndex(cancel));
  GN_TRY(UploadHeader(cancel));
  GN_TRY(VerifyUpload(cancel));
  GN_TRY(VerifyChunks(cancel).Wrap(fmt::format("verify the chunks of the new block {}", dir_)));
  blocks::ThanosMeta& thanos = meta_.thanos;
  thanos.segment_files.clear();
  for (const blocks::BlockFile& file : written_) {
    if (file.rel_path != blocks::kIndexFile) thanos.segment_files.emplace_back(io::BaseName(file.rel_path));
  }
  written_.emplace_back().rel_path = tsdb::kMetaFile;  // its size changes with this very list
  std::sort(written_.begin(), written_.end(), [](const auto& a, const auto& b) { return a.rel_path < b.rel_path; });
  thanos.files = written_;
  thanos.upload_time = FormatRfc3339Ms(clock_.NowMs());
  GN_TRY(objstore::WriteObject(bucket_, io::JoinPath(dir_, tsdb::kMetaFile), blocks::FormatMeta(meta_), cancel));
  return meta_.block;
}

}  // namespace gauntlet::blockstream
