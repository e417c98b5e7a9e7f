#include "net/grpc_codec.h"

#include <limits>
#include <utility>

#include "net/grpc_wire.h"

namespace gauntlet::net {

Result<std::string> EncodeGrpcMessageFrame(GrpcCompression compression, std::string_view message) {
  if (message.size() > std::numeric_limits<uint32_t>::max()) {
    return Status(Code::kExhausted, "gRPC message of " + std::to_string(message.size()) + " bytes: above 4 GiB");
  }
  std::string framed;
  framed.reserve(kGrpcPrefixBytes + message.size());
  (void)compression;
  AppendGrpcFrame(false, message, &framed);
  return framed;
}

Status DecodeGrpcMessageFrame(GrpcCompression compression, size_t bytes_max, GrpcFrame frame, std::string* message) {
  (void)bytes_max;
  if (!frame.compressed) {
    *message = std::move(frame.payload);
    return Status();
  }
  return Status(Code::kUnsupported, "gRPC compression " + std::string(GrpcCompressionName(compression)));
}

}  // namespace gauntlet::net
