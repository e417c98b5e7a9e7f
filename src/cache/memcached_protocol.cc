#include "cache/memcached_protocol.h"

#include <algorithm>
#include <charconv>

namespace gauntlet::cache {
namespace {

constexpr size_t kKeyMax = 250;
constexpr size_t kClusterBytesMax = 1 << 20;

// Cuts the first word off.
std::string_view Word(std::string_view* text) {
  size_t begin = std::min(text->find_first_not_of(' '), text->size());
  text->remove_prefix(begin);
  size_t end = std::min(text->find(' '), text->size());
  std::string_view word = text->substr(0, end);
  text->remove_prefix(end);
  return word;
}

template <typename T>
bool ToNumber(std::string_view text, T* out) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *out);
  return error == std::errc() && end == text.data() + text.size();
}

bool TellsError(std::string_view line) {
  return line == "ERROR" || line.starts_with("SERVER_ERROR") || line.starts_with("CLIENT_ERROR");
}

Status Unexpected(std::string_view line) {
  if (TellsError(line)) return Status(Code::kUnavailable, "memcached says " + std::string(line));
  return Status(Code::kCorrupt, "not an answer of memcached: " + std::string(line.substr(0, 80)));
}

}  // namespace

bool IsMemcachedKey(std::string_view key) {
  return !key.empty() && key.size() <= kKeyMax &&
         std::all_of(key.begin(), key.end(), [](char c) { return static_cast<unsigned char>(c) > ' ' && c != 0x7f; });
}

void AppendMemcachedGet(const std::vector<std::string_view>& keys, std::string* out) {
  out->append("get");
  for (std::string_view key : keys) out->append(" ").append(key);
  out->append("\r\n");
}

void AppendMemcachedSet(std::string_view key, std::string_view value, int64_t expires, std::string* out) {
  out->append("set ").append(key).append(" 0 ").append(std::to_string(expires)).append(" ");
  out->append(std::to_string(value.size())).append("\r\n").append(value).append("\r\n");
}

Status ReadMemcachedValues(ReplyReader& reader, size_t value_bytes_max,
                           const std::function<void(std::string_view, std::string)>& on_value) {
  while (true) {
    GN_ASSIGN(std::string_view line, reader.Line());
    if (line == "END") return Status();
    if (!line.starts_with("VALUE ")) return Unexpected(line);
    std::string_view rest = line.substr(6);
    std::string key(Word(&rest));
    uint32_t flags = 0;
    uint64_t bytes = 0;
    if (!ToNumber(Word(&rest), &flags) || !ToNumber(Word(&rest), &bytes) || bytes > value_bytes_max)
      return Unexpected(line);
    GN_ASSIGN(std::string value, reader.Counted(bytes));
    on_value(key, std::move(value));
  }
}

Status ReadMemcachedStored(ReplyReader& reader) {
  GN_ASSIGN(std::string_view line, reader.Line());
  if (line == "STORED" || line == "NOT_STORED") return Status();
  return Unexpected(line);
}

Result<std::vector<std::string>> ReadMemcachedCluster(ReplyReader& reader) {
  GN_ASSIGN(std::string_view line, reader.Line());
  std::string_view rest = line;
  size_t bytes = 0;
  if (Word(&rest) != "CONFIG" || Word(&rest) != "cluster" || Word(&rest).empty() || !ToNumber(Word(&rest), &bytes) ||
      bytes > kClusterBytesMax) {
    return Unexpected(line);
  }
  GN_ASSIGN(std::string text, reader.Counted(bytes));
  GN_ASSIGN(line, reader.Line());
  if (line != "END") return Unexpected(line);
  // A version, then "host|address|port" for each node.
  size_t after_version = std::min(text.find('\n'), text.size());
  std::string_view nodes = std::string_view(text).substr(after_version);
  nodes.remove_prefix(std::min<size_t>(1, nodes.size()));
  nodes = nodes.substr(0, nodes.find_first_of("\r\n"));
  std::vector<std::string> found;
  for (std::string_view node = Word(&nodes); !node.empty(); node = Word(&nodes)) {
    size_t first = node.find('|'), last = node.rfind('|');
    int port = 0;
    if (first == last || !ToNumber(node.substr(last + 1), &port) || port <= 0)
      return Status(Code::kCorrupt, "not a node of a memcached cluster: " + std::string(node.substr(0, 80)));
    std::string_view address = node.substr(first + 1, last - first - 1);
    if (address.empty()) address = node.substr(0, first);
    bool brackets = address.find(':') != std::string_view::npos;
    found.push_back((brackets ? "[" : "") + std::string(address) + (brackets ? "]:" : ":") + std::to_string(port));
  }
  return found;
}

}  // namespace gauntlet::cache
