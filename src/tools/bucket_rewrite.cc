// Two passes: the first decides over every series by its labels alone; the second writes those that are left in the
// order of their new labels. Series that get the same labels become one.

#include "tools/bucket_rewrite.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <set>
#include <utility>

#include "config/decoder.h"
#include "io/path.h"
#include "json/writer.h"
#include "promql/syntax/parser.h"
#include "tsdb/block/block.h"
#include "tsdb/block/block_writer.h"
#include "tsdb/chunks/segment.h"
#include "tsdb/compact/part.h"
#include "tsdb/compact/series_merger.h"

namespace gauntlet::tools {
namespace {

using tsdb::Interval;

// "[{1 2} {3 4}]", as Go prints them.
std::string IntervalsText(const std::vector<Interval>& intervals) {
  std::string text = "[";
  for (const Interval& i : intervals)
    text += fmt::format("{}{{{} {}}}", text.size() > 1 ? " " : "", i.mint_ms, i.maxt_ms);
  return text + "]";
}

// A series that stays.
struct Kept {
  std::string packed_labels;
  uint32_t id = 0;
  std::vector<Interval> deleted;
};

class BlockRewriter {
 public:
  BlockRewriter(std::shared_ptr<const tsdb::Block> block, const RewriteRequest& request, Relabeler relabeler,
                const RewriteOptions& options, const Cancel& cancel)
      : block_(std::move(block)),
        request_(request),
        relabeler_(std::move(relabeler)),
        options_(options),
        cancel_(cancel),
        decoder_(block_->index().symbols()) {}

  Status Decide() {
    GN_ASSIGN(tsdb::PostingsList all, block_->index().AllPostings());
    for (size_t i = 0; i < all.size(); ++i) {
      if (i % 1024 == 0) GN_TRY(cancel_.status());
      GN_TRY(decoder_.Decode(block_->index().SeriesBytes(all[i]), &entry_));
      Consider(all[i]);
    }
    std::stable_sort(kept_.begin(), kept_.end(), [](const Kept& a, const Kept& b) {
      return CompareLabels(LabelsView(a.packed_labels), LabelsView(b.packed_labels)) < 0;
    });
    return Status();
  }

  bool empty() const { return kept_.empty(); }

  Status Write(tsdb::BlockWriter& writer) {
    GN_TRY(AddSymbols(writer));
    tsdb::SeriesMerger merger{tsdb::CompactOptions()};
    tsdb::MergedChunks merged;
    for (size_t begin = 0, end; begin < kept_.size(); begin = end) {
      for (end = begin + 1; end < kept_.size() && kept_[end].packed_labels == kept_[begin].packed_labels;) ++end;
      if (begin / 1024 != end / 1024) GN_TRY(cancel_.status());
      LabelsView labels(kept_[begin].packed_labels);
      std::vector<tsdb::SourceSeries> parts;
      std::vector<uint32_t> sources;
      for (size_t i = begin; i < end; ++i) {
        tsdb::SourceSeries part;
        GN_TRY(Read(kept_[i], &part).Wrap(labels.ToString()));
        if (!tsdb::DropDeleted(kMin, kMax, &part)) continue;
        sources.push_back(static_cast<uint32_t>(parts.size()));
        parts.push_back(std::move(part));
      }
      merged.Clear();
      tsdb::MergeFault fault;
      GN_TRY(merger.Merge(parts, sources, &merged, &fault).Wrap(labels.ToString()));
      if (merged.chunks.empty()) continue;
      std::vector<tsdb::BlockChunk> chunks(merged.chunks.begin(), merged.chunks.end());
      GN_TRY(writer.AddSeries(labels, chunks));
    }
    return Status();
  }

 private:
  static constexpr int64_t kMin = std::numeric_limits<int64_t>::min(), kMax = std::numeric_limits<int64_t>::max();

  void Tell(const std::string& line) const {
    if (options_.on_change) options_.on_change(line);
  }

