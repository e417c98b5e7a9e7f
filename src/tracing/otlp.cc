#include "tracing/otlp.h"

#include <cstring>
#include <string_view>

#include "base/utf8.h"
#include "base/varint.h"

namespace gauntlet::tracing {
namespace {

void AppendBytes(std::string& out, int field, std::string_view bytes) {
  AppendUvarint(out, static_cast<uint64_t>(field) << 3 | 2);
  AppendUvarint(out, bytes.size());
  out += bytes;
}

// protobuf refuses strings that are not UTF-8, and with one the whole batch.
void AppendString(std::string& out, int field, std::string_view text) {
  AppendBytes(out, field, ValidUtf8(text) ? text : ReplaceInvalidUtf8(text));
}

void AppendNumber(std::string& out, int field, uint64_t v) {
  AppendUvarint(out, static_cast<uint64_t>(field) << 3);
  AppendUvarint(out, v);
}

void AppendFixed64(std::string& out, int field, uint64_t v) {
  AppendUvarint(out, static_cast<uint64_t>(field) << 3 | 1);
  char bytes[8];
  std::memcpy(bytes, &v, 8);  // little-endian, as all our machines are
  out.append(bytes, 8);
}

void AppendAttribute(std::string& out, int field, std::string_view key, std::string_view value) {
  std::string any, pair;
  AppendString(any, 1, value);
  AppendString(pair, 1, key);
  AppendBytes(pair, 2, any);
  AppendBytes(out, field, pair);
}

template <size_t N>
std::string_view View(const std::array<uint8_t, N>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), N};
}

std::string EncodeSpan(const telemetry::SpanRecord& span) {
  std::string out;
  AppendBytes(out, 1, View(span.context.trace_id));
  AppendBytes(out, 2, View(span.context.span_id));
  if (span.parent_id != std::array<uint8_t, 8>{}) AppendBytes(out, 4, View(span.parent_id));
  AppendString(out, 5, span.name);
  AppendNumber(out, 6, static_cast<uint64_t>(span.kind));
  AppendFixed64(out, 7, span.start_unix_ns);
  AppendFixed64(out, 8, span.end_unix_ns);
  for (const auto& [key, value] : span.attributes) AppendAttribute(out, 9, key, value);
  if (!span.error.empty()) {
    constexpr uint64_t kStatusError = 2;
    std::string status;
    AppendString(status, 2, span.error);
    AppendNumber(status, 3, kStatusError);
    AppendBytes(out, 15, status);
  }
  return out;
}

}  // namespace

std::string EncodeSpans(std::span<const telemetry::SpanRecord> spans,
                        const std::map<std::string, std::string>& resource) {
  std::string attributes, scope, scope_spans, resource_spans, out;
  for (const auto& [key, value] : resource) AppendAttribute(attributes, 1, key, value);
  AppendString(scope, 1, "gauntlet");
  AppendBytes(scope_spans, 1, scope);
  for (const auto& span : spans) AppendBytes(scope_spans, 2, EncodeSpan(span));
  AppendBytes(resource_spans, 1, attributes);
  AppendBytes(resource_spans, 2, scope_spans);
  AppendBytes(out, 1, resource_spans);
  return out;
}

}  // namespace gauntlet::tracing
