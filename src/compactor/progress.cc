#include "compactor/progress.h"

#include <fmt/format.h>

#include <algorithm>

#include "tsdb/compact/compacted_meta.h"

namespace gauntlet::compactor {
namespace {

constexpr std::chrono::milliseconds kDrawEvery{200};
constexpr int64_t kBytesASample = 2;  // where a meta says nothing better

std::string Amount(int64_t bytes) {
  constexpr const char* kUnits[] = {"B", "kB", "MB", "GB", "TB"};
  auto v = static_cast<double>(bytes);
  size_t unit = 0;
  for (; v >= 1000 && unit < 4; ++unit) v /= 1000;
  return fmt::format("{:.{}f} {}", v, unit == 0 ? 0 : 1, kUnits[unit]);
}

std::string Span(std::chrono::seconds time) {
  const int64_t s = time.count();
  if (s < 60) return fmt::format("{}s", s);
  if (s < 3600) return fmt::format("{}m{:02}s", s / 60, s % 60);
  return fmt::format("{}h{:02}m", s / 3600, s / 60 % 60);
}

}  // namespace

int64_t SizeOf(const blocks::Meta& meta) {
  int64_t bytes = 0;
  for (const blocks::BlockFile& file : meta.thanos.files) bytes += file.bytes;
  return bytes > 0 ? bytes : static_cast<int64_t>(meta.block.stats.samples) * kBytesASample + 1;
}

Backlog PlannedBacklog(const std::vector<int64_t>& ranges, std::vector<Group> groups, const std::set<Ulid>& excluded) {
  Backlog backlog;
  for (Group& group : groups) {
    // A merge makes the list shorter, a rewrite is done once: it ends.
    for (uint32_t n = 1; group.blocks.size() > 1; ++n) {
      Plan plan = PlanMerge(ranges, group.blocks, excluded);
      if (plan.blocks.empty()) break;
      ++backlog.compactions;
      backlog.compaction_blocks += std::ssize(plan.blocks);
      std::vector<const tsdb::BlockMeta*> metas;
      std::vector<Ulid> ids;
      int64_t bytes = 0;
      for (const blocks::MetaPtr& meta : plan.blocks) {
        metas.push_back(&meta->block);
        ids.push_back(meta->block.ulid);
        bytes += SizeOf(*meta);
      }
      backlog.compaction_bytes += bytes;
      auto made = std::make_shared<blocks::Meta>();
      made->block = tsdb::CompactedMeta(metas, tsdb::OutputUlid(ids, "planned", n));
      made->thanos.files = {{.rel_path = "chunks/000001", .bytes = bytes, .more = {}}};
      made->thanos.resolution_ms = group.resolution_ms;
      std::erase_if(group.blocks, [&](const blocks::MetaPtr& meta) {
        return std::find(plan.blocks.begin(), plan.blocks.end(), meta) != plan.blocks.end();
      });
      group.blocks.push_back(std::move(made));
      SortByTime(&group.blocks);
    }
  }
  return backlog;
}

void Progress::Begin(std::string what, int64_t bytes) {
  {
    MutexLock lock(mutex_);
    what_ = std::move(what);
    total_ = std::max<int64_t>(bytes, 0);
    done_ = within_ = 0;
    begun_ = clock_.Now();
  }
  DrawIfDue(true);
}

void Progress::Add(int64_t bytes) {
  {
    MutexLock lock(mutex_);
    done_ += bytes;
    within_ = 0;
  }
  DrawIfDue(false);
}

void Progress::Within(int64_t bytes) {
  {
    MutexLock lock(mutex_);
    within_ = std::max(within_, bytes);
  }
  DrawIfDue(false);
}

void Progress::End() {
  {
    MutexLock lock(mutex_);
    what_.clear();
  }
  DrawIfDue(true);
}

std::string Progress::Line() const {
  MutexLock lock(mutex_);
  return LineLocked();
}

std::string Progress::LineLocked() const {
  if (what_.empty()) return "";
  const int64_t done = std::min(done_ + within_, total_);
  if (total_ <= 0) return what_;
  const double share = static_cast<double>(done) / static_cast<double>(total_);
  constexpr int kCells = 24;
  const auto filled = static_cast<size_t>(share * kCells);
  std::string line = fmt::format("{} [{}{}] {:.0f} % ({} of {})", what_, std::string(filled, '='),
                                 std::string(kCells - filled, ' '), share * 100, Amount(done), Amount(total_));
  const std::chrono::duration<double> so_far = clock_.Now() - begun_;
  if (done > 0 && so_far.count() >= 1) {
    line += ", " + Span(std::chrono::seconds(static_cast<int64_t>(so_far.count() * (1 - share) / share))) + " left";
  }
  return line;
}

void Progress::DrawIfDue(bool always) {
  if (draw_ == nullptr) return;
  std::string line;
  {
    MutexLock lock(mutex_);
    if (!always && clock_.Now() - drawn_ < kDrawEvery) return;
    drawn_ = clock_.Now();
    line = LineLocked();
  }
  draw_(line);
}

}  // namespace gauntlet::compactor
