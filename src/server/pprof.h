// The pages of /debug/pprof/: profiles that `go tool pprof` reads, and texts for people.
//
// Threads: thread-safe.

#pragma once

#include "net/http/router.h"

namespace gauntlet::server {

// profile, heap, goroutine (threads), symbol and an index; trace, allocs and others that have no counterpart in this
// process say so.
void AddPprofRoutes(net::HttpRouter& router);

}  // namespace gauntlet::server
