#include "telemetry/trace.h"

#include <sys/random.h>

#include <chrono>
#include <cmath>
#include <cstring>
#include <random>

namespace gauntlet::telemetry {
namespace {

constexpr char kHex[] = "0123456789abcdef";

template <size_t N>
void AppendHex(std::string& out, const std::array<uint8_t, N>& bytes) {
  for (uint8_t byte : bytes) {
    out += kHex[byte >> 4];
    out += kHex[byte & 15];
  }
}

// Lower-case only, as the W3C format demands.
int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

bool ParseHex(std::string_view text, uint8_t* out, size_t size) {
  if (text.size() != size * 2) return false;
  for (size_t i = 0; i < size; ++i) {
    int high = HexDigit(text[2 * i]), low = HexDigit(text[2 * i + 1]);
    if (high < 0 || low < 0) return false;
    out[i] = static_cast<uint8_t>(high << 4 | low);
  }
  return true;
}

template <size_t N>
void FillRandom(std::array<uint8_t, N>& bytes) {
  thread_local std::mt19937_64 random = [] {
    uint64_t seed = 0;
    if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed)) seed = std::random_device()();
    return std::mt19937_64(seed);
  }();
  do {
    for (size_t i = 0; i < N; i += 8) {
      uint64_t word = random();
      std::memcpy(bytes.data() + i, &word, 8);
    }
  } while (bytes == std::array<uint8_t, N>{});
}

uint64_t UnixNs() {
  return static_cast<uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch())
          .count());
}

// OpenTelemetry's rule: 63 bits of the trace id against the ratio, so that all services agree on a trace.
bool SampledByRatio(const std::array<uint8_t, 16>& trace_id, double ratio) {
  if (ratio >= 1) return true;
  if (!(ratio > 0)) return false;
  uint64_t x = 0;
  for (size_t i = 8; i < 16; ++i) x = x << 8 | trace_id[i];
  return (x >> 1) < static_cast<uint64_t>(std::ldexp(ratio, 63));
}

}  // namespace

std::string SpanContext::TraceIdHex() const {
  std::string out;
  AppendHex(out, trace_id);
  return out;
}

std::string SpanContext::ToTraceparent() const {
  std::string out = "00-";
  AppendHex(out, trace_id);
  out += '-';
  AppendHex(out, span_id);
  out += sampled ? "-01" : "-00";
  return out;
}

std::optional<SpanContext> SpanContext::FromTraceparent(std::string_view header) {
  // version "-" trace "-" parent "-" flags; a later version may append more after another "-".
  if (header.size() < 55 || header[2] != '-' || header[35] != '-' || header[52] != '-') return std::nullopt;
  uint8_t version, flags;
  SpanContext context;
  if (!ParseHex(header.substr(0, 2), &version, 1) || version == 0xff ||
      !ParseHex(header.substr(3, 32), context.trace_id.data(), 16) ||
      !ParseHex(header.substr(36, 16), context.span_id.data(), 8) || !ParseHex(header.substr(53, 2), &flags, 1)) {
    return std::nullopt;
  }
  if (header.size() > 55 && (version == 0 || header[55] != '-')) return std::nullopt;
  if (!context.valid() || context.span_id == std::array<uint8_t, 8>{}) return std::nullopt;
  context.sampled = (flags & 1) != 0;
  return context;
}

struct Tracer::Rep {
  Options options;
};

struct Span::Rep {
  std::shared_ptr<const SpanExporter> exporter;  // null: nothing is recorded
  SpanRecord record;
};

Span::Span() noexcept = default;
Span::Span(Span&&) noexcept = default;

Span& Span::operator=(Span&& other) noexcept {
  Span ended(std::move(*this));
  rep_ = std::move(other.rep_);
  return *this;
}

Span::~Span() {
  if (rep_ == nullptr || rep_->exporter == nullptr) return;
  rep_->record.end_unix_ns = std::max(UnixNs(), rep_->record.start_unix_ns);
  (*rep_->exporter)(std::move(rep_->record));
}

void Span::SetAttribute(std::string_view name, std::string_view value) {
  if (recording()) rep_->record.attributes.emplace_back(name, value);
}

void Span::SetError(std::string_view message) {
  if (recording()) rep_->record.error = message.empty() ? std::string_view("error") : message;
}

bool Span::recording() const { return rep_ != nullptr && rep_->exporter != nullptr; }

const SpanContext& Span::context() const {
  static const SpanContext kNone;
  return rep_ == nullptr ? kNone : rep_->record.context;
}

Tracer::Tracer() = default;
Tracer::Tracer(Options options) : rep_(options.exporter ? std::make_shared<Rep>(Rep{std::move(options)}) : nullptr) {}
Tracer::~Tracer() = default;

Span Tracer::Start(std::string_view name, const SpanContext& parent, SpanRecord::Kind kind, bool force) {
  Span span;
  if (rep_ == nullptr) {
    if (!parent.valid()) return span;
    span.rep_ = std::make_unique<Span::Rep>();
    span.rep_->record.context = parent;
    return span;
  }
  span.rep_ = std::make_unique<Span::Rep>();
  SpanRecord& record = span.rep_->record;
  if (parent.valid()) {
    record.context.trace_id = parent.trace_id;
    record.parent_id = parent.span_id;
  } else {
    FillRandom(record.context.trace_id);
  }
  FillRandom(record.context.span_id);
  record.context.sampled = force || (parent.valid() && rep_->options.parent_based
                                         ? parent.sampled
                                         : SampledByRatio(record.context.trace_id, rep_->options.ratio));
  if (!record.context.sampled) return span;
  record.name = name;
  record.kind = kind;
  record.start_unix_ns = UnixNs();
  span.rep_->exporter = std::shared_ptr<const SpanExporter>(rep_, &rep_->options.exporter);
  return span;
}

}  // namespace gauntlet::telemetry
