// For tests: the recorded StoreAPI requests and answers of real servers.
//
// Format: shared/golden/README.md#storeapi. Not compiled into the library.

#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "base/varint.h"

namespace gauntlet::wire {

// The shared data folder, or "" when there is none.
inline std::filesystem::path SharedData() {
  namespace fs = std::filesystem;
  if (const char* shared = std::getenv("GAUNTLET_SHARED")) return fs::exists(shared) ? fs::path(shared) : fs::path();
  for (fs::path at = fs::current_path(); at != at.root_path(); at = at.parent_path())
    if (fs::exists(at / "shared/golden")) return at / "shared";
  return {};
}

inline std::string FileBytes(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

struct GoldenCall {
  std::string name;                 // "store/02-eq"
  std::string method;               // "/thanos.Store/Series"
  std::string request;              // the message
  std::vector<std::string> frames;  // the answers
  std::string responses_json;
};

inline std::vector<GoldenCall> GoldenCalls() {
  std::vector<GoldenCall> calls;
  std::filesystem::path root = SharedData();
  if (root.empty()) return calls;
  root /= "golden/storeapi";
  constexpr std::string_view kSuffix = ".request.pb";
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
    std::string path = entry.path().string();
    if (!path.ends_with(kSuffix)) continue;
    std::string stem = path.substr(0, path.size() - kSuffix.size());
    GoldenCall call;
    call.name = stem.substr(root.string().size() + 1);
    std::string json = FileBytes(stem + ".request.json");
    size_t at = json.find("\"/thanos.");
    if (at != std::string::npos) call.method = json.substr(at + 1, json.find('"', at + 1) - at - 1);
    call.request = FileBytes(path);
    call.responses_json = FileBytes(stem + ".responses.json");
    std::string bytes = FileBytes(stem + ".responses.pb");
    ByteReader reader(bytes);
    std::string_view frame;
    while (reader.Prefixed(&frame)) call.frames.emplace_back(frame);
    calls.push_back(std::move(call));
  }
  return calls;
}

}  // namespace gauntlet::wire
