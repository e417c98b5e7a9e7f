#include "app/bucket_commands.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <utility>

#include "app/bucket_repair_command.h"
#include "app/bucket_web_command.h"
#include "app/runtime.h"
#include "base/clock.h"
#include "blocks/markers.h"
#include "blocks/meta_fetcher.h"
#include "blocks/meta_filters.h"
#include "blocks/replicator.h"
#include "blocks/shipper.h"
#include "blocks/upkeep.h"
#include "config/relabel.h"
#include "io/file_system.h"
#include "model/relabel.h"
#include "model/time.h"
#include "net/http_router.h"
#include "objstore/config.h"
#include "objstore/retry.h"
#include "promql/syntax/parser.h"
#include "server/middleware.h"
#include "tools/bucket_list.h"
#include "tools/bucket_verify.h"

namespace gauntlet::app {
namespace {

using std::chrono::milliseconds;
constexpr char kRelabelHelp[] = "YAML file with relabeling configuration that allows selecting blocks.";

// What all of them share: one process-wide set of threads, log, metrics, and the bucket.
struct Session {
  std::unique_ptr<Runtime> runtime;
  std::unique_ptr<objstore::Bucket> bucket;
  telemetry::Logger& logger() { return runtime->logger(); }
};

Result<std::unique_ptr<objstore::Bucket>> OpenBucket(Runtime& runtime, const flags::ConfigSource& source,
                                                     const std::string& component, bool metered) {
  GN_ASSIGN(std::string yaml, source.Load());
  objstore::Environment environment{runtime.blocking(), io::RealFileSystem(), runtime.logger(), component};
  return metered ? objstore::MakeBucket(yaml, environment, runtime.registry())
                 : objstore::MakeBucket(yaml, environment);
}

Result<Session> Open(const GlobalFlags& global, const flags::ConfigSource& source, const std::string& component) {
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

// A view of the bucket with its filters.
struct View {
  View(Session& session, size_t concurrency)
      : catalog({.concurrency = concurrency}, *session.bucket, io::RealFileSystem(), session.runtime->blocking(),
                session.runtime->registry(), session.logger()),
        session_(session) {}
  Status AddShard(const flags::ConfigSource& relabel) {
    GN_ASSIGN(std::string yaml, relabel.Load());
    GN_ASSIGN(std::vector<RelabelConfig> rules, config::ParseSelectorRelabel(yaml));
    GN_ASSIGN(Relabeler relabeler, Relabeler::Make(std::move(rules)));
    filters.push_back(std::make_shared<blocks::ShardFilter>(std::move(relabeler)));
    return Status();
  }
  void AddTimes(const flags::TimeOrDuration& min, const flags::TimeOrDuration& max) {
    filters.push_back(std::make_shared<blocks::TimePartitionFilter>([min] { return min.At(SystemClock().NowMs()); },
                                                                    [max] { return max.At(SystemClock().NowMs()); }));
  }
  std::shared_ptr<blocks::IgnoreDeletionMarkFilter> AddDeletionMarks(milliseconds delay) {
    auto filter = std::make_shared<blocks::IgnoreDeletionMarkFilter>(catalog, delay, SystemClock(), session_.logger());
    filters.push_back(filter);
    return filter;
  }
  Result<blocks::BlockView> Fetch(const Cancel& cancel) {
    blocks::MetaFetcher fetcher(catalog, filters, session_.runtime->registry(), session_.logger(), SystemClock());
    GN_ASSIGN(blocks::BlockView view, fetcher.Fetch(cancel));
    GN_TRY(view.incomplete);
    return view;
  }

  blocks::BlockCatalog catalog;
  std::vector<std::shared_ptr<blocks::MetaFilter>> filters;

 private:
  Session& session_;
};

blocks::UpkeepContext UpkeepOf(Session& session) {
  return {*session.bucket, session.runtime->blocking(), SystemClock(), session.logger()};
}

void Print(const std::string& text) { std::fwrite(text.data(), 1, text.size(), stdout); }

// Registers `run` and turns its Status into the exit code.
template <typename Flags, typename Body>
void SetRun(flags::Command& command, std::shared_ptr<Flags> flags, const Body& run) {
  command.Run([flags, run, path = command.path()] {
    Status status = run(*flags);
    if (!status.ok()) ReportStartError(path, status);
    return status.ok() ? 0 : 1;
  });
}

void RegisterTimes(flags::FlagSet& f, const std::string& verb, flags::TimeOrDuration* min, flags::TimeOrDuration* max) {
  f.Time("min-time", "Start of time range limit to " + verb + ": RFC3339, or a duration relative to now (-1d, 2h45m).",
         min)
      .Default("0000-01-01T00:00:00Z");
  f.Time("max-time", "End of time range limit to " + verb + ": RFC3339, or a duration relative to now (-1d, 2h45m).",
         max)
      .Default("9999-12-31T23:59:59Z");
}

void AddLs(flags::Command& bucket, const GlobalFlags& global) {
  struct Flags {
    flags::ConfigSource objstore, relabel;
    std::string output;
    bool exclude_delete = false;
    flags::TimeOrDuration min, max;
    milliseconds timeout{300'000};
  };
  auto flags = std::make_shared<Flags>();
  flags::Command& command = bucket.AddCommand("ls", "List all blocks in the bucket.");
  flags::FlagSet& f = command.flags();
  f.Config("objstore.config", "YAML file that contains object store configuration.", &flags->objstore, true);
  f.Config("selector.relabel-config", kRelabelHelp, &flags->relabel);
  f.String(
       "output",
       "Optional format in which to print each block's information. Options are 'json', 'wide' or a custom template.",
       &flags->output)
      .Short('o');
  f.Bool("exclude-delete", "Exclude blocks marked for deletion.", &flags->exclude_delete);
  RegisterTimes(f, "list blocks", &flags->min, &flags->max);
  f.GoDuration("timeout", "Timeout to download metadata from remote storage", &flags->timeout);
  SetRun(command, flags, [&global](const Flags& o) -> Status {
    GN_ASSIGN(Session session, Open(global, o.objstore, "bucket"));
    CancelSource limit(Cancel(), o.timeout);
    View view(session, 32);
    GN_TRY(view.AddShard(o.relabel));
    view.AddTimes(o.min, o.max);
    if (o.exclude_delete) view.AddDeletionMarks(milliseconds(-1));
    GN_ASSIGN(blocks::BlockView found, view.Fetch(limit.cancel()));
    GN_ASSIGN(std::string text, tools::FormatBlocks(found.metas, o.output));
    Print(text);
    GN_LOG(session.logger(), kInfo, "ls done", {"objects", found.metas.size()});
    return Status();
  });
}

void AddInspect(flags::Command& bucket, const GlobalFlags& global) {
  struct Flags {
    flags::ConfigSource objstore;
    std::vector<std::string> selector;
    tools::InspectOptions inspect;
    milliseconds timeout{300'000};
  };
  auto flags = std::make_shared<Flags>();
  flags::Command& command =
      bucket.AddCommand("inspect", "Inspect all blocks in the bucket in detailed, table-like way.");
  flags::FlagSet& f = command.flags();
  f.Config("objstore.config", "YAML file that contains object store configuration.", &flags->objstore, true);
  f.Strings("selector", "Selects blocks based on label, e.g. '-l key1=\"value1\" -l key2=\"value2\"'.",
            &flags->selector)
      .Short('l');
  f.Strings("sort-by",
            "Sort by columns. It's also possible to sort by multiple columns, e.g. '--sort-by FROM --sort-by UNTIL'.",
            &flags->inspect.sort_by);
  f.GoDuration("timeout", "Timeout to download metadata from remote storage", &flags->timeout);
  f.String("output", "Output format for result. Currently supports table, csv, tsv.", &flags->inspect.output)
      .Enum({"table", "csv", "tsv"});
  SetRun(command, flags, [&global](const Flags& o) -> Status {
    tools::InspectOptions inspect = o.inspect;
    GN_ASSIGN(inspect.selector, tools::ParseLabelFlags(o.selector));
    GN_ASSIGN(Session session, Open(global, o.objstore, "bucket"));
    CancelSource limit(Cancel(), o.timeout);
    View view(session, 32);
    GN_ASSIGN(blocks::BlockView found, view.Fetch(limit.cancel()));
    GN_ASSIGN(std::string text, tools::InspectBlocks(found.metas, inspect));
    Print(text);
    return Status();
  });
}

void AddVerify(flags::Command& bucket, const GlobalFlags& global) {
  struct Flags {
    flags::ConfigSource objstore, backup;
    tools::VerifyOptions verify;
    std::vector<std::string> ids;
  };
  auto flags = std::make_shared<Flags>();
  flags::Command& command = bucket.AddCommand("verify", "Verify all blocks in the bucket against specified issues.");
  flags::FlagSet& f = command.flags();
  f.Config("objstore.config", "YAML file that contains object store configuration.", &flags->objstore, true);
  f.Config("objstore-backup.config", "YAML file of the bucket that repair copies blocks to before it removes them.",
           &flags->backup);
  f.Bool("repair", "Attempt to repair blocks for which issues were detected", &flags->verify.repair).Short('r');
  f.Strings("issues",
            "Issues to verify (and optionally repair): index_known_issues, duplicated_compaction, overlapped_blocks.",
            &flags->verify.issues)
      .Short('i')
      .Enum({"index_known_issues", "duplicated_compaction", "overlapped_blocks"});
  f.Strings("id",
            "Block IDs to verify (and optionally repair) only. If none is specified, all blocks will be verified.",
            &flags->ids);
  f.PromDuration("delete-delay",
                 "Blocks that are replaced are marked for deletion when this is not zero, else deleted at once.",
                 &flags->verify.delete_delay);
  SetRun(command, flags, [&global](const Flags& o) -> Status {
    tools::VerifyOptions verify = o.verify;
    GN_ASSIGN(verify.ids, ParseIds(o.ids));
    GN_ASSIGN(Session session, Open(global, o.objstore, "bucket"));
    std::unique_ptr<objstore::Bucket> backup;
    if (o.backup.given()) {
      GN_ASSIGN(backup, OpenBucket(*session.runtime, o.backup, "bucket", false));
    } else if (verify.repair) {
      return {Code::kInvalid, "repair is specified, so backup client is required"};
    }
    View view(session, 32);
    view.AddDeletionMarks(milliseconds(-1));
    GN_ASSIGN(blocks::BlockView found, view.Fetch(Cancel()));
    const char* temporary = std::getenv("TMPDIR");
    tools::VerifyContext context{*session.bucket,
                                 backup.get(),
                                 io::RealFileSystem(),
                                 session.runtime->blocking(),
                                 SystemClock(),
                                 session.logger(),
                                 temporary != nullptr ? temporary : "/tmp"};
    GN_ASSIGN(std::vector<tools::Finding> findings, tools::VerifyBucket(context, found.metas, verify, Cancel()));
    for (const auto& [id, why] : found.partial) {
      Print(id.ToString() + " bad_block " + std::string(why.message()) + "\n");
    }
    bool open = false;
    for (const tools::Finding& finding : findings) {
      std::string ids;
      for (const Ulid& id : finding.blocks) ids += (ids.empty() ? "" : ",") + id.ToString();
      Print(ids + " " + finding.issue + " " + finding.text + "\n");
      open = open || !finding.repaired;
    }
    GN_LOG(session.logger(), kInfo, "verify done", {"blocks", found.metas.size()}, {"findings", findings.size()});
    return open && verify.repair ? Status(Code::kCorrupt, "not all that was found could be repaired") : Status();
  });
}

void AddMark(flags::Command& bucket, const GlobalFlags& global) {
  struct Flags {
    flags::ConfigSource objstore;
    std::vector<std::string> ids;
    std::string marker, details;
    bool remove = false;
  };
  auto flags = std::make_shared<Flags>();
  flags::Command& command = bucket.AddCommand("mark", "Mark block for deletion or no-compact in a safe way.");
  flags::FlagSet& f = command.flags();
  f.Config("objstore.config", "YAML file that contains object store configuration.", &flags->objstore, true);
  f.Strings("id", "ID (ULID) of the blocks to be marked for deletion (repeated flag)", &flags->ids).Required();
  f.String("marker", "Marker to be put.", &flags->marker)
      .Enum({blocks::kDeletionMarkFile, blocks::kNoCompactMarkFile, blocks::kNoDownsampleMarkFile})
      .Required();
  f.String("details", "Human readable details to be put into marker.", &flags->details);
  f.Bool("remove", "Remove the marker.", &flags->remove);
  SetRun(command, flags, [&global](const Flags& o) -> Status {
    GN_ASSIGN(std::vector<Ulid> ids, ParseIds(o.ids));
    if (!o.remove && o.details.empty()) return {Code::kInvalid, "required flag --details not provided"};
    GN_ASSIGN(Session session, Open(global, o.objstore, "mark"));
    CancelSource limit(Cancel(), milliseconds(120'000));
    const blocks::MarkerKind kind = *blocks::MarkerOfFile(o.marker);
    for (const Ulid& id : ids) {
      if (o.remove) {
        GN_TRY(blocks::RemoveMarker(*session.bucket, kind, id, limit.cancel()));
        continue;
      }
      blocks::Marker marker{id, o.details, SystemClock().NowMs() / 1000,
                            kind == blocks::MarkerKind::kDeletion ? "" : blocks::kManualReason};
      GN_ASSIGN(bool set, blocks::SetMarker(*session.bucket, kind, marker, limit.cancel()));
      if (!set)
        GN_LOG(session.logger(), kWarn, "the marker is there already", {"block", id.ToString()}, {"marker", o.marker});
    }
    GN_LOG(session.logger(), kInfo, "marking done", {"marker", o.marker}, {"blocks", ids.size()});
    return Status();
  });
}

struct CleanFlags {
  flags::ConfigSource objstore, relabel;
  milliseconds delete_delay{48 * 3'600'000}, consistency_delay{30 * 60'000};
  int block_sync_concurrency = 20;
  milliseconds raw{0}, five_minutes{0}, one_hour{0};

  void Register(flags::FlagSet& f) {
    f.Config("objstore.config", "YAML file that contains object store configuration.", &objstore, true);
    f.Config("selector.relabel-config", kRelabelHelp, &relabel);
    f.PromDuration("delete-delay", "Time before a block marked for deletion is deleted from bucket.", &delete_delay);
    f.GoDuration("consistency-delay", "Minimum age of fresh (non-compacted) blocks before they are being processed.",
                 &consistency_delay);
    f.Int("block-sync-concurrency", "Number of goroutines to use when syncing block metadata from object storage.",
          &block_sync_concurrency);
  }
  size_t concurrency() const { return static_cast<size_t>(std::max(block_sync_concurrency, 1)); }
};

Status RunCleanup(const GlobalFlags& global, const CleanFlags& o) {
  GN_ASSIGN(Session session, Open(global, o.objstore, "cleanup"));
  View view(session, o.concurrency());
  GN_TRY(view.AddShard(o.relabel));
  view.filters.push_back(std::make_shared<blocks::ConsistencyDelayFilter>(o.consistency_delay, SystemClock(),
                                                                          &session.runtime->registry()));
  auto marks = view.AddDeletionMarks(o.delete_delay / 2);
  view.filters.push_back(std::make_shared<blocks::DeduplicateFilter>());
  GN_ASSIGN(blocks::BlockView found, view.Fetch(Cancel()));
  auto partial =
      blocks::CleanPartialUploads(UpkeepOf(session), found.partial, marks->marks(),
                                  std::max<milliseconds>(o.consistency_delay, blocks::kPartialUploadAge), Cancel());
  auto deleted = blocks::DeleteMarkedBlocks(UpkeepOf(session), marks->marks(), o.delete_delay, Cancel());
  GN_LOG(session.logger(), kInfo, "cleanup done", {"partial_uploads_deleted", partial.done.size()},
         {"marked_blocks_deleted", deleted.done.size()}, {"failed", partial.failed + deleted.failed});
  GN_TRY(partial.first_error);
  return deleted.first_error;
}

Status RunRetention(const GlobalFlags& global, const CleanFlags& o) {
  GN_ASSIGN(Session session, Open(global, o.objstore, "retention"));
  View view(session, o.concurrency());
  GN_TRY(view.AddShard(o.relabel));
  view.filters.push_back(std::make_shared<blocks::ConsistencyDelayFilter>(o.consistency_delay, SystemClock(),
                                                                          &session.runtime->registry()));
  view.filters.push_back(std::make_shared<blocks::DeduplicateFilter>());
  view.AddDeletionMarks(o.delete_delay / 2);
  GN_ASSIGN(blocks::BlockView found, view.Fetch(Cancel()));
  GN_LOG(session.logger(), kWarn, "no compactor should be running on the same bucket");
  auto marked = blocks::ApplyRetention(UpkeepOf(session), found.metas,
                                       {{0, o.raw}, {300'000, o.five_minutes}, {3'600'000, o.one_hour}}, Cancel());
  GN_LOG(session.logger(), kInfo, "retention done", {"marked", marked.done.size()}, {"failed", marked.failed});
  return marked.first_error;
}

void AddCleanup(flags::Command& bucket, const GlobalFlags& global) {
  auto flags = std::make_shared<CleanFlags>();
  flags::Command& command = bucket.AddCommand("cleanup", "Cleans up all blocks marked for deletion.");
  flags->Register(command.flags());
  SetRun(command, flags, [&global](const CleanFlags& o) { return RunCleanup(global, o); });
}

void AddRetention(flags::Command& bucket, const GlobalFlags& global) {
  auto flags = std::make_shared<CleanFlags>();
  flags::Command& command = bucket.AddCommand(
      "retention",
      "Retention applies retention policies on the given bucket. Please make sure no compactor is running "
      "on the same bucket at the same time.");
  flags::FlagSet& f = command.flags();
  flags->Register(f);
  f.PromDuration("retention.resolution-raw", "How long to retain raw samples in bucket. 0d: forever", &flags->raw);
  f.PromDuration("retention.resolution-5m",
                 "How long to retain samples of resolution 1 (5 minutes) in bucket. 0d: forever", &flags->five_minutes);
  f.PromDuration("retention.resolution-1h",
                 "How long to retain samples of resolution 2 (1 hour) in bucket. 0d: forever", &flags->one_hour);
  SetRun(command, flags, [&global](const CleanFlags& o) { return RunRetention(global, o); });
}

void AddUploadBlocks(flags::Command& bucket, const GlobalFlags& global) {
  struct Flags {
    flags::ConfigSource objstore;
    std::string path = "./data";
    std::vector<std::string> labels;
    bool upload_compacted = false;
    int concurrency = 5;
  };
  auto flags = std::make_shared<Flags>();
  flags::Command& command =
      bucket.AddCommand("upload-blocks", "Upload blocks push blocks from the provided path to the object storage.");
  flags::FlagSet& f = command.flags();
  f.Config("objstore.config", "YAML file that contains object store configuration.", &flags->objstore, true);
  f.String("path", "Path to the directory containing blocks to upload.", &flags->path);
  f.Strings("label", "External labels to add to the uploaded blocks (repeated).", &flags->labels)
      .PlaceHolder("key=\"value\"");
  f.Bool("shipper.upload-compacted", "If true shipper will try to upload compacted blocks as well.",
         &flags->upload_compacted);
  f.Int("shipper.upload-concurrency", "Number of goroutines to use when uploading block files to object storage.",
        &flags->concurrency);
  SetRun(command, flags, [&global](const Flags& o) -> Status {
    using Labels = std::map<std::string, std::string>;
    GN_ASSIGN(Labels labels, tools::ParseLabelFlags(o.labels));
    if (labels.empty()) {
      return {Code::kInvalid, "no external labels configured, uniquely identifying external labels must be configured"};
    }
    GN_TRY(io::RealFileSystem().List(o.path).status().Wrap("unable to access path '" + o.path + "'"));
    GN_ASSIGN(Session session, Open(global, o.objstore, "upload"));
    blocks::ShipperOptions options;
    options.dir = o.path;
    options.source = blocks::kBucketUploadSource;
    options.upload_compacted = o.upload_compacted;
    options.upload_concurrency = static_cast<size_t>(std::max(o.concurrency, 1));
    blocks::Shipper shipper(
        options, *session.bucket, io::RealFileSystem(), session.runtime->blocking(), SystemClock(),
        [labels] { return labels; }, session.runtime->registry(), session.logger());
    blocks::ShipResult result = shipper.Sync(Cancel());
    GN_LOG(session.logger(), kInfo, "synced blocks", {"uploaded", result.uploaded}, {"failed", result.failed});
    return result.first_error.Wrap("unable to sync blocks");
  });
}

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
  GN_ASSIGN(Session session, Open(global, o.from, "replicate"));
  GN_ASSIGN(std::unique_ptr<objstore::Bucket> to, OpenBucket(*session.runtime, o.to, "replicate", true));
  View view(session, 32);
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

void AddReplicate(flags::Command& bucket, const GlobalFlags& global) {
  auto flags = std::make_shared<ReplicateFlags>();
  flags::Command& command = bucket.AddCommand("replicate", "Replicate data from one object storage to another.");
  flags->Register(command.flags());
  command.Run([flags, &global] {
    int exit_code = 1;
    Status status = RunReplicate(global, *flags, &exit_code);
    if (!status.ok()) ReportStartError("tools bucket replicate", status);
    return exit_code;
  });
}

}  // namespace

void AddBucketCommands(flags::App& app, flags::Command& tools, const GlobalFlags& global) {
  flags::Command& bucket = tools.AddCommand("bucket", "Bucket utility commands.");
  AddVerify(bucket, global);
  AddLs(bucket, global);
  AddInspect(bucket, global);
  AddBucketWebCommand(app, bucket, global);
  AddReplicate(bucket, global);
  AddCleanup(bucket, global);
  AddMark(bucket, global);
  AddRetention(bucket, global);
  AddUploadBlocks(bucket, global);
  AddBucketRepairCommand(bucket, global);
}

}  // namespace gauntlet::app
