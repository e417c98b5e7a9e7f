#include "app/bucket_rewrite_command.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "app/bucket_session.h"
#include "base/clock.h"
#include "blocks/block_objects.h"
#include "blocks/markers.h"
#include "config/relabel.h"
#include "io/file_system.h"
#include "io/path.h"
#include "tools/bucket_rewrite.h"

namespace gauntlet::app {
namespace {

struct RewriteFlags {
  flags::ConfigSource objstore, deletions, relabels;
  std::vector<std::string> ids;
  std::string temporary_dir = "/tmp/thanos-rewrite", hash_function;
  bool dry_run = true, prometheus_blocks = false, delete_blocks = false, change_log = true;

  void Register(flags::FlagSet& f) {
    f.Config("objstore.config", "YAML file that contains object store configuration.", &objstore, true);
    f.Strings("id", "ID (ULID) of the blocks for rewrite (repeated flag).", &ids).Required();
    f.String("tmp.dir", "Working directory for temporary files", &temporary_dir);
    RegisterHashFunction(f, &hash_function);
    f.Bool("dry-run",
           "Prints the series changes instead of doing them. Defaults to true, for user to double check. (: Pass "
           "--no-dry-run to skip this.",
           &dry_run);
    f.Bool("prom-blocks",
           "If specified, we assume the blocks to be uploaded are only used with Prometheus so we don't check external "
           "labels in this case.",
           &prometheus_blocks);
    f.Bool("delete-blocks",
           "Whether to delete the original blocks after rewriting blocks successfully. Available in non dry-run mode "
           "only.",
           &delete_blocks);
    f.Config("rewrite.to-delete-config",
             "YAML file that contains []metadata.DeletionRequest that will be applied to blocks", &deletions);
    f.Config("rewrite.to-relabel-config", "YAML file that contains relabel configs that will be applied to blocks",
             &relabels);
    f.Bool("rewrite.add-change-log",
           "If specified, all modifications are written to new block directory. Disable if latency is to high.",
           &change_log);
  }

  Result<tools::RewriteRequest> Request() const {
    tools::RewriteRequest request;
    GN_ASSIGN(std::string relabel_yaml, relabels.Load());
    GN_ASSIGN(request.relabels, config::ParseRelabelConfigs(relabel_yaml));
    GN_ASSIGN(std::string deletion_yaml, deletions.Load());
    GN_ASSIGN(request.deletions, tools::ParseDeletions(deletion_yaml));
    if (relabel_yaml.empty() && deletion_yaml.empty()) {
      return Status(Code::kInvalid, "rewrite configuration should be provided");
    }
    return request;
  }
};

// The lines of one block's change.log; a dry run shows them.
class ChangeLog {
 public:
  ChangeLog(bool print, bool keep) : print_(print), keep_(keep) {}
  void Add(const std::string& line) {
    ++changes_;
    if (print_) Print(line + "\n");
    if (keep_) text_ += line + "\n";
  }
  size_t changes() const { return changes_; }
  Status Write(io::FileSystem& files, const std::string& dir) const {
    if (!keep_) return Status();
    GN_TRY(files.MakeDirectories(dir));
    return files.WriteAtomically(io::JoinPath(dir, "change.log"), text_);
  }

 private:
  const bool print_, keep_;
  size_t changes_ = 0;
  std::string text_;
};

Status RewriteOne(Session& session, const RewriteFlags& o, const tools::RewriteRequest& request, const Ulid& id) {
  io::FileSystem& files = io::RealFileSystem();
  const std::string dir = io::JoinPath(o.temporary_dir, id.ToString());
  GN_LOG(session.logger(), kInfo, "downloading block", {"source", id.ToString()});
  GN_TRY(blocks::DownloadBlock(*session.bucket, files, session.runtime->blocking(), id, dir, 4, Cancel())
             .Wrap("download " + id.ToString()));
  GN_ASSIGN(blocks::Meta from, blocks::DownloadMeta(*session.bucket, id, Cancel()));
  const Ulid made_id = Ulid::Make(SystemClock().NowMs());
  const std::string made_dir = io::JoinPath(o.temporary_dir, made_id.ToString());
  ChangeLog log(o.dry_run, o.change_log);
  tools::RewriteOptions options;
  options.dry_run = o.dry_run;
  options.on_change = [&](const std::string& line) { log.Add(line); };
  GN_ASSIGN(std::optional<blocks::Meta> made,
            tools::RewriteBlock(files, o.temporary_dir, from, made_id, request, options, Cancel()));
  GN_TRY(log.Write(files, made_dir));
  if (o.dry_run) {
    GN_LOG(session.logger(), kInfo, "dry run finished", {"source", id.ToString()}, {"changes", log.changes()});
    return Status();
  }
  if (made.has_value()) {
    blocks::UploadBlockOptions upload;
    upload.hash_function = o.hash_function;
    upload.check_labels = !o.prometheus_blocks;
    GN_TRY(blocks::UploadBlock(*session.bucket, files, session.runtime->blocking(), SystemClock(), made_dir, upload,
                               Cancel())
               .Wrap("upload"));
    GN_LOG(session.logger(), kInfo, "uploaded", {"source", id.ToString()}, {"new", made_id.ToString()},
           {"changes", log.changes()});
  } else {
    GN_LOG(session.logger(), kWarn, "nothing is left of the block", {"source", id.ToString()});
  }
  if (!o.delete_blocks) return Status();
  blocks::Marker marker{id, "block rewritten", SystemClock().NowMs() / 1000, ""};
  return blocks::SetMarker(*session.bucket, blocks::MarkerKind::kDeletion, marker, Cancel())
      .status()
      .Wrap("mark " + id.ToString() + " for deletion");
}

Status RunRewrite(const GlobalFlags& global, const RewriteFlags& o) {
  GN_ASSIGN(tools::RewriteRequest request, o.Request());
  GN_ASSIGN(std::vector<Ulid> ids, ParseIds(o.ids));
  GN_ASSIGN(Session session, OpenSession(global, o.objstore, "rewrite"));
  GN_TRY(io::RealFileSystem().MakeDirectories(o.temporary_dir));
  for (const Ulid& id : ids) GN_TRY(RewriteOne(session, o, request, id));
  GN_LOG(session.logger(), kInfo, "rewrite done", {"blocks", ids.size()});
  return Status();
}

}  // namespace

void AddBucketRewriteCommand(flags::Command& bucket, const GlobalFlags& global) {
  auto flags = std::make_shared<RewriteFlags>();
  flags::Command& command =
      bucket.AddCommand("rewrite",
                        "Rewrite chosen blocks in the bucket, while deleting or modifying series. The new block's "
                        "compaction.sources name "
                        "itself; thanos.rewrites tells of the old ones and of what was done. Turn the compactor off "
                        "meanwhile, and back the "
                        "blocks up: with --delete-blocks the old ones go after the delete delay.");
  flags->Register(command.flags());
  SetRun(command, flags, [&global](const RewriteFlags& o) { return RunRewrite(global, o); });
}

}  // namespace gauntlet::app
