#include "app/bucket_session.h"

#include <cstdio>
#include <utility>

#include "base/clock.h"
#include "config/relabel.h"
#include "io/file_system.h"
#include "model/relabel.h"
#include "objstore/config.h"

namespace gauntlet::app {

using std::chrono::milliseconds;

Result<std::unique_ptr<objstore::Bucket>> OpenBucket(Runtime& runtime, const flags::ConfigSource& source,
                                                     const std::string& component, bool metered) {
  GN_ASSIGN(std::string yaml, source.Load());
  objstore::Environment environment{runtime.blocking(), io::RealFileSystem(), runtime.logger(), component};
  return metered ? objstore::MakeBucket(yaml, environment, runtime.registry())
                 : objstore::MakeBucket(yaml, environment);
}

Result<Session> OpenSession(const GlobalFlags& global, const flags::ConfigSource& source,
                            const std::string& component) {
  Session session;
  GN_ASSIGN(session.runtime, Runtime::Make(global, component));
  GN_ASSIGN(session.bucket, OpenBucket(*session.runtime, source, component, true));
  return session;
}

Result<std::vector<Ulid>> ParseIds(const std::vector<std::string>& texts) {
  std::vector<Ulid> ids;
  for (const std::string& text : texts) {
    auto id = Ulid::Parse(text);
    if (!id.has_value()) return Status(Code::kInvalid, "invalid ULID found in --id flag: " + text);
    ids.push_back(*id);
  }
  return ids;
}

BlocksOfBucket::BlocksOfBucket(Session& session, size_t concurrency)
    : catalog({.concurrency = concurrency}, *session.bucket, io::RealFileSystem(), session.runtime->blocking(),
              session.runtime->registry(), session.logger()),
      session_(session) {}

Status BlocksOfBucket::AddShard(const flags::ConfigSource& relabel) {
  GN_ASSIGN(std::string yaml, relabel.Load());
  GN_ASSIGN(std::vector<RelabelConfig> rules, config::ParseSelectorRelabel(yaml));
  GN_ASSIGN(Relabeler relabeler, Relabeler::Make(std::move(rules)));
  filters.push_back(std::make_shared<blocks::ShardFilter>(std::move(relabeler)));
  return Status();
}

void BlocksOfBucket::AddTimes(const flags::TimeOrDuration& min, const flags::TimeOrDuration& max) {
  filters.push_back(std::make_shared<blocks::TimePartitionFilter>([min] { return min.At(SystemClock().NowMs()); },
                                                                  [max] { return max.At(SystemClock().NowMs()); }));
}

std::shared_ptr<blocks::IgnoreDeletionMarkFilter> BlocksOfBucket::AddDeletionMarks(milliseconds delay) {
  auto filter = std::make_shared<blocks::IgnoreDeletionMarkFilter>(catalog, delay, SystemClock(), session_.logger());
  filters.push_back(filter);
  return filter;
}

Result<blocks::BlockView> BlocksOfBucket::Fetch(const Cancel& cancel) {
  blocks::MetaFetcher fetcher(catalog, filters, session_.runtime->registry(), session_.logger(), SystemClock());
  GN_ASSIGN(blocks::BlockView view, fetcher.Fetch(cancel));
  GN_TRY(view.incomplete);
  return view;
}

blocks::UpkeepContext UpkeepOf(Session& session) {
  return {*session.bucket, session.runtime->blocking(), SystemClock(), session.logger()};
}

void Print(const std::string& text) { std::fwrite(text.data(), 1, text.size(), stdout); }

void RegisterTimes(flags::FlagSet& f, const std::string& verb, flags::TimeOrDuration* min, flags::TimeOrDuration* max) {
  f.Time("min-time", "Start of time range limit to " + verb + ": RFC3339, or a duration relative to now (-1d, 2h45m).",
         min)
      .Default("0000-01-01T00:00:00Z");
  f.Time("max-time", "End of time range limit to " + verb + ": RFC3339, or a duration relative to now (-1d, 2h45m).",
         max)
      .Default("9999-12-31T23:59:59Z");
}

}  // namespace gauntlet::app
