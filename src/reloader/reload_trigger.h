// ReloadTrigger: telling a server to read its files again, and learning whether it took them.
//
// Upstream: thanos pkg/reloader (HTTPReloader, PIDReloader, tracker.go)
// Threads:  one thread at a time.

#pragma once

#include <sys/types.h>

#include <functional>
#include <string>

#include "base/cancel.h"
#include "base/clock.h"
#include "base/status.h"

namespace gauntlet::io {
class FileSystem;
}
namespace gauntlet::net {
class HttpClient;
}

namespace gauntlet::reloader {

class ReloadTrigger {
 public:
  virtual ~ReloadTrigger() = default;
  // Ok once the server runs with what its files say now; an error that says why not.
  virtual Status Reload(const Cancel& cancel) = 0;
  virtual std::string method() const = 0;  // "http", "signal"
};

// POST to <base>/-/reload.
class HttpTrigger : public ReloadTrigger {
 public:
  // `base_url` without a trailing slash. `client` is borrowed.
  HttpTrigger(std::string base_url, net::HttpClient& client) : base_url_(std::move(base_url)), client_(client) {}
  Status Reload(const Cancel& cancel) override;
  std::string method() const override { return "http"; }

 private:
  const std::string base_url_;
  net::HttpClient& client_;
};

// SIGHUP to the process of a name; /api/v1/status/runtimeinfo says what became of it.
class SignalTrigger : public ReloadTrigger {
 public:
  using Signal = std::function<Status(pid_t)>;
  // Of the processes with that name the one with the lowest id is meant. What is given is borrowed; `signal` sends it.
  SignalTrigger(std::string process_name, std::string base_url, net::HttpClient& client, io::FileSystem& files,
                const Clock& clock, Signal signal = SendHangup);
  Status Reload(const Cancel& cancel) override;
  std::string method() const override { return "signal"; }

  static Status SendHangup(pid_t pid);

 private:
  struct ConfigState {
    bool success = false;
    int64_t loaded_ms = 0;
    std::string loaded;
  };
  Result<ConfigState> Look(const Cancel& cancel) const;

  const std::string process_name_, base_url_;
  net::HttpClient& client_;
  io::FileSystem& files_;
  const Clock& clock_;
  const Signal signal_;
};

// The lowest id of the processes whose executable was started by this name (without its folder), read from /proc;
// kNotFound when there is none.
Result<pid_t> FindProcess(io::FileSystem& files, const std::string& name);

}  // namespace gauntlet::reloader