  // The series in entry_.
  void Consider(uint32_t id) {
    std::optional<Labels> labels = relabeler_.Apply(entry_.labels());
    if (!labels || labels->empty()) return TellDropped(entry_.labels());
    if (labels->packed() != entry_.labels().packed()) {
      Tell(fmt::format("Relabelled {} {}", entry_.labels().ToString(), labels->ToString()));
    }
    Kept kept{std::string(labels->packed()), id, {}};
    for (const DeletionRequest& deletion : request_.deletions) {
      bool all = std::all_of(deletion.matchers.begin(), deletion.matchers.end(), [&](const Matcher& m) {
        std::string_view value = labels->Get(m.name());
        return !value.empty() && m.Matches(value);
      });
      if (!all) continue;
      if (deletion.intervals.empty()) return TellDropped(*labels);
      for (const Interval& interval : deletion.intervals) tsdb::AddInterval(kept.deleted, interval);
    }
    std::vector<Interval> lost;
    for (const tsdb::ChunkMeta& chunk : entry_.chunks) {
      for (const Interval& interval : kept.deleted) {
        if (!chunk.Overlaps(interval.mint_ms, interval.maxt_ms)) continue;
        tsdb::AddInterval(lost, {std::max(chunk.mint_ms, interval.mint_ms), std::min(chunk.maxt_ms, interval.maxt_ms)});
      }
    }
    if (!lost.empty()) Tell(fmt::format("Deleted {} {}", labels->ToString(), IntervalsText(lost)));
    kept_.push_back(std::move(kept));
  }

  void TellDropped(LabelsView labels) const {
    std::vector<Interval> all;
    if (!entry_.chunks.empty()) all.push_back({entry_.chunks.front().mint_ms, entry_.chunks.back().maxt_ms});
    Tell(fmt::format("Deleted {} {}", labels.ToString(), IntervalsText(all)));
  }

  // Without relabelling those of the block, as upstream, else those that are used.
  Status AddSymbols(tsdb::BlockWriter& writer) {
    if (request_.relabels.empty()) {
      tsdb::SymbolTable::Cursor symbols(block_->index().symbols());
      for (std::string_view symbol; symbols.Next(&symbol);) GN_TRY(writer.AddSymbol(symbol));
      return Status();
    }
    std::set<std::string_view> used;
    for (const Kept& kept : kept_) {
      for (const auto& label : LabelsView(kept.packed_labels)) {
        used.insert(label.name);
        used.insert(label.value);
      }
    }
    for (std::string_view symbol : used) GN_TRY(writer.AddSymbol(symbol));
    return Status();
  }

  Status Read(const Kept& kept, tsdb::SourceSeries* out) {
    GN_TRY(decoder_.Decode(block_->index().SeriesBytes(kept.id), &entry_));
    for (const tsdb::ChunkMeta& meta : entry_.chunks) {
      GN_ASSIGN(std::string_view bytes, block_->chunks().From(meta.ref));
      uint64_t size = tsdb::StoredChunkBytes(bytes);
      if (size == 0 || size > bytes.size()) {
        return Status(Code::kCorrupt, fmt::format("chunk {} does not end within its segment", meta.ref));
      }
      tsdb::SourceChunk& chunk = out->chunks.emplace_back();
      chunk.meta = meta;
      chunk.stored = bytes.substr(0, size);
    }
    out->deleted = kept.deleted;
    for (const Interval& interval : block_->tombstones().Of(kept.id)) tsdb::AddInterval(out->deleted, interval);
    return Status();
  }

