#include "store/index_header_file.h"

#include <utility>

#include "blocks/header_object.h"

namespace gauntlet::store {

namespace {

telemetry::Family<telemetry::Counter> Sources(telemetry::Registry& registry) {
  return registry.MakeCounters("gauntlet_store_index_headers_total",
                               "Index headers by where they came from: the ready-made object beside the block, or the "
                               "index itself.",
                               {"source"});
}

double Since(std::chrono::steady_clock::time_point begun) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
}

}  // namespace

IndexHeaderMetrics::IndexHeaderMetrics(telemetry::Registry& registry)
    : loads(registry.MakeCounter("thanos_bucket_store_indexheader_lazy_load_total",
                                 "Total number of index-header lazy load operations.")),
      load_failures(registry.MakeCounter("thanos_bucket_store_indexheader_lazy_load_failed_total",
                                         "Total number of failed index-header lazy load operations.")),
      unloads(registry.MakeCounter("thanos_bucket_store_indexheader_lazy_unload_total",
                                   "Total number of index-header lazy unload operations.")),
      load_seconds(registry.MakeHistogram("thanos_bucket_store_indexheader_lazy_load_duration_seconds",
                                          "Duration of the index-header lazy loading in seconds.",
                                          {0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 15, 30, 60, 120, 300})),
      download_seconds(registry.MakeHistogram("thanos_bucket_store_indexheader_download_duration_seconds",
                                              "Duration of the index-header download from objstore in seconds.",
                                              {0.1, 0.2, 0.5, 1, 2, 5, 15, 30, 60, 90, 120, 300})),
      from_object(Sources(registry).With({"object"})),
      from_index(Sources(registry).With({"index"})),
      disk_failures(registry.MakeCounter("gauntlet_store_index_header_disk_failures_total",
                                         "Index headers that the disk did not take; they are held in memory while "
                                         "they are used.")) {}

IndexHeaderFile::IndexHeaderFile(objstore::Bucket& bucket, io::FileSystem& files, const std::string& dir,
                                 const Ulid& block, uint64_t index_bytes, IndexHeaderMetrics& metrics,
                                 MemoryBudget* budget)
    : bucket_(bucket),
      files_(files),
      ulid_(block),
      index_bytes_(index_bytes),
      block_(block.ToString()),
      dir_(dir.empty() ? "" : dir + "/" + block_),
      path_(dir.empty() ? "" : dir_ + "/index-header"),
      metrics_(metrics),
      budget_(budget) {}

