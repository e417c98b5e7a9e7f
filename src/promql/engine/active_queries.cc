#include "promql/engine/active_queries.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <limits>
#include <system_error>

#include "json/writer.h"

namespace gauntlet::promql {
namespace {

constexpr size_t kEntryBytes = 1000;
constexpr size_t kNoPlace = std::numeric_limits<size_t>::max();

Status SystemError(const std::string& doing) {
  return Status(Code::kUnavailable, doing + ": " + std::system_category().message(errno));
}

std::string Entry(std::string_view query, int64_t now_sec) {
  std::string out;
  json::Writer(&out).BeginObject().StringMember("query", query).IntMember("timestamp_sec", now_sec).EndObject();
  return out;
}

// An entry of less than kEntryBytes. Escapes make the text longer, so it may take several cuts.
std::string FittingEntry(std::string_view query, int64_t now_sec) {
  std::string entry = Entry(query, now_sec);
  while (entry.size() >= kEntryBytes) {
    size_t keep = query.size() - std::min(query.size(), std::max<size_t>(1, (entry.size() - kEntryBytes) / 6));
    while (keep > 0 && (static_cast<unsigned char>(query[keep]) & 0xc0) == 0x80) --keep;
    query = query.substr(0, keep);
    entry = Entry(query, now_sec);
  }
  return entry;
}

// What an earlier process left, made into a JSON list again.
std::string ReadUnfinished(const std::string& path) {
  int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return "";
  std::string text;
  char buffer[4096];
  for (ssize_t n; (n = ::read(fd, buffer, sizeof(buffer))) > 0;) {
    std::copy_if(buffer, buffer + n, std::back_inserter(text), [](char c) { return c != '\0'; });
  }
  ::close(fd);
  if (text.size() <= 1) return "";
  text.back() = ']';
  return text;
}

}  // namespace

Result<std::unique_ptr<ActiveQueries>> ActiveQueries::Open(const std::string& dir, size_t places,
                                                           std::string* unfinished) {
  std::error_code error;
  std::filesystem::create_directories(dir, error);
  if (error) return Status(Code::kUnavailable, "create active query log directory: " + error.message());
  const std::string path = dir + "/queries.active";
  *unfinished = ReadUnfinished(path);
  const size_t size = 1 + places * kEntryBytes;
  int fd = ::open(path.c_str(), O_CREAT | O_RDWR | O_TRUNC | O_CLOEXEC, 0666);
  if (fd < 0) return SystemError("open " + path);
  void* mapped = MAP_FAILED;
  // Blocks are reserved now: a full disk must not end the process at a later write.
  if (int code = ::posix_fallocate(fd, 0, static_cast<off_t>(size)); code != 0) {
    errno = code;
  } else {
    mapped = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  }
  int code = errno;
  ::close(fd);
  errno = code;
  if (mapped == MAP_FAILED) return SystemError("map " + path);
  static_cast<char*>(mapped)[0] = '[';
  return std::unique_ptr<ActiveQueries>(new ActiveQueries(static_cast<char*>(mapped), size, places));
}

ActiveQueries::ActiveQueries(char* bytes, size_t size, size_t places) : bytes_(bytes), size_(size) {
  MutexLock lock(mutex_);
  for (size_t i = places; i-- > 0;) free_.push_back(1 + i * kEntryBytes);
}

ActiveQueries::~ActiveQueries() { ::munmap(bytes_, size_); }

size_t ActiveQueries::Insert(std::string_view query, int64_t now_sec) {
  size_t place;
  {
    MutexLock lock(mutex_);
    if (free_.empty()) return kNoPlace;
    place = free_.back();
    free_.pop_back();
  }
  std::string entry = FittingEntry(query, now_sec);
  std::memcpy(bytes_ + place, entry.data(), entry.size());
  bytes_[place + kEntryBytes - 1] = ',';
  return place;
}

void ActiveQueries::Remove(size_t place) {
  if (place == kNoPlace) return;
  std::memset(bytes_ + place, 0, kEntryBytes);
  MutexLock lock(mutex_);
  free_.push_back(place);
}

}  // namespace gauntlet::promql
