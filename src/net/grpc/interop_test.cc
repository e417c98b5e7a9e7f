// Calls between us and other implementations, both ways. The peers are test/interop/grpc-go and test/interop/grpc-js;
// the scripts `run` there build or fetch them and run these tests.

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

#include "base/check.h"
#include "net/grpc/testing/grpc_test.h"
#include "net/testing/certs.h"

namespace gauntlet::net {
namespace {

using std::chrono::milliseconds;
using ::testing::EndsWith;
using ::testing::HasSubstr;

// A process with pipes to its standard input and output, ended with this.
class Process {
 public:
  explicit Process(std::vector<std::string> arguments) {
    std::array<int, 2> in{}, out{};
    GN_CHECK(pipe2(in.data(), O_CLOEXEC) == 0 && pipe2(out.data(), O_CLOEXEC) == 0);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in[0], 0);
    posix_spawn_file_actions_adddup2(&actions, out[1], 1);
    posix_spawn_file_actions_adddup2(&actions, out[1], 2);
    std::vector<char*> argv;
    for (auto& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    GN_CHECK(posix_spawn(&pid_, argv[0], &actions, nullptr, argv.data(), environ) == 0);
    posix_spawn_file_actions_destroy(&actions);
    close(in[0]);
    close(out[1]);
    stdin_ = in[1];
    stdout_ = out[0];
  }
  ~Process() {
    close(stdin_);
    kill(pid_, SIGTERM);
    if (!waited_) waitpid(pid_, nullptr, 0);
    close(stdout_);
  }

  std::string ReadLine() {
    std::string line;
    for (char c; read(stdout_, &c, 1) == 1 && c != '\n';) line.push_back(c);
    return line;
  }
  // Everything it says until its end, and "exit N" if that is not 0.
  std::string ReadAll() {
    std::string text;
    std::array<char, 4096> buffer;
    for (ssize_t n; (n = read(stdout_, buffer.data(), buffer.size())) > 0;) text.append(buffer.data(), n);
    int status = 0;
    waitpid(pid_, &status, 0);
    waited_ = true;
    if (status != 0) text += "exit " + std::to_string(WEXITSTATUS(status));
    return text;
  }

 private:
  pid_t pid_ = 0;
  int stdin_ = -1, stdout_ = -1;
  bool waited_ = false;
};

class InteropTest : public GrpcTest {
 protected:
  // What the peers do to our server, done to them.
  void CheckCalls() {
    for (size_t size : {0, 1, 1000, 100'000, 5 << 20}) {
      auto answer = Unary("/t.Test/Echo", std::string(size, 'e'));
      ASSERT_TRUE(answer.ok()) << answer.status().message();
      EXPECT_EQ(*answer, std::string(size, 'e'));
    }
    auto call = Call("/t.Test/Stream");
    ASSERT_TRUE(call->Write("2000 10000").ok());
    ASSERT_TRUE(call->WritesDone().ok());
    int count = 0;
    for (std::string message; *call->Read(&message);) ++count;
    EXPECT_EQ(count, 2000);
    EXPECT_TRUE(call->Finish().ok());

    call = Call("/t.Test/Sum");
    for (int i = 0; i < 2000; ++i) ASSERT_TRUE(call->Write(std::string(i, 'y')).ok());
    ASSERT_TRUE(call->WritesDone().ok());
    std::string message;
    EXPECT_TRUE(*call->Read(&message));
    EXPECT_EQ(message, "1999000");

    call = Call("/t.Test/Chat");
    for (int i = 0; i < 500; ++i) {
      ASSERT_TRUE(call->Write(std::to_string(i)).ok());
      ASSERT_TRUE(*call->Read(&message));
      ASSERT_EQ(message, std::to_string(i));
    }
  }

  // Starts the peer as a server, and a channel to it.
  void StartPeer(const std::vector<std::string>& command) {
    process_ = std::make_unique<Process>(command);
    address_ = "127.0.0.1:" + process_->ReadLine();
    options_.addresses = {address_};
    StartChannel();
  }

  std::unique_ptr<Process> process_;
};

class GrpcInteropTest : public InteropTest {
 protected:
  void SetUp() override {
    const char* peer = std::getenv("GAUNTLET_GRPC_GO_PEER");
    if (peer == nullptr) GTEST_SKIP() << "no grpc-go peer: test/interop/grpc-go/run builds one and runs this";
    peer_ = peer;
    methods_["/t.Test/Meta"] = [](GrpcServerCall& call) -> GrpcStatus {
      std::string text = call.metadata().find("thanos-tenant")->second + "|[\"";
      for (unsigned char c : call.metadata().find("trace-bin")->second) {
        constexpr const char* kHex = "0123456789abcdef";
        text += {'\\', 'x', kHex[c >> 4], kHex[c & 15]};
      }
      return call.Write(text + "\"]");
    };
  }