Result<IndexTables> IndexHeaderFile::Get(const Cancel& cancel) {
  MutexLock lock(mutex_);
  if (header_ == nullptr) {
    auto begun = std::chrono::steady_clock::now();
    metrics_.loads.Add(1);
    if (Status loaded = Load(cancel); !loaded.ok()) {
      metrics_.load_failures.Add(1);
      return loaded;
    }
    metrics_.load_seconds.Observe(Since(begun));
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
  if (path_.empty() || header_ != nullptr || files_.Exists(path_)) return Status();
  bool disk = false;
  Status made = Make(cancel, true, &disk);
  if (disk) metrics_.disk_failures.Add(1);
  return made;
}

void IndexHeaderFile::ReleaseIdle(std::chrono::steady_clock::time_point before, bool files) {
  MutexLock lock(mutex_);
  if (header_ == nullptr || used_ >= before || (!in_memory_ && !files)) return;
  header_ = nullptr;
  metrics_.unloads.Add(1);
}

bool IndexHeaderFile::loaded() const {
  MutexLock lock(mutex_);
  return header_ != nullptr;
}

Status IndexHeaderFile::Load(const Cancel& cancel) {
  in_memory_ = path_.empty();
  if (!in_memory_) {
    bool disk = false;
    Loaded header = LoadFile(cancel, &disk);
    Status status = header.status();
    if (header.ok()) header_ = *std::move(header);
    if (!disk) return status;
    metrics_.disk_failures.Add(1);
    in_memory_ = true;
  }
  GN_ASSIGN(std::unique_ptr<blocks::IndexHeader> header, LoadIntoMemory(cancel));
  GN_ASSIGN(header_, Charged(std::move(header)));
  return Status();
}

Result<IndexHeaderFile::HeaderPtr> IndexHeaderFile::Charged(std::unique_ptr<blocks::IndexHeader> header) const {
  struct Held {
    std::unique_ptr<blocks::IndexHeader> header;
    MemoryCharge charge;
  };
  auto held = std::make_shared<Held>(Held{std::move(header), MemoryCharge(budget_, "index headers")});
  GN_TRY(held->charge.Set(held->header->file_bytes() + held->header->memory_bytes()));
  return HeaderPtr(held, held->header.get());
}

IndexHeaderFile::Loaded IndexHeaderFile::LoadFile(const Cancel& cancel, bool* disk) {
  auto open = [&] {
    Loaded header = blocks::IndexHeader::Open(files_, path_);
    *disk = !header.ok() && header.status().code() != Code::kCorrupt;
    return header;
  };
  if (files_.Exists(path_)) {
    Loaded header = open();
    if (header.ok() || *disk) return header;
  }
  GN_TRY(Make(cancel, true, disk));
  Loaded header = open();
  if (header.ok() || *disk) return header;
  GN_TRY(Make(cancel, false, disk));
  return open();
}

Result<uint64_t> IndexHeaderFile::IndexBytes(const Cancel& cancel) {
  if (index_bytes_ != 0) return index_bytes_;
  GN_ASSIGN(objstore::ObjectAttributes attributes, bucket_.Attributes(block_ + "/index", cancel));
  return attributes.bytes;
}

blocks::ReadRange IndexHeaderFile::IndexReader(const Cancel& cancel, bool* failed) {
  return [this, cancel, failed](uint64_t offset, uint64_t n) -> Result<std::string> {
    const std::string index = block_ + "/index";
    Result<std::string> bytes = objstore::ReadRange(bucket_, index, offset, n, cancel);
    if (bytes.ok() && bytes->size() != n) bytes = Status(Code::kCorrupt, index + " ends early");
    *failed = *failed || !bytes.ok();
    return bytes;
  };
}

void IndexHeaderFile::Made(telemetry::Counter& source, std::chrono::steady_clock::time_point begun) {
  source.Add();
  metrics_.download_seconds.Observe(Since(begun));
}

// Whatever is wrong with a ready-made one, the index is what counts.
Status IndexHeaderFile::Make(const Cancel& cancel, bool ready_made, bool* disk) {
  auto begun = std::chrono::steady_clock::now();
  if (Status made = files_.MakeDirectories(dir_); !made.ok()) {
    *disk = true;
    return made;
  }
  GN_ASSIGN(uint64_t index_bytes, IndexBytes(cancel));
  if (ready_made && blocks::DownloadIndexHeader(bucket_, files_, ulid_, index_bytes, path_, cancel).ok()) {
    Made(metrics_.from_object, begun);
    return Status();
  }
  GN_TRY(cancel.status());
  bool unread = false;
  Status made = blocks::WriteIndexHeader(index_bytes, IndexReader(cancel, &unread), files_, path_);
  if (made.ok()) {
    Made(metrics_.from_index, begun);
    return made;
  }
  *disk = !unread && made.code() != Code::kCorrupt && made.code() != Code::kUnsupported;
  return made.Wrap("make the index header of " + block_);
}

Result<std::string> IndexHeaderFile::MakeInMemory(const Cancel& cancel, bool ready_made) {
  auto begun = std::chrono::steady_clock::now();
  GN_ASSIGN(uint64_t index_bytes, IndexBytes(cancel));
  if (ready_made) {
    Result<std::string> fetched = blocks::FetchIndexHeader(bucket_, ulid_, index_bytes, cancel);
    if (fetched.ok()) {
      Made(metrics_.from_object, begun);
      return fetched;
    }
    GN_TRY(cancel.status());
  }
  bool unread = false;
  Result<std::string> made = blocks::MakeIndexHeader(index_bytes, IndexReader(cancel, &unread));
  if (!made.ok()) return made.status().Wrap("make the index header of " + block_);
  Made(metrics_.from_index, begun);
  return made;
}

IndexHeaderFile::Loaded IndexHeaderFile::LoadIntoMemory(const Cancel& cancel) {
  auto open = [](std::string bytes) {
    return blocks::IndexHeader::FromFile(std::make_unique<io::MappedFile>(std::move(bytes)));
  };
  GN_ASSIGN(std::string bytes, MakeInMemory(cancel, true));
  auto header = open(std::move(bytes));
  if (header.ok() || header.status().code() != Code::kCorrupt) return header;
  GN_ASSIGN(bytes, MakeInMemory(cancel, false));
  return open(std::move(bytes));
}

}  // namespace gauntlet::store
