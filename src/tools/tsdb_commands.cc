#include "tools/tsdb_commands.h"

#include <fmt/format.h>

#include <cstdio>
#include <functional>
#include <memory>
#include <utility>

#include "tools/tsdb_analyze.h"
#include "tools/tsdb_dump.h"
#include "tools/tsdb_list.h"
#include "tsdb/db/block_queryable.h"

namespace gauntlet::tools {
namespace {

constexpr char kDefaultPath[] = "data/", kPathHelp[] = "Database path (default is data/).";

void Print(std::string_view text) { std::fwrite(text.data(), 1, text.size(), stdout); }

int Report(const Status& status) {
  if (status.ok()) return 0;
  fmt::print(stderr, "{}\n", status.message());
  return 1;
}

void AddList(flags::Command& tsdb) {
  struct Options {
    std::string path = kDefaultPath;
    bool human = false;
  };
  auto options = std::make_shared<Options>();
  flags::Command& command = tsdb.AddCommand("list", "List tsdb blocks.");
  command.flags().Bool("human-readable", "Print human readable values.", &options->human).Short('r');
  command.Argument("db path", kPathHelp, &options->path, false).Run([options] {
    auto blocks = OpenBlocks(io::RealFileSystem(), options->path);
    if (!blocks.ok()) return Report(blocks.status());
    Print(BlockTable(**blocks, options->human));
    return 0;
  });
}

Status Analyze(const std::string& path, const std::string& id, const AnalyzeOptions& options) {
  GN_ASSIGN(std::shared_ptr<const tsdb::BlockList> blocks, OpenBlocks(io::RealFileSystem(), path));
  tsdb::BlockPtr chosen;
  for (const tsdb::BlockPtr& block : *blocks) {
    // Without an id the last one: that of the greatest ULID.
    std::string ulid = block->meta().ulid.ToString();
    bool better = chosen == nullptr || ulid > chosen->meta().ulid.ToString();
    if (id.empty() ? better : ulid == id) chosen = block;
  }
  if (chosen == nullptr) {
    return Status(Code::kNotFound, id.empty() ? "no blocks found" : fmt::format("invalid block ID \"{}\"", id));
  }
  GN_ASSIGN(std::string report, AnalyzeBlock(*chosen, options, Cancel()));
  Print(report);
  return Status();
}

void AddAnalyze(flags::Command& tsdb) {
  struct Options {
    std::string path = kDefaultPath, id;
    int limit = 20;
    AnalyzeOptions analyze;
  };
  auto options = std::make_shared<Options>();
  flags::Command& command =
      tsdb.AddCommand("analyze", "Analyze churn, label pair cardinality and compaction efficiency.");
  command.flags().Int("limit", "How many items to show in each list.", &options->limit);
  command.flags().Bool("extended", "Run extended analysis.", &options->analyze.extended);
  command.flags().String("match", "Series selector to analyze. Only 1 set of matchers is supported now.",
                         &options->analyze.match);
  command.Argument("db path", kPathHelp, &options->path, false)
      .Argument("block id", "Block to analyze (default is the last block).", &options->id, false)
      .Run([options] {
        options->analyze.limit = options->limit > 0 ? static_cast<size_t>(options->limit) : 0;
        return Report(Analyze(options->path, options->id, options->analyze));
      });
}

Status Dump(const std::string& path, const DumpOptions& options) {
  io::FileSystem& files = io::RealFileSystem();
  tsdb::BlockDirectory directory(files, path);
  std::vector<tsdb::BlockDirectory::Problem> problems;
  GN_TRY(directory.Refresh(&problems));
  if (!problems.empty()) return Status(problems[0].status).Wrap(problems[0].name);
  if (files.Exists(path + "/wal")) {
    fmt::print(stderr, "note: only blocks are read, not what is still in {}/wal\n", path);
  }
  tsdb::BlockQueryable source(directory);
  return DumpSamples(source, options, Cancel(), Print);
}

// The two dumps differ in their format.
void AddDump(flags::Command& tsdb, std::string name, std::string help, bool openmetrics) {
  struct Options {
    std::string path = kDefaultPath, format = "prom", sandbox;
    DumpOptions dump;
  };
  auto options = std::make_shared<Options>();
  flags::Command& command = tsdb.AddCommand(std::move(name), std::move(help));
  flags::FlagSet& f = command.flags();
  f.String("sandbox-dir-root", "Accepted for promtool's sake: nothing is written, so there is no sandbox.",
           &options->sandbox);
  f.Int64("min-time", "Minimum timestamp to dump, in milliseconds since the Unix epoch.", &options->dump.mint_ms);
  f.Int64("max-time", "Maximum timestamp to dump, in milliseconds since the Unix epoch.", &options->dump.maxt_ms);
  f.Strings("match", "Series selector. Can be specified multiple times.", &options->dump.match);
  if (!openmetrics) {
    f.String("format", "Output format of the dump (prom (default) or seriesjson).", &options->format)
        .Enum({"prom", "seriesjson"});
  }
  command.Argument("db path", kPathHelp, &options->path, false).Run([options, openmetrics] {
    options->dump.format = openmetrics                       ? DumpFormat::kOpenMetrics
                           : options->format == "seriesjson" ? DumpFormat::kSeriesJson
                                                             : DumpFormat::kProm;
    return Report(Dump(options->path, options->dump));
  });
}

}  // namespace

flags::Command& AddTsdbCommands(flags::Command& tools) {
  flags::Command& tsdb = tools.AddCommand("tsdb", "Run tsdb commands.");
  AddList(tsdb);
  AddAnalyze(tsdb);
  AddDump(tsdb, "dump", "Dump data (series+samples or optionally just series) from the blocks of a TSDB.", false);
  AddDump(tsdb, "dump-openmetrics",
          "Dump samples from the blocks of a TSDB into OpenMetrics text format, excluding native histograms.", true);
  return tsdb;
}

}  // namespace gauntlet::tools
