// A Status from errno: "open /data/wal/00000001: No such file or directory".
//
// Threads: functions; errno is that of the calling thread.

#pragma once

#include <string_view>

#include "base/status.h"

namespace gauntlet::io {

// `doing` is the call, as a verb. Uses the current errno.
Status ErrnoStatus(std::string_view doing, std::string_view path);

}  // namespace gauntlet::io
