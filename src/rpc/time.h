// Times of rules and targets: nanoseconds since the Unix epoch, with one value for "never".
//
// Threads: pure functions.

#pragma once

#include <cstdint>
#include <limits>

namespace google::protobuf {
class Timestamp;
}

namespace gauntlet::rpc {

// Go's zero time, 0001-01-01T00:00:00Z, which nanoseconds do not reach.
inline constexpr int64_t kNeverNs = std::numeric_limits<int64_t>::min();

// Times that nanoseconds do not reach become kNeverNs.
int64_t ToNs(const google::protobuf::Timestamp& timestamp);
void FromNs(int64_t ns, google::protobuf::Timestamp* timestamp);

}  // namespace gauntlet::rpc
