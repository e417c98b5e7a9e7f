// Compression of single gRPC messages, on the threads of the calls.
//
// Threads: pure functions.

#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/status.h"
#include "net/grpc/frame.h"
#include "net/grpc/grpc.h"

namespace gauntlet::net {

// The message behind its prefix, compressed if that is asked for and makes it smaller. kExhausted above 4 GiB.
Result<std::string> EncodeGrpcMessageFrame(GrpcCompression compression, std::string_view message);
// kExhausted when the message would be longer than `bytes_max`; kInternal when it does not decompress.
Status DecodeGrpcMessageFrame(GrpcCompression compression, size_t bytes_max, GrpcFrame frame, std::string* message);

}  // namespace gauntlet::net
