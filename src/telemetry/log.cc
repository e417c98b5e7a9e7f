#include "telemetry/log.h"

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <cstring>
#include <ctime>

#include "base/mutex.h"
#include "base/utf8.h"
#include "model/float_text.h"

namespace gauntlet::telemetry {

LogValue::LogValue(const Status& s) : text_(s.message()) {}

LogValue::LogValue(double v) : text_(FormatFloatG(v)), quoted_(!std::isfinite(v)) {}  // JSON has no NaN

struct Logger::Sink {
  explicit Sink(std::function<void(std::string_view)> w) : write(std::move(w)) {}

  void Write(std::string_view line) GN_EXCLUDES(mutex) {
    if (!write) {
      // One system call a line, so that lines of several threads do not mix; nothing to do when stderr is gone.
      while (!line.empty()) {
        ssize_t n = ::write(STDERR_FILENO, line.data(), line.size());
        if (n < 0 && errno != EINTR) return;
        if (n > 0) line.remove_prefix(static_cast<size_t>(n));
      }
      return;
    }
    MutexLock lock(mutex);
    write(line);
  }

  const std::function<void(std::string_view)> write;
  LogFormat format = LogFormat::kLogfmt;
  std::string name;
  Mutex mutex;
};

namespace {

constexpr std::string_view LevelName(LogLevel level) {
  constexpr std::string_view kNames[] = {"debug", "info", "warn", "error"};
  return kNames[static_cast<size_t>(level)];
}

// RFC 3339 with nanoseconds, without trailing zeros, as Go's RFC3339Nano.
void AppendNow(std::string& out) {
  timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  tm utc;
  gmtime_r(&now.tv_sec, &utc);
  fmt::format_to(std::back_inserter(out), "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", utc.tm_year + 1900, utc.tm_mon + 1,
                 utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec);
  if (now.tv_nsec != 0) {
    std::string fraction = fmt::format(".{:09}", now.tv_nsec);
    out.append(fraction, 0, fraction.find_last_not_of('0') + 1);
  }
  out += 'Z';
}

void AppendQuoted(std::string& out, std::string_view s) {
  out += '"';
  while (!s.empty()) {
    char c = s[0];
    Rune rune = DecodeRune(s);
    if (!rune.valid) {
      out += "\\ufffd";
    } else if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\r') {
      out += "\\r";
    } else if (c == '\t') {
      out += "\\t";
    } else if (static_cast<uint8_t>(c) < 0x20) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned>(c));
    } else {
      out.append(s.substr(0, rune.bytes));
    }
    s.remove_prefix(rune.bytes);
  }
  out += '"';
}

bool NeedsQuotes(std::string_view s) {
  if (s == "null") return true;
  while (!s.empty()) {
    auto c = static_cast<uint8_t>(s[0]);
    Rune rune = DecodeRune(s);
    if (c <= ' ' || c == '=' || c == '"' || rune.value == kReplacementRune) return true;
    s.remove_prefix(rune.bytes);
  }
  return false;
}

class LineWriter {
 public:
  explicit LineWriter(LogFormat format) : json_(format == LogFormat::kJson) {
    line_.reserve(256);
    if (json_) line_ += '{';
  }
  void Field(std::string_view name, std::string_view text, bool quoted = true) {
    if (!first_) line_ += json_ ? ',' : ' ';
    first_ = false;
    if (json_) {
      AppendQuoted(line_, name);
      line_ += ':';
      if (quoted) {
        AppendQuoted(line_, text);
      } else {
        line_ += text;
      }
      return;
    }
    line_.append(name).append("=");
    if (NeedsQuotes(text)) {
      AppendQuoted(line_, text);
    } else {
      line_ += text;
    }
  }
  std::string_view Finish() {
    line_ += json_ ? "}\n" : "\n";
    return line_;
  }

 private:
  const bool json_;
  bool first_ = true;
  std::string line_;
};

}  // namespace

std::optional<LogLevel> ParseLogLevel(std::string_view text) {
  for (LogLevel level : {LogLevel::kDebug, LogLevel::kInfo, LogLevel::kWarn, LogLevel::kError}) {
    if (text == LevelName(level)) return level;
  }
  return std::nullopt;
}

Logger::Logger(Options options) : level_(options.level), sink_(std::make_shared<Sink>(std::move(options.sink))) {
  sink_->format = options.format;
  sink_->name = std::move(options.name);
}

Logger& Logger::Discard() {
  static auto* logger = [] {
    auto* made = new Logger(Options{});
    made->level_ = static_cast<LogLevel>(255);
    return made;
  }();
  return *logger;
}

void Logger::Write(LogLevel level, const char* file, int line, std::string_view msg,
                   std::initializer_list<LogField> fields) const {
  if (!enabled(level)) return;
  const char* base = std::strrchr(file, '/');
  std::string now;
  AppendNow(now);
  LineWriter writer(sink_->format);
  writer.Field("ts", now);
  writer.Field("caller", fmt::format("{}:{}", base == nullptr ? file : base + 1, line));
  writer.Field("level", LevelName(level));
  if (!sink_->name.empty()) writer.Field("name", sink_->name);
  for (const auto& [name, value] : fields_) writer.Field(name, value.text(), value.quoted());
  writer.Field("msg", msg);
  for (const LogField& field : fields) writer.Field(field.name, field.value.text(), field.value.quoted());
  sink_->Write(writer.Finish());
}

Logger Logger::With(std::initializer_list<LogField> fields) const {
  Logger with = *this;
  for (const LogField& field : fields) with.fields_.emplace_back(std::string(field.name), field.value);
  return with;
}

}  // namespace gauntlet::telemetry
