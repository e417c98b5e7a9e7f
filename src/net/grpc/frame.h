// Length-prefixed messages: one byte of flags (1 = compressed), four of length, the bytes.
//
// Format:  https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md (Length-Prefixed-Message)
// Threads: GrpcFrameReader is for one thread at a time; the functions are pure.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

#include "base/status.h"
#include "net/grpc/grpc.h"

namespace gauntlet::net {

inline constexpr size_t kGrpcPrefixBytes = 5;

struct GrpcFrame {
  bool compressed = false;
  std::string payload;
};

void AppendGrpcFrame(bool compressed, std::string_view payload, std::string* out);

// Collects messages from bytes as they come, cut anywhere.
class GrpcFrameReader {
 public:
  // `compression`: what the peer announced; a message marked as compressed under kIdentity is an error.
  GrpcFrameReader(size_t message_bytes_max, GrpcCompression compression)
      : message_bytes_max_(message_bytes_max), compression_(compression) {}

  // Appends the messages that end in `bytes`. kExhausted for a message above the limit, kInternal for flags that the
  // protocol does not know or that do not fit. After an error, nothing more is understood.
  Status Feed(std::string_view bytes, std::deque<GrpcFrame>* out);
  // True inside a message: the stream must not end here.
  bool mid_message() const { return prefix_size_ > 0; }

 private:
  Status BeginMessage();

  const size_t message_bytes_max_;
  const GrpcCompression compression_;
  std::array<char, kGrpcPrefixBytes> prefix_{};
  size_t prefix_size_ = 0;  // of the message in progress; 0 = between two
  size_t payload_size_ = 0;
  GrpcFrame frame_;
};

}  // namespace gauntlet::net
