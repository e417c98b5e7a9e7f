// Log: one line per event, in logfmt or JSON, on stderr: ts, caller, level, msg and fields.
//
//   GN_LOG(logger, kWarn, "endpoint went away", {"address", address}, {"err", status});
//
// Threads: Logger is thread-safe; loggers made by With share the sink.

#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/status.h"

namespace gauntlet::telemetry {

enum class LogLevel : uint8_t { kDebug, kInfo, kWarn, kError };
enum class LogFormat : uint8_t { kLogfmt, kJson };

// "debug", "info", "warn", "error".
std::optional<LogLevel> ParseLogLevel(std::string_view text);

// A field's value, rendered at once (never kept).
class LogValue {
 public:
  LogValue(std::string_view s) : text_(s) {}                         // NOLINT: fields are written in braces
  LogValue(const char* s) : text_(s) {}                              // NOLINT
  LogValue(const std::string& s) : text_(s) {}                       // NOLINT
  LogValue(const Status& s);                                         // NOLINT
  LogValue(bool b) : text_(b ? "true" : "false"), quoted_(false) {}  // NOLINT
  LogValue(double v);                                                // NOLINT
  template <std::integral T>
    requires(!std::same_as<T, bool>)
  LogValue(T v) : text_(std::to_string(v)), quoted_(false) {}  // NOLINT
  const std::string& text() const { return text_; }
  bool quoted() const { return quoted_; }  // in JSON: a string

 private:
  std::string text_;
  bool quoted_ = true;
};

struct LogField {
  std::string_view name;
  LogValue value;
};

class Logger {
 public:
  struct Options {
    LogLevel level = LogLevel::kInfo;
    LogFormat format = LogFormat::kLogfmt;
    std::string name;                            // --debug.name: an extra field
    std::function<void(std::string_view)> sink;  // gets whole lines; null = stderr
  };
  explicit Logger(Options options);
  // Discards everything: for tests and optional loggers.
  static Logger& Discard();

  bool enabled(LogLevel level) const { return level >= level_; }
  void Write(LogLevel level, const char* file, int line, std::string_view msg,
             std::initializer_list<LogField> fields) const;
  // A logger whose lines carry these fields as well ("component", "query").
  Logger With(std::initializer_list<LogField> fields) const;

 private:
  struct Sink;
  LogLevel level_;
  std::shared_ptr<Sink> sink_;
  std::vector<std::pair<std::string, LogValue>> fields_;
};

}  // namespace gauntlet::telemetry

#define GN_LOG(logger, level, msg, ...)                                                               \
  do {                                                                                                \
    if ((logger).enabled(::gauntlet::telemetry::LogLevel::level))                                     \
      (logger).Write(::gauntlet::telemetry::LogLevel::level, __FILE__, __LINE__, msg, {__VA_ARGS__}); \
  } while (false)
