#include "profile/heap.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

#include "base/memory.h"

namespace gauntlet::profile {
namespace {

constexpr int64_t kBytesMax = int64_t{1} << 50;

// Takes the text before `separator` off the front.
std::string_view Cut(std::string_view& text, char separator) {
  size_t end = std::min(text.find(separator), text.size());
  std::string_view front = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return front;
}

bool Number(std::string_view text, int64_t* out, int base = 10) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *out, base);
  return error == std::errc() && end == text.data() + text.size();
}

// "@ 0x1 0x2": return addresses, so the call is the byte before.
bool ParseStack(std::string_view line, std::vector<uintptr_t>* stack) {
  while (!line.empty()) {
    std::string_view word = Cut(line, ' ');
    int64_t address = 0;
    if (word.empty()) continue;
    if (!word.starts_with("0x") || !Number(word.substr(2), &address, 16)) return false;
    stack->push_back(static_cast<uintptr_t>(address) - 1);
  }
  return true;
}

// "  t*: 13: 1481735 [0: 0]"
bool ParseCounts(std::string_view line, int64_t* objects, int64_t* bytes) {
  size_t at = line.find("t*: ");
  if (at == std::string_view::npos) return false;
  line.remove_prefix(at + 4);
  std::string_view count = Cut(line, ':');
  std::string_view size = line.substr(0, line.find('['));
  while (size.ends_with(' ')) size.remove_suffix(1);
  return Number(count, objects) && Number(size, bytes);
}

}  // namespace

Result<HeapProfile> ParseHeapProfile(std::string_view text) {
  auto corrupt = [&](std::string_view what) { return Status(Code::kCorrupt, "heap profile: " + std::string(what)); };
  HeapProfile profile;
  std::string_view header = Cut(text, '\n');
  if (!header.starts_with("heap_v2/") || !Number(header.substr(8), &profile.sample_bytes) ||
      profile.sample_bytes <= 0) {
    return corrupt("no heap_v2 header");
  }
  HeapProfile::Sample sample;
  bool in_sample = false;
  while (!text.empty()) {
    std::string_view line = Cut(text, '\n');
    if (line.starts_with("MAPPED_LIBRARIES")) break;
    if (line.starts_with('@')) {
      sample = {};
      in_sample = true;
      if (!ParseStack(line.substr(1), &sample.stack)) return corrupt("malformed stack");
    } else if (in_sample && line.find("t*: ") != std::string_view::npos) {
      int64_t objects = 0, bytes = 0;
      if (!ParseCounts(line, &objects, &bytes)) return corrupt("malformed counts");
      in_sample = false;
      if (objects <= 0 || bytes <= 0) continue;
      if (bytes < objects || bytes > kBytesMax) return corrupt("impossible counts");
      // An allocation of s bytes is sampled with the probability 1 - e^(-s/rate).
      double mean = static_cast<double>(bytes) / static_cast<double>(objects);
      double scale = 1 / -std::expm1(-mean / static_cast<double>(profile.sample_bytes));
      sample.live_objects = std::llround(static_cast<double>(objects) * scale);
      sample.live_bytes = std::llround(static_cast<double>(bytes) * scale);
      profile.samples.push_back(std::exchange(sample, {}));
    }
  }
  return profile;
}

Result<HeapProfile> TakeHeapProfile() {
  int fd = memfd_create("heap-profile", MFD_CLOEXEC);
  if (fd < 0) return Status(Code::kUnavailable, "make a memory file for the heap profile");
  // jemalloc opens a name of its own: this process's view of the same file.
  Status status = DumpHeapProfile("/proc/self/fd/" + std::to_string(fd));
  std::string text;
  if (status.ok()) {
    char buffer[16384];
    for (ssize_t n; (n = pread(fd, buffer, sizeof(buffer), static_cast<off_t>(text.size()))) > 0;) {
      text.append(buffer, static_cast<size_t>(n));
    }
  }
  close(fd);
  GN_TRY(std::move(status));
  return ParseHeapProfile(text);
}

}  // namespace gauntlet::profile
