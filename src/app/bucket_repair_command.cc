#include "app/bucket_repair_command.h"

#include <cstdio>
#include <memory>
#include <utility>
#include <vector>

#include "app/bucket_session.h"
#include "base/clock.h"
#include "compactor/repair.h"
#include "io/file_system.h"
#include "io/path.h"
#include "objstore/config.h"

namespace gauntlet::app {
namespace {

struct RepairFlags {
  flags::ConfigSource objstore;
  std::string action = "list", keep, subject, data_dir = "./data", hash_function;
  std::vector<std::string> ids;

  void Register(flags::FlagSet& f) {
    f.Config("objstore.config", "YAML file that contains object store configuration.", &objstore, true);
    f.String("action",
             "list: what compaction has set aside, and why. merge: blocks that overlap become one. keep-one: of such "
             "blocks one stays. sort: a block's chunks are put in order. salvage: a block without the chunks that do "
             "not read. drop: a block is given up. release: the mark goes. What is replaced or given up is marked for "
             "deletion, and stays for the delete delay of the compactor.",
             &action)
        .Enum({"list", "merge", "keep-one", "sort", "salvage", "drop", "release"});
    f.Strings("id", "Block that it is about (repeated).", &ids);
    f.String("keep", "Block that stays (keep-one).", &keep);
    f.String("subject", "Group whose mark goes (release).", &subject);
    f.String("data-dir", "Directory to work in.", &data_dir);
    RegisterHashFunction(f, &hash_function);
  }
};

Result<compactor::RepairRequest> RequestOf(const RepairFlags& flags) {
  compactor::RepairRequest request;
  auto action = compactor::ParseRepairAction(flags.action);
  if (!action.has_value()) return Status(Code::kInvalid, "no such action " + flags.action);
  request.action = *action;
  for (const std::string& text : flags.ids) {
    auto id = Ulid::Parse(text);
    if (!id.has_value()) return Status(Code::kInvalid, "invalid ULID found in --id flag: " + text);
    request.ids.push_back(*id);
  }
  if (!flags.keep.empty()) {
    request.keep = Ulid::Parse(flags.keep);
    if (!request.keep.has_value()) return Status(Code::kInvalid, "invalid ULID found in --keep flag: " + flags.keep);
  }
  request.subject = flags.subject;
  return request;
}

void PrintMarks(const compactor::Quarantine& quarantine) {
  for (const auto& [subject, mark] : quarantine.marks()) {
    std::printf("%s %s\n  group:  %s\n", subject.c_str(), mark.reason.c_str(), mark.group.c_str());
    if (!mark.series.empty()) std::printf("  series: %s\n", mark.series.c_str());
    std::printf("  error:  %s\n  repair: %s\n", mark.details.c_str(), mark.repair.c_str());
  }
}

Status RunRepair(const GlobalFlags& global, const RepairFlags& flags) {
  GN_ASSIGN(std::unique_ptr<Runtime> runtime, Runtime::Make(global, "bucket"));
  GN_ASSIGN(std::string yaml, flags.objstore.Load());
  io::FileSystem& files = io::RealFileSystem();
  GN_ASSIGN(std::unique_ptr<objstore::Bucket> bucket,
            objstore::MakeBucket(yaml, {runtime->blocking(), files, runtime->logger(), "bucket"}));
  compactor::Quarantine quarantine(*bucket, runtime->registry(), runtime->logger());
  GN_TRY(quarantine.Load(Cancel()));
  if (flags.action == "list") {
    PrintMarks(quarantine);
    return Status();
  }
  GN_ASSIGN(compactor::RepairRequest request, RequestOf(flags));
  blocks::BlockCatalog catalog({}, *bucket, files, runtime->blocking(), runtime->registry(), runtime->logger());
  GN_ASSIGN(blocks::Catalog found, catalog.Sync(Cancel()));
  if (!found.failures.empty()) return found.failures.front();
  const compactor::JobContext context{*bucket,           files,        runtime->blocking(), quarantine,
                                      runtime->logger(), SystemClock()};
  compactor::MergeOptions options;
  options.work_dir = io::JoinPath(flags.data_dir, "repair");
  options.output.hash_function = flags.hash_function;
  compactor::MergeJobs jobs(options, context, runtime->workers());
  compactor::Repairer repairer(found.metas, jobs, quarantine);
  Result<std::string> done = repairer.Run(request, Cancel());
  if (!done.ok()) return done.status().Wrap(flags.action);
  std::printf("%s\n", done->c_str());
  return Status();
}

}  // namespace

void AddBucketRepairCommand(flags::Command& bucket, const GlobalFlags& global) {
  auto flags = std::make_shared<RepairFlags>();
  flags::Command& command =
      bucket.AddCommand("repair", "Lists what compaction has set aside, and repairs blocks so that it goes on.");
  flags->Register(command.flags());
  SetRun(command, flags, [&global](const RepairFlags& o) { return RunRepair(global, o); });
}

}  // namespace gauntlet::app
