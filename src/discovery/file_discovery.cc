#include "discovery/file_discovery.h"

#include <fnmatch.h>

#include <algorithm>
#include <set>
#include <utility>

#include "discovery/directory_watch.h"
#include "io/file_system.h"

namespace gauntlet::discovery {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kSettle{100};  // writers change several files, or one in several steps
constexpr size_t kFileBytesMax = 64 << 20;

std::pair<std::string, std::string> SplitPath(const std::string& path) {
  size_t slash = path.rfind('/');
  if (slash == std::string::npos) return {".", path};
  return {slash == 0 ? "/" : path.substr(0, slash), path.substr(slash + 1)};
}

std::string JoinPath(const std::string& pattern, const std::string& name) {
  size_t slash = pattern.rfind('/');
  return slash == std::string::npos ? name : pattern.substr(0, slash + 1) + name;
}

// Prometheus' rule: one of the endings, and a star at most in the last part.
bool ValidPattern(const std::string& path) {
  size_t dot = path.rfind('.');
  if (dot == std::string::npos) return false;
  std::string ending = path.substr(dot);
  bool known = false;
  for (const char* end : {".json", ".yml", ".yaml", ".JSON", ".YML", ".YAML"}) known = known || ending == end;
  size_t star = path.find('*');
  return known && (star == std::string::npos || path.find('/', star) == std::string::npos);
}

}  // namespace

Result<std::unique_ptr<FileDiscovery>> FileDiscovery::Make(FileDiscoveryOptions options, io::FileSystem& files,
                                                           telemetry::Registry& registry, telemetry::Logger& logger) {
  if (options.files.empty()) {
    return Status(Code::kInvalid, "file service discovery config must contain at least one path name");
  }
  for (const auto& path : options.files) {
    if (!ValidPattern(path)) {
      return Status(Code::kInvalid, "path name \"" + path + "\" is not valid for file discovery");
    }
  }
  return std::unique_ptr<FileDiscovery>(new FileDiscovery(std::move(options), files, registry, logger));
}

FileDiscovery::FileDiscovery(FileDiscoveryOptions options, io::FileSystem& files, telemetry::Registry& registry,
                             telemetry::Logger& logger)
    : options_(std::move(options)),
      files_(files),
      logger_(logger),
      read_errors_(registry.MakeCounter("prometheus_sd_file_read_errors_total", "The number of File-SD read errors.")),
      watch_errors_(registry.MakeCounter("prometheus_sd_file_watcher_errors_total",
                                         "The number of File-SD errors caused by filesystem watch failures.")),
      modified_(registry.MakeGauges("prometheus_sd_file_mtime_seconds",
                                    "Timestamp (mtime) of files read by FileSD. Timestamp is set at read time.",
                                    {"filename"})) {}

std::vector<std::string> FileDiscovery::Matches(Status* error) const {
  std::set<std::string> paths;
  for (const auto& pattern : options_.files) {
    auto [directory, name] = SplitPath(pattern);
    if (name.find_first_of("*?[\\") == std::string::npos) {
      if (files_.Exists(pattern)) paths.insert(pattern);
      continue;
    }
    auto list = files_.List(directory);
    if (!list.ok()) {
      if (list.status().code() != Code::kNotFound && error->ok()) *error = list.status();
      continue;
    }
    for (const auto& file : *list) {
      if (!file.is_directory && fnmatch(name.c_str(), file.name.c_str(), 0) == 0) {
        paths.insert(JoinPath(pattern, file.name));
      }
    }
  }
  return {paths.begin(), paths.end()};
}

Status FileDiscovery::ReadFile(const std::string& path, std::vector<TargetGroup>* groups) {
  GN_ASSIGN(std::string text, files_.ReadFile(path, kFileBytesMax));
  auto parsed = ParseTargetGroups(text, path);
  if (!parsed.ok()) return parsed.status().Wrap("read targets from " + path);
  *groups = *std::move(parsed);
  if (auto info = files_.Stat(path); info.ok()) {
    modified_.With({path}).Set(static_cast<double>(info->modified_ms) / 1000);
  }
  return Status();
}

Status FileDiscovery::Refresh() {
  Status first;
  std::vector<std::string> paths = Matches(&first);
  bool listed = first.ok();
  std::map<std::string, std::vector<TargetGroup>> fresh, old;
  {
    MutexLock lock(mutex_);
    old = by_file_;
  }
  for (const auto& path : paths) {
    std::vector<TargetGroup> groups;
    if (Status status = ReadFile(path, &groups); status.ok()) {
      fresh[path] = std::move(groups);
      continue;
    } else if (first.ok()) {
      first = status;
    }
    read_errors_.Add();
    if (auto before = old.find(path); before != old.end()) fresh[path] = before->second;
  }
  if (!listed) {  // what a directory that cannot be read held is not gone
    read_errors_.Add();
    fresh.merge(old);
  }
  for (const auto& [path, groups] : old) {
    std::string_view name = path;
    if (!fresh.contains(path)) modified_.Remove({&name, 1});
  }
  TargetSet::Addresses addresses;
  for (const auto& [path, groups] : fresh) {
    for (const auto& group : groups) addresses.insert(addresses.end(), group.targets.begin(), group.targets.end());
  }
  {
    MutexLock lock(mutex_);
    by_file_ = std::move(fresh);
  }
  targets_.Set(std::move(addresses));
  return first;
}

void FileDiscovery::Run(const Cancel& cancel) {
  std::set<std::string> directories;
  for (const auto& pattern : options_.files) directories.insert(SplitPath(pattern).first);
  DirectoryWatch watch;
  while (!cancel.stopped()) {
    // Watched before it is read: a change in between wakes the wait.
    if (Status status = watch.Watch(directories); !status.ok()) {
      watch_errors_.Add();
      GN_LOG(logger_, kWarn, "watching target files", {"err", status});
    }
    if (Status status = Refresh(); !status.ok()) GN_LOG(logger_, kError, "reading target files", {"err", status});
    if (!watch.Wait(steady_clock::now() + options_.refresh_interval, cancel)) continue;
    auto settled = steady_clock::now() + kSettle;
    while (watch.Wait(settled, cancel)) {
    }
  }
}

std::vector<TargetGroup> FileDiscovery::groups() const {
  MutexLock lock(mutex_);
  std::vector<TargetGroup> all;
  for (const auto& [path, groups] : by_file_) all.insert(all.end(), groups.begin(), groups.end());
  return all;
}

}  // namespace gauntlet::discovery
