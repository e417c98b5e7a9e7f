#include "store/index_header_file.h"

#include <utility>

namespace gauntlet::store {

IndexHeaderMetrics::IndexHeaderMetrics(telemetry::Registry& registry)
    : loads(registry.MakeCounter("thanos_bucket_store_indexheader_lazy_load_total",
                                 "Total number of index-header lazy load operations.")),
      load_failures(registry.MakeCounter("thanos_bucket_store_indexheader_lazy_load_failed_total",
                                         "Total number of failed index-header lazy load operations.")),
      unloads(registry.MakeCounter("thanos_bucket_store_indexheader_lazy_unload_total",
                                   "Total number of index-header lazy unload operations.")),
      load_seconds(registry.MakeHistogram("thanos_bucket_store_indexheader_lazy_load_duration_seconds",
                                          "Duration of the index-header lazy loading in seconds.",
                                          {0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 15, 30, 60, 120, 300})) {}

IndexHeaderFile::IndexHeaderFile(objstore::Bucket& bucket, io::FileSystem& files, const std::string& dir,
                                 const std::string& block, IndexHeaderMetrics& metrics)
    : bucket_(bucket),
      files_(files),
      block_(block),
      dir_(dir + "/" + block),
      path_(dir_ + "/index-header"),
      metrics_(metrics) {}

Result<IndexTables> IndexHeaderFile::Get(const Cancel& cancel) {
  MutexLock lock(mutex_);
  if (header_ == nullptr) {
    auto begun = std::chrono::steady_clock::now();
    metrics_.loads.Add(1);
    Result<std::unique_ptr<blocks::IndexHeader>> header = Load(cancel);
    if (!header.ok()) {
      metrics_.load_failures.Add(1);
      return header.status();
    }
    header_ = *std::move(header);
    metrics_.load_seconds.Observe(std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count());
  }
  used_ = std::chrono::steady_clock::now();
  IndexTables tables;
  tables.postings = &header_->table();
  tables.symbols = &header_->symbols();
  tables.index_version = header_->index_version();
  tables.owner = header_;
  return tables;
}

Status IndexHeaderFile::Prepare(const Cancel& cancel) {
  MutexLock lock(mutex_);
  if (header_ != nullptr || files_.Exists(path_)) return Status();
  return Make(cancel);
}

void IndexHeaderFile::ReleaseIdle(std::chrono::steady_clock::time_point before) {
  MutexLock lock(mutex_);
  if (header_ == nullptr || used_ >= before) return;
  header_ = nullptr;
  metrics_.unloads.Add(1);
}

bool IndexHeaderFile::loaded() const {
  MutexLock lock(mutex_);
  return header_ != nullptr;
}

Result<std::unique_ptr<blocks::IndexHeader>> IndexHeaderFile::Load(const Cancel& cancel) {
  if (files_.Exists(path_)) {
    Result<std::unique_ptr<blocks::IndexHeader>> header = blocks::IndexHeader::Open(files_, path_);
    if (header.ok() || header.status().code() != Code::kCorrupt) return header;
  }
  GN_TRY(Make(cancel));
  return blocks::IndexHeader::Open(files_, path_);
}

Status IndexHeaderFile::Make(const Cancel& cancel) {
  std::string index = block_ + "/index";
  GN_TRY(files_.MakeDirectories(dir_));
  GN_ASSIGN(objstore::ObjectAttributes attributes, bucket_.Attributes(index, cancel));
  auto read = [&](uint64_t offset, uint64_t n) -> Result<std::string> {
    GN_ASSIGN(std::string bytes, objstore::ReadRange(bucket_, index, offset, n, cancel));
    if (bytes.size() != n) return Status(Code::kCorrupt, index + " ends early");
    return bytes;
  };
  return blocks::WriteIndexHeader(attributes.bytes, read, files_, path_).Wrap("make the index header of " + block_);
}

}  // namespace gauntlet::store
