#include "reloader/watched_files.h"

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <optional>

#include "base/env_expand.h"
#include "discovery/directory_watch.h"
#include "io/compress.h"
#include "io/file_system.h"
#include "io/path.h"

namespace gauntlet::reloader {
namespace {

constexpr size_t kFileBytesMax = 256 << 20;
constexpr int kDepthMax = 8;            // of folders below the given one: links may lead in circles
constexpr size_t kEntriesMax = 50'000;  // of all folders
constexpr std::string_view kGzip = "\x1f\x8b\x08";

struct Entry {
  std::string path;
  bool is_folder = false;
};

// All that is below `folder`, in the order of names. Folders come before what is in them.
Status ListAll(io::FileSystem& files, const std::string& folder, int depth, std::vector<Entry>* out) {
  GN_ASSIGN(std::vector<io::FileInfo> list, files.List(folder));
  for (const io::FileInfo& info : list) {
    if (info.name.starts_with("..")) continue;
    if (out->size() >= kEntriesMax) return {Code::kExhausted, "list " + folder + ": more files than are watched"};
    std::string path = io::JoinPath(folder, info.name);
    out->push_back({path, info.is_directory});
    if (info.is_directory && depth < kDepthMax) GN_TRY(ListAll(files, path, depth + 1, out));
  }
  return Status();
}

void Digest(io::Sha256Stream& digest, const std::string& path, std::optional<std::string_view> content) {
  digest.Append("\xff");
  digest.Append(path);
  digest.Append(content ? "\xff" : "\xfe");
  if (content) digest.Append(*content);
}

}  // namespace

Result<WatchedFiles> ReadWatched(io::FileSystem& files, const std::string& config_file,
                                 const std::vector<std::string>& folders) {
  WatchedFiles found;
  io::Sha256Stream digest;
  if (!config_file.empty()) {
    GN_ASSIGN(found.config, files.ReadFile(config_file, kFileBytesMax));
    Digest(digest, config_file, found.config);
  }
  for (const std::string& folder : folders) {
    std::vector<Entry> entries;
    GN_TRY(ListAll(files, folder, 0, &entries));
    for (const Entry& entry : entries) {
      if (entry.is_folder) continue;
      Result<std::string> content = files.ReadFile(entry.path, kFileBytesMax);
      if (!content.ok() && content.status().code() != Code::kNotFound) return content.status();
      Digest(digest, entry.path, content.ok() ? std::optional<std::string_view>(*content) : std::nullopt);
    }
  }
  found.digest = digest.Finish();
  return found;
}

std::set<std::string> FoldersToWatch(io::FileSystem& files, const std::string& config_file,
                                     const std::vector<std::string>& folders) {
  std::set<std::string> all;
  auto add = [&](const std::string& path) { all.merge(discovery::DirectoriesOnTheWay(path)); };
  if (!config_file.empty()) add(config_file);
  for (const std::string& folder : folders) {
    add(io::JoinPath(folder, "x"));
    std::vector<Entry> entries;
    // What cannot be listed is told by ReadWatched.
    (void)ListAll(files, folder, 0, &entries);
    for (const Entry& entry : entries) add(entry.is_folder ? io::JoinPath(entry.path, "x") : entry.path);
  }
  return all;
}

Result<std::string> RenderConfig(std::string_view text, size_t* unset) {
  *unset = 0;
  std::string unzipped;
  if (text.starts_with(kGzip)) {
    Result<std::string> all = io::GzipDecompress(text, kFileBytesMax);
    if (!all.ok()) return all.status().Wrap("unzip");
    unzipped = *std::move(all);
    text = unzipped;
  }
  std::set<std::string> missing;
  Result<std::string> rendered = ExpandEnv(text, [&](const std::string& name) -> std::optional<std::string> {
    if (const char* value = std::getenv(name.c_str())) return value;
    missing.insert(name);
    return "";
  });
  *unset = missing.size();
  if (missing.empty()) return rendered;
  std::string names;
  for (const std::string& name : missing) names += (names.empty() ? "\"" : ", \"") + name + '"';
  return Status(Code::kInvalid, "found reference to unset environment variable " + names);
}

}  // namespace gauntlet::reloader
