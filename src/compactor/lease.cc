#include "compactor/lease.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "json/reader.h"
#include "json/writer.h"
#include "tsdb/block/meta_json.h"

namespace gauntlet::compactor {
namespace {

constexpr size_t kLeaseBytesMax = 64 << 10;
constexpr std::chrono::seconds kGiveBackWithin{10};
constexpr int64_t kStaleAfter = 4;  // times of a lease

// Numbers sort as text.
std::string ObjectOf(const std::string& name, uint64_t number) {
  return fmt::format("{}{}/{:020}.json", kLeasePrefix, name, number);
}

}  // namespace

std::string FormatLease(const LeaseText& lease) {
  std::string out;
  json::Writer writer(&out);
  writer.BeginObject().IntMember("version", 1).StringMember("holder", lease.holder);
  writer.IntMember("until_ms", lease.until_ms).EndObject();
  return out + "\n";
}

Result<LeaseText> ParseLease(std::string_view text) {
  GN_ASSIGN(json::Document document, json::Document::Parse(text));
  if (!document.root().is_object()) return Status(Code::kCorrupt, "a lease is an object");
  tsdb::JsonFields fields(document.root());
  LeaseText lease;
  fields.String("holder", &lease.holder);
  fields.Int("until_ms", &lease.until_ms);
  GN_TRY(fields.status());
  return lease;
}

Lease::~Lease() { leases_->GiveBack(name_, number_); }

Leases::Leases(objstore::Bucket& bucket, std::string holder, std::chrono::milliseconds time, Clock& clock,
               telemetry::Logger& logger)
    : bucket_(bucket), holder_(std::move(holder)), time_(time), clock_(clock), logger_(logger) {}

Status Leases::Write(const std::string& name, uint64_t number, bool if_absent, const Cancel& cancel) {
  objstore::UploadOptions options;
  options.if_absent = if_absent;
  return objstore::WriteObject(bucket_, ObjectOf(name, number), FormatLease({holder_, clock_.NowMs() + time_.count()}),
                               cancel, options);
}

Result<uint64_t> Leases::Newest(const std::string& name, const Cancel& cancel) {
  uint64_t newest = 0;
  const std::string prefix = kLeasePrefix + name + "/";
  GN_TRY(bucket_.Iter(prefix, {}, cancel, [&](const objstore::ObjectEntry& entry) {
    const std::string_view file = entry.name.substr(prefix.size());
    uint64_t number = 0;
    for (size_t i = 0; i < file.size() && file[i] >= '0' && file[i] <= '9'; ++i)
      number = number * 10 + static_cast<uint64_t>(file[i] - '0');
    newest = std::max(newest, number);
    return Status();
  }));
  return newest;
}

Result<std::unique_ptr<Lease>> Leases::Take(const std::string& name, const Cancel& cancel) {
  {
    MutexLock lock(mutex_);
    for (const auto& [held, number] : held_) {
      if (held == name) return std::unique_ptr<Lease>();
    }
  }
  GN_ASSIGN(uint64_t newest, Newest(name, cancel));
  if (newest > 0) {
    Result<std::string> text = objstore::ReadObject(bucket_, ObjectOf(name, newest), cancel, kLeaseBytesMax);
    if (!text.ok() && text.status().code() != Code::kNotFound) return text.status();
    if (text.ok()) {
      // What does not read holds nobody.
      Result<LeaseText> lease = ParseLease(*text);
      if (lease.ok() && lease->holder != holder_ && lease->until_ms > clock_.NowMs()) return std::unique_ptr<Lease>();
    }
  }
  const uint64_t number = newest + 1;
  Status written = Write(name, number, true, cancel);
  if (written.code() == Code::kUnsupported) written = Write(name, number, false, cancel);
  if (written.code() == Code::kExists) return std::unique_ptr<Lease>();
  GN_TRY(written.Wrap("write lease " + name));
  if (newest > 0) {
    GN_LOG(logger_, kInfo, "took over a lease that was not renewed", {"lease", name}, {"number", number});
    // What it followed; a failure leaves an object that nobody asks for.
    (void)bucket_.Delete(ObjectOf(name, newest), cancel);
  }
  MutexLock lock(mutex_);
  held_.emplace(name, number);
  return std::make_unique<Lease>(this, name, number);
}

void Leases::RenewAll(const Cancel& cancel) {
  std::vector<std::pair<std::string, uint64_t>> held;
  {
    MutexLock lock(mutex_);
    held.assign(held_.begin(), held_.end());
  }
  for (const auto& [name, number] : held) {
    MutexLock writing(writing_);
    {
      MutexLock lock(mutex_);
      if (!held_.contains({name, number})) continue;  // given back meanwhile
    }
    Result<uint64_t> newest = Newest(name, cancel);
    if (newest.ok() && *newest > number) {
      GN_LOG(logger_, kWarn, "a lease was taken over by somebody else; the work is done twice", {"lease", name});
      continue;
    }
    Status status = Write(name, number, false, cancel);
    if (!status.ok()) GN_LOG(logger_, kWarn, "a lease was not renewed", {"lease", name}, {"err", status});
  }
}

Status Leases::DropStale(const Cancel& cancel) {
  const int64_t before_ms = clock_.NowMs() - kStaleAfter * time_.count();
  std::vector<std::string> stale;
  GN_TRY(bucket_.Iter(kLeasePrefix, {.recursive = true, .attributes = true}, cancel,
                      [&](const objstore::ObjectEntry& entry) {
                        if (entry.modified_ms > 0 && entry.modified_ms < before_ms) stale.emplace_back(entry.name);
                        return Status();
                      }));
  for (const std::string& name : stale) GN_TRY(bucket_.Delete(name, cancel));
  return Status();
}

void Leases::GiveBack(const std::string& name, uint64_t number) {
  MutexLock writing(writing_);
  {
    MutexLock lock(mutex_);
    held_.erase({name, number});
  }
  // Also while stopping, when the cancel of the work has ended.
  CancelSource limit(Cancel(), kGiveBackWithin);
  Status status = bucket_.Delete(ObjectOf(name, number), limit.cancel());
  if (!status.ok()) GN_LOG(logger_, kWarn, "a lease was not given back", {"lease", name}, {"err", status});
}

}  // namespace gauntlet::compactor