  // Makes certificates for both sides.
  void UseTls() {
    TestCertFiles server = authority_.Issue(dir_, "server", "server", {"DNS:localhost", "IP:127.0.0.1"});
    client_files_ = authority_.Issue(dir_, "client", "client", {});
    authority_.WriteCaFile(dir_ / "ca.crt");
    server_tls_.cert_file = server.cert;
    server_tls_.key_file = server.key;
    server_tls_.client_ca_file = dir_ / "ca.crt";
    server_tls_.min_version = TlsVersion::k13;
    server_options_.tls = [this]() -> Result<std::optional<TlsServerOptions>> { return std::optional(server_tls_); };
    options_.tls.emplace();
    options_.tls->ca_file = dir_ / "ca.crt";
    options_.tls->cert_file = client_files_.cert;
    options_.tls->key_file = client_files_.key;
  }

  void StartGo(std::vector<std::string> flags) {
    flags.insert(flags.begin(), peer_);
    flags.emplace_back("serve");
    StartPeer(flags);
  }

  std::string peer_;
  TestDir dir_;
  TestAuthority authority_{"test authority"};
  TestCertFiles client_files_;
  TlsServerOptions server_tls_;
};

TEST_F(GrpcInteropTest, GoClientAgainstOurServer) {
  StartServer();
  EXPECT_EQ(Process({peer_, "check", address_}).ReadAll(), "ok\n");
}

TEST_F(GrpcInteropTest, GoClientAgainstOurServerWithMutualTls) {
  UseTls();
  StartServer();
  EXPECT_EQ(Process({peer_, "-ca", dir_ / "ca.crt", "-cert", client_files_.cert, "-key", client_files_.key, "check",
                     address_})
                .ReadAll(),
            "ok\n");
  EXPECT_THAT(Process({peer_, "-ca", dir_ / "ca.crt", "check", address_}).ReadAll(), HasSubstr("exit"));
}

TEST_F(GrpcInteropTest, OurClientAgainstGoServer) {
  StartGo({});
  CheckCalls();
  EXPECT_EQ(*channel_->Unary("/t.Test/Meta", "", {{"THANOS-Tenant", "a"}, {"trace-bin", std::string("\0\xff", 2)}},
                             Deadline()),
            "a|[\"\\x00\\xff\"]");
  auto call = Call("/t.Test/Fail");
  std::string message;
  EXPECT_FALSE(*call->Read(&message));
  GrpcStatus status = call->Finish();
  EXPECT_EQ(status.code, GrpcCode::kAborted);
  EXPECT_EQ(status.message, "partial: 50% of \xc3\xa9\n");
  CancelSource source(Cancel(), milliseconds(30));
  EXPECT_EQ(channel_->Unary("/t.Test/Wait", "", {}, source.cancel()).status().code(), Code::kDeadline);
}

TEST_F(GrpcInteropTest, OurClientAgainstGoServerCompressed) {
  for (auto compression : {GrpcCompression::kGzip, GrpcCompression::kSnappy}) {
    options_.compression = compression;
    StartGo({});
    CheckCalls();
  }
}

TEST_F(GrpcInteropTest, OurClientAgainstGoServerWithMutualTls) {
  UseTls();
  StartGo({"-cert", server_tls_.cert_file, "-key", server_tls_.key_file, "-ca", dir_ / "ca.crt"});
  CheckCalls();
}

TEST_F(GrpcInteropTest, CallsSurviveGoServersThatEndOldConnections) {
  StartGo({"-max-age", "20ms"});
  for (int i = 0; i < 2000; ++i) {
    auto answer = Unary("/t.Test/Echo", "x");
    ASSERT_TRUE(answer.ok()) << i << ": " << answer.status().message();
  }
}

class GrpcJsInteropTest : public InteropTest {
 protected:
  void SetUp() override {
    const char* peer = std::getenv("GAUNTLET_GRPC_JS_PEER");
    if (peer == nullptr) GTEST_SKIP() << "no grpc-js peer: test/interop/grpc-js/run fetches it and runs this";
    command_ = {"/usr/bin/env", "node", peer};
  }

  std::vector<std::string> command_;
};

TEST_F(GrpcJsInteropTest, JsClientAgainstOurServer) {
  StartServer();
  command_.insert(command_.end(), {"check", address_});
  EXPECT_EQ(Process(command_).ReadAll(), "ok\n");
}

TEST_F(GrpcJsInteropTest, OurClientAgainstJsServer) {
  command_.emplace_back("serve");
  StartPeer(command_);
  CheckCalls();
  options_.compression = GrpcCompression::kGzip;
  StartChannel();
  CheckCalls();
}

}  // namespace
}  // namespace gauntlet::net
