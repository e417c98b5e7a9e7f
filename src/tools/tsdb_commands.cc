#include "tools/tsdb_commands.h"

#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <functional>
#include <memory>
#include <utility>

#include "tools/tsdb_analyze.h"
#include "tools/tsdb_create_blocks.h"
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

Status CreateFromOpenMetrics(const std::string& input, const std::string& dir, const CreateBlocksOptions& options) {
  io::FileSystem& files = io::RealFileSystem();
  GN_ASSIGN(std::unique_ptr<io::MappedFile> text, files.Map(input));
  uint64_t dropped = 0;
  GN_TRY(CreateBlocks(files, text->bytes(), dir, options, Print, &dropped));
  if (dropped > 0) fmt::print(stderr, "{} samples before the last one of their series were left out\n", dropped);
  return Status();
}

void AddCreateBlocks(flags::Command& tsdb) {
  struct Options {
    std::string input, dir = kDefaultPath;
    std::chrono::milliseconds longest{0};
    std::vector<std::string> labels;
    CreateBlocksOptions create;
  };
  auto options = std::make_shared<Options>();
  flags::Command& from = tsdb.AddCommand("create-blocks-from", "Import samples from input and produce TSDB blocks.");
  flags::Command& command =
      from.AddCommand("openmetrics", "Import samples from OpenMetrics input and produce TSDB blocks.");
  flags::FlagSet& f = command.flags();
  f.Bool("human-readable", "Print human readable values.", &options->create.human).Short('r');
  f.Bool("quiet", "Do not print created blocks.", &options->create.quiet).Short('q');
  f.GoDuration("max-block-duration", "Maximum duration created blocks may span. Anything less than 2h is ignored.",
               &options->longest)
      .Hidden();
  f.Strings("label", "Label to attach to metrics, name=value. Can be specified multiple times.", &options->labels);
  command.Argument("input file", "OpenMetrics file to read samples from.", &options->input)
      .Argument("output directory", "Output directory for generated blocks.", &options->dir, false)
      .Run([options] {
        options->create.block_ms_max = options->longest.count();
        for (const std::string& text : options->labels) {
          size_t equals = text.find('=');
          if (equals == std::string::npos || equals == 0) {
            return Report(Status(Code::kInvalid, fmt::format("--label: expected name=value, got {}", text)));
          }
          options->create.labels.emplace_back(text.substr(0, equals), text.substr(equals + 1));
        }
        return Report(CreateFromOpenMetrics(options->input, options->dir, options->create));
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
  AddCreateBlocks(tsdb);
  return tsdb;
}

}  // namespace gauntlet::tools
