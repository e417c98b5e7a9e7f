#include "damage/golden_files.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include "base/hash.h"
#include "damage/damage.h"
#include "tsdb/chunkenc/testing/golden_chunks.h"

namespace gauntlet::damage {
namespace {

namespace fs = std::filesystem;

std::string ReadAll(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

std::string GoldenFile::folder() const {
  fs::path path = fs::path(tsdb::GoldenFolder()) / name;
  path = path.parent_path();
  return (path.filename() == "chunks" ? path.parent_path() : path).string();
}

std::vector<GoldenFile> GoldenFilesOf(std::string_view name, std::string_view part) {
  const bool of_folder = name == "chunks" || name == "index-header";
  std::vector<GoldenFile> files;
  const fs::path root = tsdb::GoldenFolder();
  if (root.empty()) return files;
  std::vector<fs::path> paths;
  for (const auto& entry : fs::recursive_directory_iterator(root / part)) {
    const fs::path& path = entry.path();
    if (!entry.is_regular_file() || path.extension() == ".gz") continue;
    if (!of_folder && path.parent_path().filename() == "index-header") continue;  // named after their blocks
    if ((of_folder ? path.parent_path() : path).filename() == name) paths.push_back(path);
  }
  std::sort(paths.begin(), paths.end());
  std::set<uint64_t> seen;
  for (const fs::path& path : paths) {
    std::string below = fs::relative(path, root).string();
    bool usual = below.starts_with("blocks/") || below.starts_with("downsample/") || below.starts_with("index-header/");
    if (!usual && !FullRun()) continue;
    std::string bytes = ReadAll(path);
    if (bytes.empty() || !seen.insert(XxHash64(bytes)).second) continue;
    files.push_back({below, std::move(bytes)});
  }
  return files;
}

void Digest::Add(std::string_view bytes) {
  char both[16];
  uint64_t next = XxHash64(bytes);
  std::memcpy(both, &value_, 8);
  std::memcpy(both + 8, &next, 8);
  value_ = XxHash64({both, sizeof both});
}

}  // namespace gauntlet::damage
