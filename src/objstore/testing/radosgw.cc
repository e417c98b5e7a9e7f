#include "objstore/testing/radosgw.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

#include "base/check.h"
#include "base/clock.h"
#include "net/http/client.h"
#include "objstore/s3/sign_v4.h"

extern char** environ;

namespace gauntlet::objstore {
namespace {

// Upward from the working directory.
std::string FindScript() {
  std::string dir;
  for (int i = 0; i < 8; ++i) {
    std::string path = dir + "test/s3/radosgw.py";
    if (access(path.c_str(), R_OK) == 0) return path;
    dir += "../";
  }
  return "";
}

}  // namespace

Radosgw::Radosgw() {
  std::string script = FindScript();
  if (script.empty()) {
    why_ = "test/s3/radosgw.py is not above the working directory";
    return;
  }
  int to[2], from[2];
  GN_CHECK(pipe2(to, O_CLOEXEC) == 0 && pipe2(from, O_CLOEXEC) == 0);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, to[0], 0);
  posix_spawn_file_actions_adddup2(&actions, from[1], 1);
  const char* arguments[] = {"python3", script.c_str(), nullptr};
  int error = posix_spawnp(&pid_, "python3", &actions, nullptr, const_cast<char**>(arguments), environ);
  posix_spawn_file_actions_destroy(&actions);
  close(to[0]);
  close(from[1]);
  stdin_ = to[1];
  if (error != 0) {
    pid_ = 0;
    why_ = "python3 does not start";
    return;
  }
  std::string line;
  char c = 0;
  while (read(from[0], &c, 1) == 1 && c != '\n') line += c;
  close(from[0]);
  if (line.starts_with("ready ")) {
    port_ = std::atoi(line.c_str() + 6);
  } else {
    why_ = line.starts_with("absent ") ? line.substr(7) : "radosgw did not start: " + line;
  }
}

Radosgw::~Radosgw() {
  if (stdin_ >= 0) close(stdin_);
  if (pid_ > 0) waitpid(pid_, nullptr, 0);
}

Radosgw& Radosgw::Only() {
  static Radosgw server;
  return server;
}

Radosgw* Radosgw::Get() { return Only().port_ > 0 ? &Only() : nullptr; }
const std::string& Radosgw::why() { return Only().why_; }

std::string Radosgw::MakeBucketName() {
  std::string name = "bucket-" + std::to_string(++buckets_);
  Request request;
  request.method = "PUT";
  request.tls = false;
  request.host = "127.0.0.1:" + std::to_string(port_);
  request.path = "/" + name;
  SignV4Options options;
  options.region = "us-east-1";
  options.now_ms = SystemClock().NowMs();
  SignV4({"testkey", "testsecret", ""}, options, &request);
  auto client = net::HttpClient::Make({});
  auto answer = (*client)->Do({.method = "PUT", .url = request.Url(), .headers = request.headers}, Cancel());
  GN_CHECK(answer.ok() && answer->status == 200);
  return name;
}

std::string Radosgw::Yaml(const std::string& bucket, const std::string& more, int port) const {
  return "type: S3\nconfig:\n  bucket: " + bucket +
         "\n  endpoint: 127.0.0.1:" + std::to_string(port > 0 ? port : port_) +
         "\n  access_key: testkey\n  secret_key: testsecret\n  insecure: true\n" + more;
}

}  // namespace gauntlet::objstore