  const std::shared_ptr<const tsdb::Block> block_;
  const RewriteRequest& request_;
  const Relabeler relabeler_;
  const RewriteOptions& options_;
  const Cancel& cancel_;
  tsdb::SeriesDecoder decoder_;
  tsdb::SeriesEntry entry_;
  std::vector<Kept> kept_;
};

void WriteDeletion(const DeletionRequest& deletion, json::Writer& writer) {
  writer.BeginObject().Key("matchers").BeginArray();
  for (const Matcher& m : deletion.matchers) {
    // Go's numbers of =, !=, =~ and !~.
    writer.BeginObject().IntMember("Type", static_cast<int>(m.type()));
    writer.StringMember("Name", m.name()).StringMember("Value", m.value()).EndObject();
  }
  writer.EndArray();
  if (!deletion.intervals.empty()) {
    writer.Key("intervals").BeginArray();
    for (const Interval& i : deletion.intervals) {
      writer.BeginObject().IntMember("Mint", i.mint_ms).IntMember("Maxt", i.maxt_ms).EndObject();
    }
    writer.EndArray();
  }
  if (!deletion.request_id.empty()) writer.StringMember("request_id", deletion.request_id);
  writer.EndObject();
}

void WriteRelabel(const RelabelConfig& rule, json::Writer& writer) {
  writer.BeginObject();
  if (!rule.source_labels.empty()) {
    writer.Key("sourceLabels").BeginArray();
    for (const std::string& label : rule.source_labels) writer.String(label);
    writer.EndArray();
  }
  writer.StringMember("separator", rule.separator).StringMember("regex", rule.regex);
  if (rule.modulus != 0) writer.Key("modulus").Uint(rule.modulus);
  if (!rule.target_label.empty()) writer.StringMember("targetLabel", rule.target_label);
  writer.StringMember("replacement", rule.replacement).StringMember("action", RelabelActionName(rule.action));
  writer.EndObject();
}

// The list of rewrites with this one behind.
std::string AppendRewrite(std::string_view rewrites, const std::vector<Ulid>& sources, const RewriteRequest& request) {
  std::string one;
  json::Writer writer(&one);
  writer.BeginObject().Key("sources").BeginArray();
  for (const Ulid& source : sources) writer.String(source.ToString());
  writer.EndArray();
  if (!request.deletions.empty()) {
    writer.Key("deletions_applied").BeginArray();
    for (const DeletionRequest& deletion : request.deletions) WriteDeletion(deletion, writer);
    writer.EndArray();
  }
  if (!request.relabels.empty()) {
    writer.Key("relabels_applied").BeginArray();
    for (const RelabelConfig& rule : request.relabels) WriteRelabel(rule, writer);
    writer.EndArray();
  }
  writer.EndObject();
  size_t end = rewrites.rfind(']');
  bool any = end != std::string_view::npos && rewrites.find('{') != std::string_view::npos;
  return (any ? std::string(rewrites.substr(0, end)) + "," : "[") + one + "]";
}

}  // namespace

Result<std::vector<DeletionRequest>> ParseDeletions(std::string_view yaml) {
  std::vector<DeletionRequest> deletions;
  GN_ASSIGN(config::NodePtr root, config::ParseYaml(yaml));
  if (root->is_null()) return deletions;
  // A list has no name to decode it by: it gets one.
  config::NodePtr document = config::Node::Mapping({{config::Node::String("requests"), root}});
  GN_TRY(config::DecodeNode(*document, "metadata.DeletionRequests", [&](config::Decoder& d) {
    d.Each("requests", "metadata.DeletionRequest", [&](config::Decoder& request) {
      DeletionRequest& out = deletions.emplace_back();
      request.Field("matchers", &out.text);
      request.Field("request_id", &out.request_id);
      request.Each("intervals", "tombstones.Interval", [&](config::Decoder& interval) {
        Interval& i = out.intervals.emplace_back();
        interval.Field("mint", &i.mint_ms);
        interval.Field("maxt", &i.maxt_ms);
      });
      auto matchers = promql::ParseMetricSelector(out.text);
      if (!matchers.ok()) {
        request.Fail("matchers", fmt::format("parse metric selector {}: {}", out.text, matchers.status().message()));
      } else {
        out.matchers = *std::move(matchers);
      }
    });
  }));
  return deletions;
}

Result<std::optional<blocks::Meta>> RewriteBlock(io::FileSystem& files, const std::string& parent,
                                                 const blocks::Meta& from, const Ulid& id,
                                                 const RewriteRequest& request, const RewriteOptions& options,
                                                 const Cancel& cancel) {
  GN_ASSIGN(Relabeler relabeler, Relabeler::Make(request.relabels));
  GN_ASSIGN(auto block, tsdb::Block::Open(files, io::JoinPath(parent, from.block.ulid.ToString())));
  BlockRewriter rewriter(block, request, std::move(relabeler), options, cancel);
  GN_TRY(rewriter.Decide());
  if (options.dry_run || rewriter.empty()) return std::optional<blocks::Meta>();

  blocks::Meta meta = from;
  meta.block.ulid = id;
  meta.block.stats = {};
  meta.block.compaction.sources = {id};  // or readers would take it for a copy
  meta.thanos.rewrites = AppendRewrite(from.thanos.rewrites, from.block.compaction.sources, request);
  meta.thanos.source = blocks::kBucketRewriteSource;
  meta.thanos.segment_files.clear();
  meta.thanos.files.clear();
  GN_ASSIGN(auto writer, tsdb::BlockWriter::Create(files, parent, meta.block));
  GN_TRY(rewriter.Write(*writer));
  if (writer->meta().stats.series == 0) return std::optional<blocks::Meta>();
  GN_TRY(writer->Finish());
  // The writer knows nothing of the thanos section.
  std::vector<tsdb::RawMember> more = std::move(meta.block.more);
  meta.block = writer->meta();
  meta.block.more = std::move(more);
  const std::string dir = io::JoinPath(parent, id.ToString());
  GN_ASSIGN(std::vector<io::FileInfo> segments, files.List(io::JoinPath(dir, blocks::kChunksDirectory)));
  for (const io::FileInfo& segment : segments) meta.thanos.segment_files.push_back(segment.name);
  GN_TRY(files.WriteAtomically(io::JoinPath(dir, tsdb::kMetaFile), blocks::FormatMeta(meta)));
  return std::optional<blocks::Meta>(std::move(meta));
}

}  // namespace gauntlet::tools
