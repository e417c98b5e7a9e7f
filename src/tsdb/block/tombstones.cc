#include "tsdb/block/tombstones.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "base/varint.h"
#include "io/crc32c.h"

namespace gauntlet::tsdb {
namespace {

constexpr uint32_t kMagic = 0x0130ba30;
constexpr uint8_t kVersion = 1;

Status Malformed(std::string_view what) { return Status(Code::kCorrupt, fmt::format("tombstones: {}", what)); }

}  // namespace

void AddInterval(std::vector<Interval>& intervals, Interval added) {
  constexpr int64_t kMin = std::numeric_limits<int64_t>::min(), kMax = std::numeric_limits<int64_t>::max();
  if (added.maxt_ms < added.mint_ms) return;
  int64_t before = added.mint_ms == kMin ? kMin : added.mint_ms - 1;
  int64_t after = added.maxt_ms == kMax ? kMax : added.maxt_ms + 1;
  auto first = std::lower_bound(intervals.begin(), intervals.end(), before,
                                [](const Interval& i, int64_t t) { return i.maxt_ms < t; });
  auto last = first;
  for (; last != intervals.end() && last->mint_ms <= after; ++last) {
    added.mint_ms = std::min(added.mint_ms, last->mint_ms);
    added.maxt_ms = std::max(added.maxt_ms, last->maxt_ms);
  }
  first = intervals.erase(first, last);
  intervals.insert(first, added);
}

Result<Tombstones> Tombstones::Parse(std::string_view bytes) {
  if (bytes.size() < 9) return Malformed("the file is too short");
  ByteReader tail(bytes.substr(bytes.size() - 4));
  std::string_view body = bytes.substr(0, bytes.size() - 4);
  ByteReader in(body);
  uint32_t magic = 0, checksum = 0;
  uint8_t version = 0;
  tail.Be32(&checksum);
  in.Be32(&magic);
  in.U8(&version);
  if (magic != kMagic) return Malformed(fmt::format("invalid magic number {:x}", magic));
  // The checksum is that of what is behind the version.
  if (io::Crc32c(in.rest()) != checksum) return Malformed("checksum did not match");
  if (version != kVersion) return Status(Code::kUnsupported, fmt::format("invalid tombstone format {:x}", version));
  Tombstones tombstones;
  while (!in.empty()) {
    uint64_t id = 0;
    Interval interval;
    if (!in.Uvarint(&id) || !in.Varint(&interval.mint_ms) || !in.Varint(&interval.maxt_ms) ||
        id > std::numeric_limits<uint32_t>::max()) {
      return Malformed("an interval does not parse");
    }
    if (interval.mint_ms <= interval.maxt_ms) tombstones.Add(static_cast<uint32_t>(id), interval);
  }
  return tombstones;
}

std::string Tombstones::Format() const {
  std::string body;
  for (const auto& [id, intervals] : by_series_) {
    for (const Interval& interval : intervals) {
      AppendUvarint(body, id);
      AppendVarint(body, interval.mint_ms);
      AppendVarint(body, interval.maxt_ms);
    }
  }
  std::string out("\x01\x30\xba\x30\x01", 5);
  out += body;
  uint32_t checksum = __builtin_bswap32(io::Crc32c(body));
  out.append(reinterpret_cast<const char*>(&checksum), sizeof(checksum));
  return out;
}

std::span<const Interval> Tombstones::Of(uint32_t series_id) const {
  if (by_series_.empty()) return {};
  auto at = by_series_.find(series_id);
  return at == by_series_.end() ? std::span<const Interval>() : at->second;
}

uint64_t Tombstones::count() const {
  uint64_t sum = 0;
  for (const auto& [id, intervals] : by_series_) sum += intervals.size();
  return sum;
}

bool IsDeleted(std::span<const Interval> intervals, int64_t mint_ms, int64_t maxt_ms) {
  return std::any_of(intervals.begin(), intervals.end(),
                     [=](const Interval& i) { return i.mint_ms <= mint_ms && maxt_ms <= i.maxt_ms; });
}

void RemoveDeleted(std::span<const Interval> intervals, size_t base, Samples* samples) {
  auto first = samples->times_ms.begin() + static_cast<std::ptrdiff_t>(base);
  bool any = std::any_of(intervals.begin(), intervals.end(), [&](const Interval& i) {
    auto at = std::lower_bound(first, samples->times_ms.end(), i.mint_ms);
    return at != samples->times_ms.end() && *at <= i.maxt_ms;
  });
  if (!any) return;
  Samples kept;
  AppendRange(*samples, 0, base, &kept);
  size_t at = base;
  for (const Interval& i : intervals) {
    size_t begin = static_cast<size_t>(std::lower_bound(samples->times_ms.begin() + static_cast<std::ptrdiff_t>(at),
                                                        samples->times_ms.end(), i.mint_ms) -
                                       samples->times_ms.begin());
    size_t end = static_cast<size_t>(std::upper_bound(samples->times_ms.begin() + static_cast<std::ptrdiff_t>(begin),
                                                      samples->times_ms.end(), i.maxt_ms) -
                                     samples->times_ms.begin());
    AppendRange(*samples, at, begin, &kept);
    at = end;
  }
  AppendRange(*samples, at, samples->size(), &kept);
  *samples = std::move(kept);
}

}  // namespace gauntlet::tsdb
