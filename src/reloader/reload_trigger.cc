#include "reloader/reload_trigger.h"

#include <signal.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <limits>
#include <optional>
#include <utility>

#include "base/sleep.h"
#include "io/errno_status.h"
#include "io/file_system.h"
#include "io/path.h"
#include "json/reader.h"
#include "model/time.h"
#include "net/http/client.h"

namespace gauntlet::reloader {
namespace {

using std::chrono::milliseconds;

constexpr size_t kBodyShown = 500;
constexpr size_t kCommBytes = 15;  // of a process' name in /proc
constexpr milliseconds kFirstLook{50}, kLookMax{1000};

// Why an answer was not 200: Prometheus writes what it does not like about its files into the body.
std::string Refusal(const net::HttpAnswer& answer) {
  std::string text = "received non-200 response: " + std::to_string(answer.status);
  std::string body = answer.body.substr(0, kBodyShown);
  while (!body.empty() && (body.back() == '\n' || body.back() == ' ')) body.pop_back();
  if (!body.empty()) text += ": " + body;
  if (answer.status == 403 || answer.status == 404 || answer.status == 405) {
    text += "; have you set `--web.enable-lifecycle` Prometheus flag?";
  }
  return text;
}

std::optional<pid_t> ToPid(const std::string& text) {
  pid_t pid = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), pid);
  if (error != std::errc() || end != text.data() + text.size() || pid <= 0) return std::nullopt;
  return pid;
}

bool HasName(io::FileSystem& files, pid_t pid, const std::string& name) {
  const std::string folder = "/proc/" + std::to_string(pid);
  Result<std::string> comm = files.ReadFile(folder + "/comm");
  if (!comm.ok()) return false;
  if (comm->ends_with('\n')) comm->pop_back();
  if (*comm == name) return true;
  if (name.size() <= kCommBytes || *comm != name.substr(0, kCommBytes)) return false;
  Result<std::string> command = files.ReadFile(folder + "/cmdline");
  return command.ok() && io::BaseName(std::string_view(*command).substr(0, command->find('\0'))) == name;
}

}  // namespace

Status HttpTrigger::Reload(const Cancel& cancel) {
  net::HttpCall call;
  call.method = "POST";
  call.url = base_url_ + "/-/reload";
  GN_ASSIGN(net::HttpAnswer answer, client_.Do(call, cancel));
  return answer.status == 200 ? Status() : Status(Code::kUnavailable, Refusal(answer));
}

SignalTrigger::SignalTrigger(std::string process_name, std::string base_url, net::HttpClient& client,
                             io::FileSystem& files, const Clock& clock, Signal signal)
    : process_name_(std::move(process_name)),
      base_url_(std::move(base_url)),
      client_(client),
      files_(files),
      clock_(clock),
      signal_(std::move(signal)) {}

Status SignalTrigger::SendHangup(pid_t pid) {
  return kill(pid, SIGHUP) == 0 ? Status() : io::ErrnoStatus("send SIGHUP to process", std::to_string(pid));
}

Result<SignalTrigger::ConfigState> SignalTrigger::Look(const Cancel& cancel) const {
  net::HttpCall call;
  call.url = base_url_ + "/api/v1/status/runtimeinfo";
  GN_ASSIGN(net::HttpAnswer answer, client_.Do(call, cancel));
  if (answer.status != 200) return Status(Code::kUnavailable, "ask for the state: " + Refusal(answer));
  GN_ASSIGN(json::Document document, json::Document::Parse(answer.body));
  json::Value data = document.root().Get("data");
  std::optional<bool> success = data.Get("reloadConfigSuccess").Bool();
  std::optional<std::string_view> loaded = data.Get("lastConfigTime").String();
  if (!success || !loaded) return Status(Code::kUnavailable, "the answer lacks reloadConfigSuccess or lastConfigTime");
  GN_ASSIGN(int64_t loaded_ms, ParseRfc3339(*loaded));
  return ConfigState{*success, loaded_ms, std::string(*loaded)};
}

Status SignalTrigger::Reload(const Cancel& cancel) {
  GN_ASSIGN(ConfigState before, Look(cancel));
  // Prometheus tells when it loaded its files in whole seconds: a reload in the same second could not be told from
  // none.
  if (int64_t left = before.loaded_ms + 1000 - clock_.NowMs(); left > 0 && left <= 1000) {
    if (!SleepFor(milliseconds(left), cancel)) return cancel.status();
  }
  GN_ASSIGN(pid_t pid, FindProcess(files_, process_name_));
  GN_TRY(signal_(pid));
  for (milliseconds wait = kFirstLook;; wait = std::min(2 * wait, kLookMax)) {
    GN_ASSIGN(ConfigState after, Look(cancel));
    if (after.success && after.loaded_ms > before.loaded_ms) return Status();
    // Whether a second bad version was refused, too, cannot be seen: that ends with the cancel.
    if (before.success && !after.success) return {Code::kUnavailable, "configuration reload has failed"};
    if (!SleepFor(wait, cancel)) {
      return {Code::kDeadline,
              "configuration was not reloaded in time (last successful reload at " + after.loaded + ")"};
    }
  }
}

Result<pid_t> FindProcess(io::FileSystem& files, const std::string& name) {
  GN_ASSIGN(std::vector<io::FileInfo> entries, files.List("/proc"));
  pid_t found = std::numeric_limits<pid_t>::max();
  for (const io::FileInfo& entry : entries) {
    std::optional<pid_t> pid = ToPid(entry.name);
    if (pid && *pid < found && HasName(files, *pid, name)) found = *pid;
  }
  if (found == std::numeric_limits<pid_t>::max())
    return Status(Code::kNotFound, "no process is called \"" + name + '"');
  return found;
}

}  // namespace gauntlet::reloader
