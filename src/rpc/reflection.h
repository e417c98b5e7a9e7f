// Server reflection (v1 and v1alpha): what a server answers, for grpcurl and its like, from the descriptors in the
// binary.
//
// Format:  https://github.com/grpc/grpc/blob/master/doc/server-reflection.md
// Threads: pure function.

#pragma once

#include "rpc/method.h"

namespace gauntlet::rpc {

// Adds both versions of the service. Lists the services of the methods that are in `*methods` by then, and itself.
void RegisterReflection(MethodMap* methods);

}  // namespace gauntlet::rpc
