#include "rpc/time.h"

#include <google/protobuf/timestamp.pb.h>

namespace gauntlet::rpc {
namespace {

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kGoZeroSeconds = -62'135'596'800;

}  // namespace

int64_t ToNs(const google::protobuf::Timestamp& timestamp) {
  constexpr int64_t kSecondsMax = std::numeric_limits<int64_t>::max() / kSecond - 1;
  if (timestamp.seconds() > kSecondsMax || timestamp.seconds() < -kSecondsMax) return kNeverNs;
  return timestamp.seconds() * kSecond + timestamp.nanos() % kSecond;
}

void FromNs(int64_t ns, google::protobuf::Timestamp* timestamp) {
  if (ns == kNeverNs) {
    timestamp->set_seconds(kGoZeroSeconds);
    return;
  }
  int64_t seconds = ns / kSecond - (ns % kSecond < 0 ? 1 : 0);
  timestamp->set_seconds(seconds);
  timestamp->set_nanos(static_cast<int32_t>(ns - seconds * kSecond));
}

}  // namespace gauntlet::rpc
