// What the reloader looks at: a configuration file and folders of rules, as one digest, and the configuration's text as
// the server is to see it.
//
// Upstream: thanos pkg/reloader (normalize, hashFile)
// Threads:  free functions.

#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "io/sha256.h"

namespace gauntlet::io {
class FileSystem;
}

namespace gauntlet::reloader {

struct WatchedFiles {
  io::Sha256Digest digest{};  // of paths and contents
  std::string config;         // as it stands in the file
};

// Reads `config_file` (unless "") and all that is below the folders. Links are followed, and names that begin with ".."
// are passed over: those are the versions between which Kubernetes switches, seen through its links. A link without a
// target counts as such. An error for a file or folder that cannot be read.
Result<WatchedFiles> ReadWatched(io::FileSystem& files, const std::string& config_file,
                                 const std::vector<std::string>& folders);

// The folders in which a change may concern them: those of the files, and those of links on the way to them.
std::set<std::string> FoldersToWatch(io::FileSystem& files, const std::string& config_file,
                                     const std::vector<std::string>& folders);

// Unzipped when it is gzip, $(NAME) replaced from the environment; kInvalid with all names that are not set, which are
// counted in *unset.
Result<std::string> RenderConfig(std::string_view text, size_t* unset);

}  // namespace gauntlet::reloader
