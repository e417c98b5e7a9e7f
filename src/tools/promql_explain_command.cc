#include "tools/promql_explain_command.h"

#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <memory>

#include "base/clock.h"
#include "base/executor.h"
#include "promql/engine/engine.h"
#include "promql/script/runner.h"

namespace gauntlet::tools {
namespace {

promql::EngineOptions EveryFeature() {
  promql::EngineOptions options;
  options.experimental_functions = options.extended_range_selectors = options.binop_fill_modifiers = true;
  options.x_functions = true;
  return options;
}

Result<std::string> ExplainText(io::FileSystem& files, const ExplainOptions& options) {
  promql::ScriptStorage storage;
  if (!options.load_file.empty()) {
    GN_ASSIGN(std::string text, files.ReadFile(options.load_file));
    GN_TRY(promql::LoadScript(text, &storage));
  } else if (options.analyze) {
    return Status(Code::kInvalid, "--analyze needs data: --load=FILE");
  }
  InlineExecutor executor;
  promql::Engine engine(EveryFeature(), executor, nullptr, SystemClock());
  promql::QueryOptions query_options;
  query_options.analyze = options.analyze;
  GN_ASSIGN(auto query, options.step_ms > 0
                            ? engine.NewRangeQuery(storage.storage(), query_options, options.query, options.start_ms,
                                                   options.end_ms, options.step_ms)
                            : engine.NewInstantQuery(storage.storage(), query_options, options.query, options.end_ms));
  if (!options.analyze) return promql::ExplanationText(query->Explain());
  promql::QueryResult result = query->Exec(Cancel());
  GN_TRY(result.status);
  std::string text = promql::ExplanationText(*result.explanation);
  const promql::QueryStats& stats = result.stats;
  text += fmt::format("{:.3f} ms; {} samples read, {} seen by windows; {} bytes at the peak\n", stats.eval_total * 1e3,
                      stats.samples_read, stats.total_queryable_samples, stats.peak_memory_bytes);
  return text;
}

}  // namespace

int RunPromqlExplain(io::FileSystem& files, const ExplainOptions& options, std::string* out) {
  Result<std::string> text = ExplainText(files, options);
  *out += text.ok() ? *text : std::string(text.status().message()) + "\n";
  return text.ok() ? 0 : 1;
}

void AddPromqlExplainCommand(flags::Command& tools) {
  struct Flags {
    ExplainOptions options;
    std::chrono::milliseconds start{0}, end{0}, step{0};
  };
  auto flags = std::make_shared<Flags>();
  flags::Command& command = tools.AddCommand("promql-explain", "Show how a query is evaluated.");
  command.Argument("query", "The query.", &flags->options.query);
  command.flags().PromDuration("start", "Start of a range query, since the epoch.", &flags->start);
  command.flags().PromDuration("end", "End of a range query, or the time of an instant query, since the epoch.",
                               &flags->end);
  command.flags().PromDuration("step", "Step of a range query. 0: an instant query.", &flags->step);
  command.flags().String("load", "Script of the promqltest language whose load commands make the data.",
                         &flags->options.load_file);
  command.flags().Bool("analyze", "Run the query and show what each operator cost.", &flags->options.analyze);
  command.Run([flags] {
    flags->options.start_ms = flags->start.count();
    flags->options.end_ms = flags->end.count();
    flags->options.step_ms = flags->step.count();
    std::string out;
    int exit_code = RunPromqlExplain(io::RealFileSystem(), flags->options, &out);
    std::fputs(out.c_str(), exit_code == 0 ? stdout : stderr);
    return exit_code;
  });
}

}  // namespace gauntlet::tools
