// ScriptedPrometheus: an HTTP server for tests that answers as it is told: what a real Prometheus does only when it
// breaks.
//
// Threads: set answers before asking.

#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "base/executor.h"
#include "base/mutex.h"
#include "net/http/client.h"
#include "net/http/server.h"
#include "sidecar/heartbeat.h"
#include "sidecar/prometheus_api.h"

namespace gauntlet::sidecar {

class ScriptedPrometheus {
 public:
  // Starts with what a heartbeat asks for: version 2.42.0, labels cluster=eu and replica=a, data from 1 s on.
  ScriptedPrometheus();
  ~ScriptedPrometheus();

  struct Answer {
    int status = 200;
    std::string content_type = "application/json";
    std::string body;
  };
  void Set(const std::string& path, Answer answer);
  // {"status":"success","data":<data>}
  void SetData(const std::string& path, const std::string& data);
  // A remote-read answer of one frame per message.
  void SetFrames(const std::vector<std::string>& messages);
  // The last request of a path, as "body or query".
  std::string LastRequest(const std::string& path);
  int requests(const std::string& path);
  // Stops answering: connections are refused.
  void Stop();

  PrometheusApi& api() { return *api_; }
  Executor& executor() { return *executor_; }

 private:
  Mutex mutex_;
  std::map<std::string, Answer> answers_ GN_GUARDED_BY(mutex_);
  std::map<std::string, std::string> last_ GN_GUARDED_BY(mutex_);
  std::map<std::string, int> counts_ GN_GUARDED_BY(mutex_);
  std::unique_ptr<ThreadPool> executor_;
  std::unique_ptr<net::HttpServer> server_;
  std::unique_ptr<net::HttpClient> client_;
  std::unique_ptr<PrometheusApi> api_;
};

}  // namespace gauntlet::sidecar
