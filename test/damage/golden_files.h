// The golden files by kind, each once however often it is there.
//
// Threads: free functions.

#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace gauntlet::damage {

struct GoldenFile {
  std::string name;  // below the golden folder: "blocks/float-2h/index"
  std::string bytes;
  std::string folder() const;  // of the block: "/…/golden/blocks/float-2h"
};

// Files called `name` ("index", "tombstones", "meta.json"), or those in folders called so ("chunks", "index-header"),
// below `part` ("" = all) of the golden folder. In the default run only those of blocks/, downsample/ and
// index-header/. Empty without the shared test data.
std::vector<GoldenFile> GoldenFilesOf(std::string_view name, std::string_view part = "");

// A digest that pieces are added to.
class Digest {
 public:
  void Add(std::string_view bytes);
  void Add(const void* bytes, size_t n) { Add({static_cast<const char*>(bytes), n}); }
  uint64_t value() const { return value_; }

 private:
  uint64_t value_ = 0;
};

}  // namespace gauntlet::damage
