#include "compactor/node.h"

#include <unistd.h>

#include "io/path.h"

namespace gauntlet::compactor {
namespace {

constexpr char kHolderFile[] = "compactor-id", kLockFile[] = "compactor.lock";

// Who this compactor is in leases: the same after a restart in the same directory.
Result<std::string> HolderOf(io::FileSystem& files, const std::string& data_dir, Clock& clock) {
  const std::string path = io::JoinPath(data_dir, kHolderFile);
  if (Result<std::string> text = files.ReadFile(path, 4096); text.ok() && !text->empty()) return *std::move(text);
  char host[256] = "";
  if (gethostname(host, sizeof(host) - 1) != 0) host[0] = '\0';
  const std::string holder = std::string(host) + "-" + Ulid::Make(clock.NowMs()).ToString();
  GN_TRY(files.WriteAtomically(path, holder).Wrap("write " + path));
  return holder;
}

}  // namespace

Result<std::unique_ptr<Node>> Node::Make(const NodeOptions& options, const NodeEnvironment& environment) {
  std::unique_ptr<Node> node(new Node(options, environment));
  GN_TRY(node->Open());
  return node;
}

Node::Node(const NodeOptions& options, const NodeEnvironment& environment)
    : options_(options),
      environment_(environment),
      metrics_(environment.registry, options.loop.delete_delay, options.loop.downsampling),
      quarantine_(environment.bucket, environment.registry, environment.logger),
      progress_(environment.draw, environment.clock) {}

Status Node::Open() {
  const NodeEnvironment& e = environment_;
  PlannerOptions planner;
  GN_ASSIGN(planner.ranges, CompactionRanges(options_.level_max));
  planner.index_bytes_max = options_.index_bytes_max;
  planner.vertical = options_.runner.vertical || options_.runner.auto_repair;
  GN_TRY(e.files.MakeDirectories(options_.data_dir).Wrap("make --data-dir"));
  Result<std::unique_ptr<io::FileLock>> lock = e.files.Lock(io::JoinPath(options_.data_dir, kLockFile));
  if (!lock.ok()) return lock.status().Wrap("another process works in " + options_.data_dir);
  lock_ = *std::move(lock);

  blocks::CatalogOptions catalog;
  catalog.strategy = options_.strategy;
  catalog.concurrency = options_.meta_concurrency;
  catalog.data_dir = options_.data_dir;
  catalog_ = std::make_unique<blocks::BlockCatalog>(catalog, e.bucket, e.files, e.blocking, e.registry, e.logger);
  syncer_ = std::make_unique<Syncer>(options_.sync, *catalog_, e.registry, metrics_, e.logger, e.clock);
  planner_ = std::make_unique<Planner>(std::move(planner), [&e](const blocks::Meta& meta) -> Result<int64_t> {
    GN_ASSIGN(objstore::ObjectAttributes attributes,
              e.bucket.Attributes(meta.block.ulid.ToString() + "/" + blocks::kIndexFile, Cancel()));
    return static_cast<int64_t>(attributes.bytes);
  });
  if (options_.leases) {
    GN_ASSIGN(std::string holder, HolderOf(e.files, options_.data_dir, e.clock));
    leases_ = std::make_unique<Leases>(e.bucket, std::move(holder), options_.lease_time, e.clock, e.logger);
  }
  const JobContext jobs{e.bucket, e.files, e.blocking, quarantine_, e.logger, e.clock, e.budget};
  MergeOptions merge;
  merge.work_dir = io::JoinPath(options_.data_dir, "compact");
  merge.kind = options_.merge_kind;
  merge.blocks_concurrency = options_.blocks_concurrency;
  merge.output = options_.output;
  merges_ = std::make_unique<MergeJobs>(std::move(merge), jobs, e.workers);
  DownsampleOptions downsample;
  downsample.work_dir = io::JoinPath(options_.data_dir, "downsample");
  downsample.output = options_.output;
  // What a process that was killed left there is of no use.
  GN_TRY(e.files.RemoveAll(downsample.work_dir).Wrap("clean " + downsample.work_dir));
  downsamples_ = std::make_unique<DownsampleJobs>(std::move(downsample), jobs, e.workers);
  runner_ = std::make_unique<GroupRunner>(options_.runner, *planner_, *merges_, e.bucket, quarantine_, leases_.get(),
                                          metrics_, progress_, e.logger, e.clock);
  compactor_ = std::make_unique<Compactor>(
      options_.loop, CompactorParts{e.bucket, e.blocking, *syncer_, quarantine_, *planner_, *runner_, *merges_,
                                    *downsamples_, leases_.get(), metrics_, progress_, e.logger, e.clock});
  return Status();
}

}  // namespace gauntlet::compactor
