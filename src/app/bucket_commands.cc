#include "app/bucket_commands.h"

#include <chrono>
#include <cstdlib>
#include <memory>
#include <utility>

#include "app/bucket_downsample_command.h"
#include "app/bucket_repair_command.h"
#include "app/bucket_replicate_command.h"
#include "app/bucket_rewrite_command.h"
#include "app/bucket_session.h"
#include "app/bucket_upkeep_commands.h"
#include "app/bucket_web_command.h"
#include "base/clock.h"
#include "blocks/markers.h"
#include "io/file_system.h"
#include "tools/bucket_list.h"
#include "tools/bucket_verify.h"

namespace gauntlet::app {
namespace {

using std::chrono::milliseconds;

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
  f.Config("selector.relabel-config", kSelectorRelabelHelp, &flags->relabel);
  f.String(
       "output",
       "Optional format in which to print each block's information. Options are 'json', 'wide' or a custom template.",
       &flags->output)
      .Short('o');
  f.Bool("exclude-delete", "Exclude blocks marked for deletion.", &flags->exclude_delete);
  RegisterTimes(f, "list blocks", &flags->min, &flags->max);
  f.GoDuration("timeout", "Timeout to download metadata from remote storage", &flags->timeout);
  SetRun(command, flags, [&global](const Flags& o) -> Status {
    GN_ASSIGN(Session session, OpenSession(global, o.objstore, "bucket"));
    CancelSource limit(Cancel(), o.timeout);
    BlocksOfBucket view(session, 32);
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
    GN_ASSIGN(Session session, OpenSession(global, o.objstore, "bucket"));
    CancelSource limit(Cancel(), o.timeout);
    BlocksOfBucket view(session, 32);
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
    GN_ASSIGN(Session session, OpenSession(global, o.objstore, "bucket"));
    std::unique_ptr<objstore::Bucket> backup;
    if (o.backup.given()) {
      GN_ASSIGN(backup, OpenBucket(*session.runtime, o.backup, "bucket", false));
    } else if (verify.repair) {
      return {Code::kInvalid, "repair is specified, so backup client is required"};
    }
    BlocksOfBucket view(session, 32);
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
    GN_ASSIGN(Session session, OpenSession(global, o.objstore, "mark"));
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

}  // namespace

void AddBucketCommands(flags::App& app, flags::Command& tools, const GlobalFlags& global) {
  flags::Command& bucket = tools.AddCommand("bucket", "Bucket utility commands.");
  AddVerify(bucket, global);
  AddLs(bucket, global);
  AddInspect(bucket, global);
  AddBucketWebCommand(app, bucket, global);
  AddBucketReplicateCommand(bucket, global);
  AddBucketDownsampleCommand(bucket, global);
  AddBucketRewriteCommand(bucket, global);
  AddMark(bucket, global);
  AddBucketUpkeepCommands(bucket, global);
  AddBucketRepairCommand(bucket, global);
}

}  // namespace gauntlet::app
