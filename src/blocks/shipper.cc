#include "blocks/shipper.h"

#include <algorithm>
#include <optional>

#include "blocks/block_objects.h"
#include "io/path.h"
#include "json/reader.h"
#include "tsdb/block/block.h"
#include "tsdb/block/meta_json.h"

namespace gauntlet::blocks {
namespace {

constexpr size_t kFileBytesMax = 64 << 20;
constexpr char kStaging[] = "thanos/upload";

// The block itself is at fault, not the bucket or the moment.
bool IsBlocksFault(const Status& status) {
  switch (status.code()) {
    case Code::kCorrupt:
    case Code::kUnsupported:
    case Code::kInvalid:
    case Code::kNotFound:
      return true;
    default:
      return false;
  }
}

}  // namespace

std::string FormatShipperFile(const std::vector<Ulid>& uploaded) {
  std::string out;
  tsdb::IndentedJson object(&out, 0, '{');
  object.Int("\"version\"", 1);
  object.Key("\"uploaded\"");
  if (uploaded.empty()) {
    out += "null";
  } else {
    tsdb::IndentedJson list(&out, 1, '[');
    for (const Ulid& id : uploaded) {
      list.Item();
      out += tsdb::QuotedJson(id.ToString());
    }
    list.End();
  }
  object.End();
  return out + "\n";
}

Result<std::vector<Ulid>> ParseShipperFile(std::string_view text) {
  GN_ASSIGN(json::Document document, json::Document::Parse(text));
  json::Value root = document.root();
  auto version = root.Get("version").Int();
  if (!version.has_value()) return Status(Code::kCorrupt, "no version");
  if (*version != 1) return Status(Code::kUnsupported, "unexpected meta file version " + std::to_string(*version));
  tsdb::JsonFields fields(root);
  std::vector<Ulid> uploaded;
  fields.Each("uploaded", [&](json::Value value) {
    auto id = tsdb::JsonFields::AsUlid(value);
    if (id.has_value()) uploaded.push_back(*id);
    return id.has_value();
  });
  if (!fields.status().ok()) return Status(Code::kCorrupt, "uploaded is no list of ids");
  return uploaded;
}

// Whether a compacted block overlaps one that is in the bucket with the same labels. The metas are fetched for the
// first block that asks.
class Shipper::OverlapChecker {
 public:
  explicit OverlapChecker(objstore::Bucket& bucket) : bucket_(bucket) {}

  Status Check(const tsdb::BlockMeta& block, const std::map<std::string, std::string>& labels, const Cancel& cancel) {
    if (!known_.has_value()) GN_TRY(Load(cancel));
    for (const Meta& other : *known_) {
      if (other.thanos.labels != labels || other.block.ulid == block.ulid) continue;
      if (other.block.mint_ms < block.maxt_ms && block.mint_ms < other.block.maxt_ms) {
        return {Code::kInvalid, "shipping compacted block " + block.ulid.ToString() +
                                    " is blocked; overlap spotted with " + other.block.ulid.ToString()};
      }
    }
    return Status();
  }

 private:
  Status Load(const Cancel& cancel) {
    std::vector<Ulid> ids;
    GN_TRY(bucket_.Iter("", {}, cancel, [&](const objstore::ObjectEntry& entry) {
      if (auto id = BlockOfPath(entry.name)) ids.push_back(*id);
      return Status();
    }));
    std::vector<Meta> metas;
    for (const Ulid& id : ids) {
      Result<Meta> meta = DownloadMeta(bucket_, id, cancel);
      if (meta.ok()) {
        metas.push_back(*std::move(meta));
      } else if (!IsBlocksFault(meta.status())) {
        return meta.status();
      }
    }
    known_ = std::move(metas);
    return Status();
  }

