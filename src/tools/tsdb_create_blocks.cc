// One pass over the text finds where it begins and ends, then one for each block picks its samples: so that only one
// block is in memory, in whatever order the text is.
#include "tools/tsdb_create_blocks.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <optional>

#include "base/clock.h"
#include "base/ulid.h"
#include "expfmt/openmetrics.h"
#include "io/path.h"
#include "tools/tsdb_list.h"
#include "tsdb/block/block_builder.h"

namespace gauntlet::tools {
namespace {

constexpr int64_t kTwoHoursMs = 7200000;
constexpr int64_t kNever = std::numeric_limits<int64_t>::max();

struct Span {
  int64_t mint_ms = kNever, maxt_ms = std::numeric_limits<int64_t>::min();
};

Result<Span> FindSpan(std::string_view text) {
  Span span;
  expfmt::OpenMetricsReader reader(text);
  expfmt::TextSample sample;
  for (;;) {
    GN_ASSIGN(bool more, reader.Next(&sample));
    if (!more) return span;
    if (!sample.time_ms) {
      return Status(Code::kInvalid,
                    fmt::format("expected timestamp for series {}, got none", sample.labels().ToString()));
    }
    span.mint_ms = std::min(span.mint_ms, *sample.time_ms);
    span.maxt_ms = std::max(span.maxt_ms, *sample.time_ms);
  }
}

// Appends what lies in [begin, end); returns the first time behind it, kNever when there is none.
Result<int64_t> ReadSpan(std::string_view text, int64_t begin_ms, int64_t end_ms, const CreateBlocksOptions& options,
                         tsdb::BlockBuilder& builder, uint64_t* dropped) {
  int64_t next_ms = kNever;
  expfmt::OpenMetricsReader reader(text);
  expfmt::TextSample sample;
  LabelsBuilder labels;
  for (;;) {
    GN_ASSIGN(bool more, reader.Next(&sample));
    if (!more) return next_ms;
    int64_t t = *sample.time_ms;
    if (t >= end_ms) next_ms = std::min(next_ms, t);
    if (t < begin_ms || t >= end_ms) continue;
    Status st;
    if (options.labels.empty()) {
      st = builder.Append(sample.labels(), t, sample.value);
    } else {
      labels.Reset(sample.labels());
      for (const auto& [name, value] : options.labels) labels.Set(name, value);
      st = builder.Append(labels.Build(), t, sample.value);
    }
    if (st.code() == Code::kOutOfOrder) {
      ++*dropped;
    } else {
      GN_TRY(st);
    }
  }
}

}  // namespace

int64_t BlockLength(int64_t block_ms_max) {
  int64_t length = kTwoHoursMs;
  for (int i = 0; i < 9 && length * 3 <= block_ms_max; ++i) length *= 3;
  return length;
}

Status CreateBlocks(io::FileSystem& files, std::string_view open_metrics, const std::string& dir,
                    const CreateBlocksOptions& options, const std::function<void(std::string_view)>& print,
                    uint64_t* dropped) {
  Result<Span> span = FindSpan(open_metrics);
  if (!span.ok()) return span.status().Wrap("getting min and max timestamp");
  GN_TRY(files.MakeDirectories(dir));
  if (span->mint_ms == kNever) return Status();
  int64_t length = BlockLength(options.block_ms_max);
  auto align = [length](int64_t t) { return (t / length - (t % length < 0 ? 1 : 0)) * length; };
  bool header = true;
  for (int64_t next_ms = span->mint_ms; next_ms != kNever;) {
    int64_t begin_ms = align(next_ms);
    // Twice the length, as upstream's writer is told: chunks are cut by it.
    tsdb::BlockBuilder builder(2 * length);
    GN_ASSIGN(next_ms, ReadSpan(open_metrics, begin_ms, begin_ms + length, options, builder, dropped));
    if (builder.empty()) continue;
    GN_ASSIGN(tsdb::BlockMeta meta, builder.Write(files, dir, Ulid::Make(SystemClock().NowMs())));
    if (options.quiet) continue;
    GN_ASSIGN(tsdb::BlockPtr block, tsdb::Block::Open(files, io::JoinPath(dir, meta.ulid.ToString())));
    std::string table = BlockTable({block}, options.human);
    print(header ? table : table.substr(table.find('\n') + 1));
    header = false;
  }
  return Status();
}

}  // namespace gauntlet::tools
