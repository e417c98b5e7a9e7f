// Trace: spans that follow a request from HTTP to gRPC (W3C traceparent), handed to an exporter when they end.
//
// Threads: Tracer is thread-safe; a Span belongs to one thread at a time.

#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gauntlet::telemetry {

struct SpanContext {
  std::array<uint8_t, 16> trace_id{};
  std::array<uint8_t, 8> span_id{};
  bool sampled = false;
  bool valid() const { return trace_id != std::array<uint8_t, 16>{}; }
  std::string TraceIdHex() const;
  // "00-<trace>-<span>-01"
  std::string ToTraceparent() const;
  static std::optional<SpanContext> FromTraceparent(std::string_view header);
};

struct SpanRecord {
  SpanContext context;
  std::array<uint8_t, 8> parent_id{};
  std::string name;
  enum class Kind : uint8_t { kInternal = 1, kServer = 2, kClient = 3 } kind = Kind::kInternal;  // OTLP's numbers
  uint64_t start_unix_ns = 0, end_unix_ns = 0;
  std::vector<std::pair<std::string, std::string>> attributes;
  std::string error;  // empty = fine
};

// Gets each sampled span once, on the thread that ends it; must not block. Null in a Tracer: nothing is recorded.
using SpanExporter = std::function<void(SpanRecord)>;

class Tracer;

class Span {
 public:
  Span() noexcept;  // records nothing
  Span(Span&&) noexcept;
  Span& operator=(Span&&) noexcept;
  ~Span();  // ends it
  void SetAttribute(std::string_view name, std::string_view value);
  void SetError(std::string_view message);
  // False when what is set is dropped: not sampled, or no exporter.
  bool recording() const;
  // Invalid for a span that neither records nor passes a caller's context on.
  const SpanContext& context() const;

 private:
  friend class Tracer;
  struct Rep;
  std::unique_ptr<Rep> rep_;
};

class Tracer {
 public:
  struct Options {
    double ratio = 1;          // of new traces that are sampled
    bool parent_based = true;  // a caller's decision wins
    SpanExporter exporter;
  };
  Tracer();  // records nothing, but passes contexts on
  explicit Tracer(Options options);
  ~Tracer();
  Span Start(std::string_view name, const SpanContext& parent, SpanRecord::Kind kind = SpanRecord::Kind::kInternal,
             bool force = false);

 private:
  struct Rep;
  std::shared_ptr<Rep> rep_;
};

}  // namespace gauntlet::telemetry
