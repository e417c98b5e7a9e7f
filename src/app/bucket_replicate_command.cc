#include "app/bucket_replicate_command.h"

#include <chrono>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "app/bucket_session.h"
#include "base/clock.h"
#include "blocks/replicator.h"
#include "model/time.h"
#include "net/http/router.h"
#include "objstore/retry.h"
#include "promql/syntax/parser.h"
#include "server/middleware.h"

namespace gauntlet::app {
namespace {

using std::chrono::milliseconds;

struct ReplicateFlags {
  server::HttpOptions http;
  flags::ConfigSource from, to;
  std::vector<std::string> resolutions = {"0s", "5m", "1h"}, compactions, ids;
  int compaction_min = 1, compaction_max = 4;
  std::string matcher;
  bool single_run = false, ignore_marked = false;
  flags::TimeOrDuration min, max;

  void Register(flags::FlagSet& f) {
    http.Register(f);
    f.Config("objstore.config", "YAML file that contains object store configuration.", &from, true);
    f.Config("objstore-to.config", "YAML file of the object storage which replicate data to.", &to, true);
    f.Strings("resolution", "Only blocks with these resolutions will be replicated. Repeated flag.", &resolutions);
    f.Int("compaction-min", "Only blocks with at least this compaction level will be replicated.", &compaction_min);
    f.Int("compaction-max", "Only blocks up to a maximum of this compaction level will be replicated.",
          &compaction_max);
    f.Strings("compaction",
              "Only blocks with these compaction levels will be replicated. Repeated flag. Overrides "
              "compaction-min and compaction-max if set.",
              &compactions);
    f.String("matcher",
             "blocks whose external labels match this matcher will be replicated. All Prometheus matchers "
             "are supported, including =, !=, =~ and !~.",
             &matcher);
    f.Bool("single-run", "Run replication only one time, then exit.", &single_run);
    RegisterTimes(f, "replicate", &min, &max);
    f.Strings("id",
              "Block to be replicated to the destination bucket. Other matchers will be ignored, and the command "
              "runs once. Repeated field",
              &ids);
    f.Bool("ignore-marked-for-deletion", "Do not replicate blocks that have deletion mark.", &ignore_marked);
  }
  Result<blocks::ReplicationFilter> Filter() const {
    blocks::ReplicationFilter filter;
    GN_ASSIGN(filter.ids, ParseIds(ids));
    if (!matcher.empty()) {
      GN_ASSIGN(filter.matchers, promql::ParseMetricSelector(matcher.starts_with('{') ? matcher : "{" + matcher + "}"));
    }
    filter.resolutions_ms.clear();
    for (const std::string& text : resolutions) {
      Result<int64_t> ns = ParseGoDuration(text);
      if (!ns.ok()) return ns.status().Wrap("--resolution");
      filter.resolutions_ms.push_back(*ns / 1'000'000);
    }
    if (compactions.empty() && compaction_min > compaction_max) {
      return Status(Code::kInvalid, "compaction-min must be less than or equal to compaction-max");
    }
    filter.levels.clear();
    for (int level = compaction_min; compactions.empty() && level <= compaction_max; ++level)
      filter.levels.push_back(level);
    for (const std::string& text : compactions) filter.levels.push_back(std::atoi(text.c_str()));
    return filter;
  }
};

Status RunReplicate(const GlobalFlags& global, const ReplicateFlags& o, int* exit_code) {
  GN_ASSIGN(blocks::ReplicationFilter filter, o.Filter());
  GN_ASSIGN(Session session, OpenSession(global, o.from, "replicate"));
  GN_ASSIGN(std::unique_ptr<objstore::Bucket> to, OpenBucket(*session.runtime, o.to, "replicate", true));
  BlocksOfBucket view(session, 32);
  view.AddTimes(o.min, o.max);
  if (o.ignore_marked) view.AddDeletionMarks(milliseconds(-1));
  blocks::MetaFetcher fetcher(view.catalog, view.filters, session.runtime->registry(), session.logger(), SystemClock());
  const bool once = o.single_run || !filter.ids.empty();
  blocks::Replicator replicator(std::move(filter), fetcher, *session.bucket, *to, session.runtime->blocking(),
                                session.runtime->registry(), session.logger());
  if (once) {
    GN_TRY(replicator.Run(Cancel()));
    *exit_code = 0;
    return Status();
  }
  net::HttpRouter router;
  server::AddCommonRoutes(router, session.runtime->prober(), session.runtime->registry());
  Runtime::Plan plan;
  plan.http = o.http;
  plan.router = &router;
  plan.serve_grpc = false;
  plan.start = [&](const Cancel&) {
    session.runtime->prober().SetReady();
    return Status();
  };
  plan.background.emplace_back([&](const Cancel& cancel) {
    do {
      Status status = replicator.Run(cancel);
      if (!status.ok()) GN_LOG(session.logger(), kError, "running replication failed", {"err", status});
    } while (objstore::Pause(milliseconds(60'000), cancel).ok());
  });
  *exit_code = session.runtime->Run(std::move(plan));
  return Status();
}

}  // namespace

void AddBucketReplicateCommand(flags::Command& bucket, const GlobalFlags& global) {
  auto flags = std::make_shared<ReplicateFlags>();
  flags::Command& command = bucket.AddCommand("replicate", "Replicate data from one object storage to another.");
  flags->Register(command.flags());
  SetBody(command, [&global, flags](int* exit_code) { return RunReplicate(global, *flags, exit_code); });
}

}  // namespace gauntlet::app
