#include "net/grpc/codec.h"

#include <limits>
#include <utility>

#include "io/compress.h"
#include "net/grpc/wire.h"

namespace gauntlet::net {
namespace {

constexpr size_t kCompressBytesMin = 64;  // below, the codings' own frames cost more than they save

std::string Compressed(GrpcCompression compression, std::string_view message) {
  return compression == GrpcCompression::kGzip ? io::GzipCompress(message) : io::SnappyFramedCompress(message);
}

}  // namespace

Result<std::string> EncodeGrpcMessageFrame(GrpcCompression compression, std::string_view message) {
  if (message.size() > std::numeric_limits<uint32_t>::max()) {
    return Status(Code::kExhausted, "gRPC message of " + std::to_string(message.size()) + " bytes: above 4 GiB");
  }
  std::string packed;
  bool smaller = false;
  if (compression != GrpcCompression::kIdentity && message.size() >= kCompressBytesMin) {
    packed = Compressed(compression, message);
    smaller = packed.size() < message.size();
  }
  std::string_view payload = smaller ? std::string_view(packed) : message;
  std::string framed;
  framed.reserve(kGrpcPrefixBytes + payload.size());
  AppendGrpcFrame(smaller, payload, &framed);
  return framed;
}

Status DecodeGrpcMessageFrame(GrpcCompression compression, size_t bytes_max, GrpcFrame frame, std::string* message) {
  if (!frame.compressed) {
    *message = std::move(frame.payload);
    return Status();
  }
  Result<std::string> unpacked = compression == GrpcCompression::kGzip
                                     ? io::GzipDecompress(frame.payload, bytes_max)
                                     : io::SnappyFramedDecompress(frame.payload, bytes_max);
  if (unpacked.ok()) {
    *message = *std::move(unpacked);
    return Status();
  }
  Status why = unpacked.status();
  Code code = why.code() == Code::kExhausted ? Code::kExhausted : Code::kInternal;
  return Status(code, "decompress gRPC message (" + std::string(GrpcCompressionName(compression)) +
                          "): " + std::string(why.message()));
}

}  // namespace gauntlet::net
