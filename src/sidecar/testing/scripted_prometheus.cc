#include "sidecar/testing/scripted_prometheus.h"

#include "base/check.h"
#include "wire/chunked_read.h"

namespace gauntlet::sidecar {

ScriptedPrometheus::ScriptedPrometheus() : executor_(std::make_unique<ThreadPool>("scripted", 16)) {
  auto handler = [this](const net::HttpRequest& request, const Cancel&, net::HttpReply& reply) {
    Answer answer;
    {
      MutexLock lock(mutex_);
      last_[request.path] = request.body.empty() ? request.query : request.body;
      ++counts_[request.path];
      auto at = answers_.find(request.path);
      answer = at == answers_.end() ? Answer{404, "text/plain", "404 page not found"} : at->second;
    }
    reply.SetStatus(answer.status);
    reply.headers().Set("Content-Type", answer.content_type);
    static_cast<void>(reply.Write(answer.body));
  };
  auto server = net::HttpServer::Start({}, handler, *executor_);
  GN_CHECK(server.ok());
  server_ = *std::move(server);
  auto client = net::HttpClient::Make({});
  GN_CHECK(client.ok());
  client_ = *std::move(client);
  api_ = std::make_unique<PrometheusApi>("http://127.0.0.1:" + std::to_string(server_->port()), *client_);
  SetData("/api/v1/status/buildinfo", R"({"version":"2.42.0"})");
  SetData("/api/v1/status/config", R"({"yaml":"global:\n  external_labels:\n    cluster: eu\n    replica: a\n"})");
  Set("/metrics", {200, "text/plain", "# TYPE x gauge\nprometheus_tsdb_lowest_timestamp_seconds 1\nother 2\n"});
  SetData("/api/v1/labels", R"(["__name__","job"])");
}

ScriptedPrometheus::~ScriptedPrometheus() { Stop(); }

void ScriptedPrometheus::Stop() {
  if (server_) server_->Shutdown(std::chrono::milliseconds(0));
  server_.reset();
}

void ScriptedPrometheus::Set(const std::string& path, Answer answer) {
  MutexLock lock(mutex_);
  answers_[path] = std::move(answer);
}

void ScriptedPrometheus::SetData(const std::string& path, const std::string& data) {
  Set(path, {200, "application/json", R"({"status":"success","data":)" + data + "}"});
}

void ScriptedPrometheus::SetFrames(const std::vector<std::string>& messages) {
  std::string body;
  for (const std::string& message : messages) wire::AppendChunkedFrame(body, message);
  Set("/api/v1/read", {200, "application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse", std::move(body)});
}

std::string ScriptedPrometheus::LastRequest(const std::string& path) {
  MutexLock lock(mutex_);
  return last_[path];
}

int ScriptedPrometheus::requests(const std::string& path) {
  MutexLock lock(mutex_);
  return counts_[path];
}

}  // namespace gauntlet::sidecar
