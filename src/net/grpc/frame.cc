#include "net/grpc/frame.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace gauntlet::net {
namespace {

// A length is only a claim: so much is reserved for it before its bytes come.
constexpr size_t kReserveBytesMax = 2 << 20;

}  // namespace

void AppendGrpcFrame(bool compressed, std::string_view payload, std::string* out) {
  auto size = static_cast<uint32_t>(payload.size());
  const char prefix[kGrpcPrefixBytes] = {static_cast<char>(compressed), static_cast<char>(size >> 24),
                                         static_cast<char>(size >> 16), static_cast<char>(size >> 8),
                                         static_cast<char>(size)};
  out->append(prefix, sizeof(prefix));
  out->append(payload);
}

Status GrpcFrameReader::BeginMessage() {
  size_t size = 0;
  for (size_t i = 1; i < kGrpcPrefixBytes; ++i) size = size << 8 | static_cast<unsigned char>(prefix_[i]);
  if (prefix_[0] != 0 && prefix_[0] != 1) {
    return Status(Code::kInternal, "gRPC message with unknown flags " + std::to_string(prefix_[0] & 255));
  }
  if (prefix_[0] == 1 && compression_ == GrpcCompression::kIdentity) {
    return Status(Code::kInternal, "gRPC message is compressed, but no grpc-encoding was announced");
  }
  if (size > message_bytes_max_) {
    return Status(Code::kExhausted, "gRPC message of " + std::to_string(size) + " bytes is larger than the limit of " +
                                        std::to_string(message_bytes_max_));
  }
  payload_size_ = size;
  frame_.compressed = prefix_[0] == 1;
  frame_.payload.reserve(std::min(size, kReserveBytesMax));
  return Status();
}

Status GrpcFrameReader::Feed(std::string_view bytes, std::deque<GrpcFrame>* out) {
  while (!bytes.empty()) {
    if (prefix_size_ < kGrpcPrefixBytes) {
      size_t take = std::min(kGrpcPrefixBytes - prefix_size_, bytes.size());
      std::memcpy(prefix_.data() + prefix_size_, bytes.data(), take);
      bytes.remove_prefix(take);
      prefix_size_ += take;
      if (prefix_size_ < kGrpcPrefixBytes) return Status();
      GN_TRY(BeginMessage());
    }
    size_t take = std::min(payload_size_ - frame_.payload.size(), bytes.size());
    frame_.payload.append(bytes.substr(0, take));
    bytes.remove_prefix(take);
    if (frame_.payload.size() < payload_size_) return Status();
    out->push_back(std::exchange(frame_, GrpcFrame()));
    prefix_size_ = payload_size_ = 0;
  }
  return Status();
}

}  // namespace gauntlet::net
