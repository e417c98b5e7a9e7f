#include "sidecar/testing/real_prometheus.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <iterator>
#include <thread>
#include <vector>

#include "base/check.h"
#include "net/http/client.h"

namespace gauntlet::sidecar {
namespace {

namespace fs = std::filesystem;
using std::chrono::steady_clock;

constexpr std::chrono::seconds kStartMax{60};

std::string Find(const char* program) {
  for (const char* folder : {"/usr/bin/", "/usr/local/bin/"}) {
    if (fs::exists(std::string(folder) + program)) return std::string(folder) + program;
  }
  return "";
}

// Standard output and error go to the file.
pid_t Spawn(std::vector<std::string> arguments, const fs::path& output) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 1, output.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  posix_spawn_file_actions_adddup2(&actions, 1, 2);
  std::vector<char*> argv;
  for (auto& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  pid_t pid = -1;
  if (posix_spawn(&pid, argv[0], &actions, nullptr, argv.data(), environ) != 0) pid = -1;
  posix_spawn_file_actions_destroy(&actions);
  return pid;
}

std::string Read(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// The port it says it listens on; "" while it has not.
std::string PortIn(const std::string& log) {
  size_t at = log.find("msg=\"Listening on\"");
  if (at == std::string::npos) return "";
  size_t end = log.find('\n', at);
  if (end == std::string::npos) return "";
  std::string line = log.substr(at, end - at);
  return line.substr(line.rfind(':') + 1);
}

}  // namespace

std::string RealPrometheus::Missing() {
  for (const char* program : {"prometheus", "promtool"}) {
    if (Find(program).empty()) return std::string(program) + " is not installed";
  }
  return "";
}

RealPrometheus::RealPrometheus() {
  std::string pattern = (fs::temp_directory_path() / "real-prometheus-XXXXXX").string();
  GN_CHECK(mkdtemp(pattern.data()) != nullptr);
  folder_ = pattern;
  data_ = folder_ / "data";
  fs::create_directory(data_);
}

RealPrometheus::~RealPrometheus() {
  if (pid_ > 0) {
    kill(pid_, SIGKILL);  // nothing of it is to be kept
    waitpid(pid_, nullptr, 0);
  }
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

Status RealPrometheus::AddBlocks(const std::string& open_metrics) {
  fs::path input = folder_ / "input.om", output = folder_ / "promtool.log";
  std::ofstream(input, std::ios::binary) << open_metrics << "# EOF\n";
  pid_t pid = Spawn({Find("promtool"), "tsdb", "create-blocks-from", "openmetrics", "--quiet", input, data_}, output);
  int status = 0;
  if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0)
    return Status(Code::kInvalid, "promtool makes blocks: " + Read(output));
  return Status();
}

Status RealPrometheus::Start(LabelsView external_labels, const std::vector<std::string>& flags,
                             const std::string& more_config) {
  fs::path config = folder_ / "prometheus.yml", log = folder_ / "prometheus.log";
  std::ofstream out(config);
  out << "global:\n  external_labels:\n";
  for (const Label& label : external_labels) out << "    " << label.name << ": '" << label.value << "'\n";
  out << more_config;
  out.close();
  std::vector<std::string> arguments = {Find("prometheus"),
                                        "--config.file=" + config.string(),
                                        "--storage.tsdb.path=" + data_.string(),
                                        "--web.listen-address=127.0.0.1:0",
                                        "--storage.tsdb.retention.time=100y",
                                        "--storage.tsdb.min-block-duration=2h",
                                        "--storage.tsdb.max-block-duration=2h",
                                        "--enable-feature=native-histograms"};
  arguments.insert(arguments.end(), flags.begin(), flags.end());
  pid_ = Spawn(arguments, log);
  if (pid_ < 0) return Status(Code::kUnavailable, "start prometheus");
  GN_ASSIGN(auto client, net::HttpClient::Make({}));
  for (auto end = steady_clock::now() + kStartMax; steady_clock::now() < end;) {
    if (std::string port = PortIn(Read(log)); !port.empty()) {
      url_ = "http://127.0.0.1:" + port;
      net::HttpCall call;
      call.url = url_ + "/-/ready";
      auto answer = client->Do(call, Cancel());
      if (answer.ok() && answer->status == 200) return Status();
    }
    if (waitpid(pid_, nullptr, WNOHANG) == pid_) {
      pid_ = -1;
      break;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return Status(Code::kUnavailable, "prometheus does not answer: " + Read(log));
}

}  // namespace gauntlet::sidecar