  objstore::Bucket& bucket_;
  std::optional<std::vector<Meta>> known_;
};

Shipper::Shipper(ShipperOptions options, objstore::Bucket& bucket, io::FileSystem& files, Executor& executor,
                 Clock& clock, LabelSource labels, telemetry::Registry& registry, telemetry::Logger& logger)
    : options_(std::move(options)),
      bucket_(bucket),
      files_(files),
      executor_(executor),
      clock_(clock),
      labels_(std::move(labels)),
      logger_(logger),
      dir_syncs_(registry.MakeCounter("thanos_shipper_dir_syncs_total", "Total number of dir syncs")),
      dir_sync_failures_(
          registry.MakeCounter("thanos_shipper_dir_sync_failures_total", "Total number of failed dir syncs")),
      uploads_(registry.MakeCounter("thanos_shipper_uploads_total", "Total number of uploaded blocks")),
      upload_failures_(
          registry.MakeCounter("thanos_shipper_upload_failures_total", "Total number of block upload failures")),
      corrupted_blocks_(
          registry.MakeCounter("thanos_shipper_corrupted_blocks_total", "Total number of corrupted blocks")),
      upload_compacted_done_(
          registry.MakeGauge("thanos_shipper_upload_compacted_done",
                             "If 1 it means shipper uploaded all compacted blocks from the filesystem.")) {}

std::string Shipper::FilePath() const { return io::JoinPath(options_.dir, options_.meta_file_name); }

std::set<Ulid> Shipper::UploadedBlocks() const {
  Result<std::string> text = files_.ReadFile(FilePath(), kFileBytesMax);
  if (!text.ok()) return {};
  Result<std::vector<Ulid>> ids = ParseShipperFile(*text);
  return ids.ok() ? std::set<Ulid>(ids->begin(), ids->end()) : std::set<Ulid>();
}

std::vector<Shipper::Candidate> Shipper::FindBlocks(ShipResult* result) const {
  Result<std::vector<io::FileInfo>> names = files_.List(options_.dir);
  if (!names.ok()) {
    result->first_error = names.status().Wrap("look for blocks");
    return {};
  }
  std::vector<Candidate> blocks;
  for (const io::FileInfo& name : *names) {
    std::optional<Ulid> id = name.is_directory ? BlockOfPath(name.name) : std::nullopt;
    if (!id.has_value()) continue;
    const std::string dir = io::JoinPath(options_.dir, name.name);
    Result<std::string> text = files_.ReadFile(io::JoinPath(dir, tsdb::kMetaFile), kFileBytesMax);
    if (text.status().code() == Code::kNotFound && !files_.Exists(dir)) continue;  // deleted this moment
    Result<Meta> meta = text.ok() ? ParseMeta(*text) : Result<Meta>(text.status());
    Status status = meta.status();
    if (status.ok() && meta->block.ulid != *id) status = Status(Code::kCorrupt, "its meta.json is of another block");
    if (status.ok()) {
      blocks.push_back({*std::move(meta), dir});
      continue;
    }
    ++result->corrupt;
    status.Wrap("read metadata for block " + name.name);
    GN_LOG(logger_, kError, "a block does not read and is passed over", {"block", name.name}, {"err", status});
    if (result->first_error.ok()) result->first_error = status;
  }
  std::stable_sort(blocks.begin(), blocks.end(),
                   [](const auto& a, const auto& b) { return a.meta.block.mint_ms < b.meta.block.mint_ms; });
  return blocks;
}

Status Shipper::Stage(const Candidate& block, const std::string& staging) const {
  const std::string chunks = io::JoinPath(staging, kChunksDirectory);
  GN_TRY(files_.RemoveAll(staging));
  GN_TRY(files_.MakeDirectories(chunks));
  GN_ASSIGN(std::vector<io::FileInfo> segments, files_.List(io::JoinPath(block.dir, kChunksDirectory)));
  Meta meta = block.meta;
  for (const io::FileInfo& segment : segments) {
    GN_TRY(files_.Link(io::JoinPath(io::JoinPath(block.dir, kChunksDirectory), segment.name),
                       io::JoinPath(chunks, segment.name)));
    meta.thanos.segment_files.push_back(segment.name);
  }
  GN_TRY(files_.Link(io::JoinPath(block.dir, kIndexFile), io::JoinPath(staging, kIndexFile)));
  for (const auto& [name, value] : labels_()) meta.thanos.labels[name] = value;
  meta.thanos.source = options_.source;
  return files_.WriteAtomically(io::JoinPath(staging, tsdb::kMetaFile), FormatMeta(meta));
}

Status Shipper::Upload(const Candidate& block, const Cancel& cancel) {
  const std::string id = block.meta.block.ulid.ToString();
  GN_LOG(logger_, kInfo, "upload new block", {"id", id});
  const std::string staging = io::JoinPath(io::JoinPath(options_.dir, kStaging), id);
  auto upload = [&]() -> Status {
    GN_TRY(Stage(block, staging).Wrap("hard link block"));
    // Its index and segments must at least open: what is broken here would stop a compactor there.
    GN_TRY(tsdb::Block::Open(files_, staging).status());
    UploadBlockOptions options;
    options.hash_function = options_.hash_function;
    options.concurrency = std::max<size_t>(options_.upload_concurrency, 1);
    return UploadBlock(bucket_, files_, executor_, clock_, staging, options, cancel);
  };
  Status status = upload();
  if (Status clean = files_.RemoveAll(staging); !clean.ok()) {
    GN_LOG(logger_, kError, "the upload directory is not cleaned", {"dir", staging}, {"err", clean});
  }
  return status;
}

Result<bool> Shipper::Ship(const Candidate& block, OverlapChecker& overlaps, ShipResult* result, const Cancel& cancel) {
  const tsdb::BlockMeta& meta = block.meta.block;
  if (meta.stats.samples == 0) return false;
  if (meta.compaction.level > 1 && !options_.upload_compacted) return false;
  GN_ASSIGN(bool exists, bucket_.Exists(meta.ulid.ToString() + "/" + tsdb::kMetaFile, cancel));
  if (exists) return true;
  if (meta.compaction.level > 1 && !options_.allow_out_of_order) GN_TRY(overlaps.Check(meta, labels_(), cancel));
  GN_TRY(Upload(block, cancel));
  ++result->uploaded;
  uploads_.Add();
  return true;
}

void Shipper::Report(const Candidate& block, const Status& status, ShipResult* result) {
  Status told = status;
  told.Wrap("upload " + block.meta.block.ulid.ToString());
  GN_LOG(logger_, kError, "shipping failed", {"block", block.meta.block.ulid.ToString()}, {"err", status});
  upload_failures_.Add();
  ++result->failed;
  if (result->first_error.ok()) result->first_error = std::move(told);
}

void Shipper::WriteFile(const std::vector<Ulid>& uploaded) {
  // Prometheus reads it before each compaction: written anew only when it changes.
  Status status = files_.WriteAtomically(FilePath(), FormatShipperFile(uploaded));
  if (!status.ok()) GN_LOG(logger_, kWarn, "updating meta file failed", {"err", status});
}

ShipResult Shipper::Sync(const Cancel& cancel) {
  MutexLock one(passing_);
  ShipResult result;
  if (!cleaned_) {
    // What a process before this one staged and did not finish.
    cleaned_ = files_.RemoveAll(io::JoinPath(options_.dir, kStaging)).ok();
  }
  const std::set<Ulid> before = UploadedBlocks();
  std::vector<Candidate> blocks = FindBlocks(&result);
  const bool listed = result.first_error.ok() || result.corrupt > 0;
  if (result.corrupt > 0) corrupted_blocks_.Add(result.corrupt);
  OverlapChecker overlaps(bucket_);
  std::vector<Ulid> uploaded;
  bool go_on = true;
  for (const Candidate& block : blocks) {
    const Ulid& id = block.meta.block.ulid;
    if (before.contains(id)) {
      uploaded.push_back(id);
      continue;
    }
    if (!go_on) continue;  // those behind keep their place in the file, and are not sent before it
    Result<bool> shipped = cancel.stopped() ? Result<bool>(cancel.status()) : Ship(block, overlaps, &result, cancel);
    if (shipped.ok()) {
      if (*shipped) uploaded.push_back(id);
      continue;
    }
    if (!files_.Exists(block.dir)) continue;  // deleted while it was read: no fault
    Report(block, shipped.status(), &result);
    go_on = options_.allow_out_of_order || IsBlocksFault(shipped.status());
  }
  if (listed && (!files_.Exists(FilePath()) || std::set<Ulid>(uploaded.begin(), uploaded.end()) != before)) {
    WriteFile(uploaded);
  }
  if (result.first_error.ok()) {
    dir_syncs_.Add();
    upload_compacted_done_.Set(options_.upload_compacted ? 1 : 0);
  } else {
    dir_sync_failures_.Add();
  }
  return result;
}

}  // namespace gauntlet::blocks
