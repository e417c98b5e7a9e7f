// The texts and frames of gRPC: whatever comes in is taken or refused, and what we write reads back the same.

#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "net/grpc/codec.h"
#include "net/grpc/frame.h"
#include "net/grpc/wire.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace gauntlet::net;  // NOLINT
  std::string_view bytes(reinterpret_cast<const char*>(data), size);

  GN_CHECK(DecodeGrpcMessage(EncodeGrpcMessage(bytes)) == bytes);
  (void)DecodeGrpcMessage(bytes);
  GN_CHECK(*DecodeBase64(EncodeBase64(bytes)) == bytes);
  GrpcMetadata metadata;
  (void)AddGrpcMetadata("x-bin", bytes, &metadata).ok();
  if (auto timeout = ParseGrpcTimeout(bytes); timeout.ok()) {
    GN_CHECK(*ParseGrpcTimeout(FormatGrpcTimeout(*timeout)) >= *timeout);
  }
  (void)ParseGrpcCode(bytes);
  (void)AcceptsGrpcCompression(bytes, GrpcCompression::kGzip);
  (void)IsGrpcContentType(bytes);

  GrpcCompression compression = size % 2 == 0 ? GrpcCompression::kGzip : GrpcCompression::kSnappy;
  GrpcFrameReader reader(10'000, compression);
  std::deque<GrpcFrame> frames;
  bool understood = true;
  while (understood && !bytes.empty()) {
    size_t take = std::min<size_t>(bytes.size(), 1 + (bytes[0] & 31));
    understood = reader.Feed(bytes.substr(0, take), &frames).ok();
    bytes.remove_prefix(take);
  }
  for (GrpcFrame& frame : frames) {
    std::string message;
    (void)DecodeGrpcMessageFrame(compression, 100'000, std::move(frame), &message).ok();
    GN_CHECK(message.size() <= 100'000);
  }
  return 0;
}
