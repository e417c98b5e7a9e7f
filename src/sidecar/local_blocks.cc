#include "sidecar/local_blocks.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <utility>
#include <vector>

#include "io/path.h"

namespace gauntlet::sidecar {

LocalBlocks::LocalBlocks(io::FileSystem& files, std::string dir, LocalBlocksOptions options, Clock& clock,
                         telemetry::Registry& registry, telemetry::Logger logger)
    : files_(files),
      dir_(std::move(dir)),
      options_(options),
      clock_(clock),
      logger_(std::move(logger)),
      end_seconds_(registry.MakeGauge("gauntlet_sidecar_blocks_readable_until_seconds",
                                      "Time up to which samples are read from Prometheus' blocks instead of by remote "
                                      "read; 0 when none are.")),
      directory_(files, dir_) {}

std::shared_ptr<const tsdb::BlockList> LocalBlocks::Current() {
  constexpr int kTries = 4;
  // A listing may miss a block that comes while another goes: it counts when the next one finds the same.
  std::shared_ptr<const tsdb::BlockList> last = directory_.blocks();
  for (int i = 0; i < kTries; ++i) {
    std::vector<tsdb::BlockDirectory::Problem> problems;
    if (!directory_.Refresh(&problems).ok()) return nullptr;
    std::shared_ptr<const tsdb::BlockList> now = directory_.blocks();
    if (problems.empty() && *now == *last) return now;
    last = std::move(now);
  }
  return nullptr;
}

LocalBlocks::LateLog LocalBlocks::ReadLateLog() {
  LateLog log;
  auto list = files_.List(io::JoinPath(dir_, "wbl"));
  if (!list.ok()) return log;
  bool any = false;
  for (const io::FileInfo& file : *list) {
    int64_t number = 0;
    auto [end, error] = std::from_chars(file.name.data(), file.name.data() + file.name.size(), number);
    if (error != std::errc() || end != file.name.data() + file.name.size()) continue;
    log.first = any ? std::min(log.first, number) : number;
    log.last = std::max(log.last, number);
    any = true;
  }
  return log;
}

std::string LocalBlocks::Difference(const tsdb::BlockList& blocks, const DatabaseFacts& facts) {
  if (blocks.empty()) return "there are no blocks";
  if (!facts.blocks) return "Prometheus does not say how many blocks it has";
  if (static_cast<uint64_t>(*facts.blocks) != blocks.size()) {
    return fmt::format("{} blocks are in the folder, Prometheus has {}", blocks.size(), *facts.blocks);
  }
  if (blocks.front()->meta().mint_ms != facts.lowest_ms) {
    return fmt::format("the first block begins at {}, the data of Prometheus at {}", blocks.front()->meta().mint_ms,
                       facts.lowest_ms);
  }
  return "";
}

void LocalBlocks::Compare(const PrometheusState& state) {
  std::shared_ptr<const tsdb::BlockList> blocks = Current();
  std::string difference =
      blocks == nullptr ? "the folder cannot be read, or changes" : Difference(*blocks, state.database);
  LateLog log = ReadLateLog();
  MutexLock lock(mutex_);
  window_ms_ = std::max(window_ms_, state.out_of_order_window_ms);
  if (!difference.empty()) return Set(std::nullopt, difference);
  int64_t covered = std::numeric_limits<int64_t>::min();
  for (const tsdb::BlockPtr& block : *blocks) covered = std::max(covered, block->meta().maxt_ms);
  if (state.database.head_min_ms) covered = std::min(covered, *state.database.head_min_ms);
  if (covered != newest_ms_) {
    newest_ms_ = covered;
    newest_since_ = clock_.Now();
    newest_log_first_ = log.first;
  }
  bool settled =
      clock_.Now() - newest_since_ >= options_.settle && (log.first == log.last || log.first > newest_log_first_);
  if (window_ms_ == 0 || covered < covered_ms_ || settled) covered_ms_ = covered;
  int64_t end = covered_ms_;
  if (window_ms_ > 0) {
    if (!state.database.head_max_ms) return Set(std::nullopt, "Prometheus does not say where its head ends");
    end = std::min(end, *state.database.head_max_ms - window_ms_);
  }
  Set(end, "");
}

void LocalBlocks::Set(std::optional<int64_t> end_ms, const std::string& why_not) {
  if (why_not != why_not_ && !why_not.empty()) {
    GN_LOG(logger_, kInfo, "blocks of Prometheus are not read here", {"dir", dir_}, {"reason", why_not});
  }
  if (!end_ms_ && end_ms) {
    GN_LOG(logger_, kInfo, "blocks of Prometheus are read here", {"dir", dir_}, {"until_ms", *end_ms});
  }
  end_ms_ = end_ms;
  why_not_ = why_not;
  end_seconds_.Set(end_ms ? static_cast<double>(*end_ms) / 1000 : 0);
}

std::optional<LocalBlocks::Readable> LocalBlocks::Take() {
  std::optional<int64_t> end_ms;
  {
    MutexLock lock(mutex_);
    end_ms = end_ms_;
  }
  if (!end_ms) return std::nullopt;
  std::shared_ptr<const tsdb::BlockList> blocks = Current();
  if (blocks == nullptr) return std::nullopt;
  return Readable{std::move(blocks), *end_ms};
}

}  // namespace gauntlet::sidecar
