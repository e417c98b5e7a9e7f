#include "reloader/reload_trigger.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <deque>

#include "io/fake_file_system.h"
#include "net/http/client.h"

namespace gauntlet::reloader {
namespace {

// Answers as it is told, one after the other; the last answer stays.
class ScriptedClient : public net::HttpClient {
 public:
  void Then(int status, std::string body) { answers_.push_back({status, {}, std::move(body)}); }
  Result<net::HttpAnswer> Do(const net::HttpCall& call, const Cancel& cancel, size_t) override {
    calls.push_back(call.method + " " + call.url);
    if (cancel.stopped()) return cancel.status();
    if (answers_.empty()) return Status(Code::kUnavailable, "connection refused");
    net::HttpAnswer answer = answers_.front();
    if (answers_.size() > 1) answers_.pop_front();
    return answer;
  }
  Status Stream(const net::HttpCall&, const Cancel&, const std::function<Status(const net::HttpAnswer&)>&,
                const std::function<Status(std::string_view)>&) override {
    return {Code::kUnsupported, "not scripted"};
  }
  std::vector<std::string> calls;

 private:
  std::deque<net::HttpAnswer> answers_;
};

TEST(HttpTrigger, PostsAndTakesOnly200) {
  ScriptedClient client;
  HttpTrigger trigger("http://p:9090/prefix", client);
  EXPECT_EQ(trigger.Reload(Cancel()).code(), Code::kUnavailable);
  client.Then(200, "");
  EXPECT_TRUE(trigger.Reload(Cancel()).ok());
  EXPECT_EQ(client.calls.back(), "POST http://p:9090/prefix/-/reload");
}

TEST(HttpTrigger, SaysWhatTheServerSays) {
  ScriptedClient client;
  HttpTrigger trigger("http://p", client);
  client.Then(500, "failed to reload config: line 3\n");
  client.Then(403, "Lifecycle API is not enabled.");
  EXPECT_EQ(trigger.Reload(Cancel()).message(), "received non-200 response: 500: failed to reload config: line 3");
  EXPECT_EQ(trigger.Reload(Cancel()).message(),
            "received non-200 response: 403: Lifecycle API is not enabled.; have you set `--web.enable-lifecycle` "
            "Prometheus flag?");
}

std::string State(bool success, const std::string& time) {
  return R"({"status":"success","data":{"reloadConfigSuccess":)" + std::string(success ? "true" : "false") +
         R"(,"lastConfigTime":")" + time + "\"}}";
}

class SignalTriggerTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(files_.MakeDirectories("/proc/self").ok());
    Process(30, "prometheus");
    Process(200, "prometheus");
    Process(4, "prometheus-old");
  }
  void Process(int pid, const std::string& name) {
    const std::string folder = "/proc/" + std::to_string(pid);
    ASSERT_TRUE(files_.MakeDirectories(folder).ok());
    ASSERT_TRUE(files_.WriteAtomically(folder + "/comm", name.substr(0, 15) + "\n").ok());
    ASSERT_TRUE(files_.WriteAtomically(folder + "/cmdline", "/bin/" + name + std::string("\0--flag", 7)).ok());
  }
  Status Reload(const Cancel& cancel = Cancel()) {
    return SignalTrigger("prometheus", "http://p", client_, files_, clock_,
                         [this](pid_t pid) {
                           signalled_.push_back(pid);
                           return Status();
                         })
        .Reload(cancel);
  }

  io::FakeFileSystem files_;
  ScriptedClient client_;
  SimulatedClock clock_{1'700'000'100'000};
  std::vector<pid_t> signalled_;
};

TEST_F(SignalTriggerTest, WaitsUntilALaterConfigurationIsLoaded) {
  client_.Then(200, State(true, "2023-11-14T22:13:20Z"));
  client_.Then(200, State(true, "2023-11-14T22:13:20Z"));
  client_.Then(200, State(true, "2023-11-14T22:15:01Z"));
  EXPECT_TRUE(Reload().ok());
  EXPECT_EQ(signalled_, std::vector<pid_t>{30});
  EXPECT_EQ(client_.calls, std::vector<std::string>(3, "GET http://p/api/v1/status/runtimeinfo"));
}

TEST_F(SignalTriggerTest, ARefusedConfigurationIsAnError) {
  client_.Then(200, State(true, "2023-11-14T22:13:20Z"));
  client_.Then(200, State(false, "2023-11-14T22:13:20Z"));
  EXPECT_EQ(Reload().message(), "configuration reload has failed");
}

TEST_F(SignalTriggerTest, NoAnswerMeansNoSignal) {
  EXPECT_EQ(Reload().code(), Code::kUnavailable);
  client_.Then(200, "{}");
  EXPECT_EQ(Reload().code(), Code::kUnavailable);
  EXPECT_TRUE(signalled_.empty());
}

TEST_F(SignalTriggerTest, ASecondRefusalEndsWithTheCancel) {
  client_.Then(200, State(false, "2023-11-14T22:13:20Z"));
  CancelSource source(Cancel(), std::chrono::milliseconds(100));
  EXPECT_FALSE(Reload(source.cancel()).ok());
  EXPECT_EQ(signalled_.size(), 1u);
}

TEST_F(SignalTriggerTest, LongNamesAreComparedWhole) {
  Process(77, "prometheus-of-team-a");
  Process(78, "prometheus-of-team-b");
  EXPECT_EQ(*FindProcess(files_, "prometheus-of-team-b"), 78);
  EXPECT_EQ(*FindProcess(files_, "prometheus-old"), 4);
  EXPECT_EQ(FindProcess(files_, "prom").status().code(), Code::kNotFound);
}

TEST(FindProcess, FindsThisOne) {
  auto comm = io::RealFileSystem().ReadFile("/proc/self/comm");
  ASSERT_TRUE(comm.ok());
  comm->pop_back();
  auto found = FindProcess(io::RealFileSystem(), *comm);
  ASSERT_TRUE(found.ok());
  EXPECT_LE(*found, getpid());
}

}  // namespace
}  // namespace gauntlet::reloader
