// How calls end, where gRPC's codes say more than ours: partial responses, and warnings that carry a code in their
// text.
//
// Upstream: thanos pkg/store/storepb (GRPCCodeFromWarn), grpc-go status
// Threads:  pure functions.

#pragma once

#include <string>
#include <string_view>

#include "base/status.h"
#include "net/grpc/grpc.h"

namespace gauntlet::rpc {

// grpc-go's text of an error: "rpc error: code = Unavailable desc = connection refused". Thanos puts it into warnings,
// and reads codes back out of them.
std::string ErrorText(const net::GrpcStatus& status);

// The end of a call whose source failed and whose caller does not take partial responses: Aborted, unless the error
// says something that the caller can act on (cancelled, too late, over a limit, a wrong request).
net::GrpcStatus AbortedBy(const Status& error);
net::GrpcStatus AbortedBy(const net::GrpcStatus& error);

// The end of a call that a warning of a source ends: ResourceExhausted if the text says so, else Aborted.
net::GrpcStatus AbortedByWarning(std::string_view warning);

}  // namespace gauntlet::rpc
