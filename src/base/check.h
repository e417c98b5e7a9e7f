// Checks for bugs: GN_CHECK (always on) and GN_DCHECK (debug builds) abort with file, line and message.
//
// Never for outside bytes or the environment: those return a Status.

#pragma once

#include <string_view>

namespace gauntlet {

// Writes "file:line: check failed: what" to stderr and aborts.
[[noreturn]] void CheckFailed(const char* file, int line, std::string_view what);

}  // namespace gauntlet

#define GN_CHECK(cond) \
  (__builtin_expect(!!(cond), 1) ? static_cast<void>(0) : ::gauntlet::CheckFailed(__FILE__, __LINE__, #cond))
#ifdef NDEBUG
#define GN_DCHECK(cond) static_cast<void>(sizeof(!!(cond)))
#else
#define GN_DCHECK(cond) GN_CHECK(cond)
#endif
