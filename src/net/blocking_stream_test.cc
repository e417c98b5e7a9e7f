#include "net/blocking_stream.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <thread>

#include "net/socket.h"
#include "net/testing/certs.h"
#include "net/tls_context.h"

namespace gauntlet::net {
namespace {

// Listens, and gives each connection in turn.
class Peer {
 public:
  Peer() : listener_(*ListenTcp("127.0.0.1:0")) { std::signal(SIGPIPE, SIG_IGN); }
  ~Peer() { close(listener_); }
  std::string address() const { return "127.0.0.1:" + std::to_string(LocalPort(listener_)); }
  int Accept() const {
    pollfd polled{listener_, POLLIN, 0};
    poll(&polled, 1, 20'000);
    int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    EXPECT_GE(fd, 0);
    return fd;
  }

 private:
  int listener_;
};

TEST(BlockingStream, WritesAndReads) {
  Peer peer;
  auto stream = BlockingStream::Connect(peer.address(), nullptr, Cancel());
  ASSERT_TRUE(stream.ok()) << stream.status().message();
  int fd = peer.Accept();
  std::string sent(4 << 20, 'x'), got;
  std::thread reader([&] {
    char buffer[65536];
    while (got.size() < sent.size()) got.append(buffer, static_cast<size_t>(read(fd, buffer, sizeof(buffer))));
    ASSERT_EQ(write(fd, "thanks", 6), 6);
  });
  EXPECT_TRUE((*stream)->Write(sent, Cancel()).ok());
  char answer[16];
  auto n = (*stream)->Read(answer, sizeof(answer), Cancel());
  reader.join();
  ASSERT_TRUE(n.ok());
  EXPECT_EQ(std::string(answer, *n), "thanks");
  EXPECT_EQ(got, sent);
  EXPECT_FALSE((*stream)->HasInput());
  close(fd);
  EXPECT_EQ((*stream)->Read(answer, sizeof(answer), Cancel()).status().message(), "connection closed");
  EXPECT_TRUE((*stream)->HasInput());
}

TEST(BlockingStream, AReadEndsWithItsDeadlineAndWithItsCancel) {
  Peer peer;
  char byte;
  auto one = BlockingStream::Connect(peer.address(), nullptr, Cancel());
  ASSERT_TRUE(one.ok());
  CancelSource deadline(Cancel(), std::chrono::milliseconds(10));
  EXPECT_EQ((*one)->Read(&byte, 1, deadline.cancel()).status().code(), Code::kDeadline);
  auto two = BlockingStream::Connect(peer.address(), nullptr, Cancel());
  ASSERT_TRUE(two.ok());
  CancelSource source;
  std::thread stopper([&] { source.Stop(); });
  EXPECT_EQ((*two)->Read(&byte, 1, source.cancel()).status().code(), Code::kCancelled);
  stopper.join();
}

TEST(BlockingStream, NobodyThereSaysWhoWasCalled) {
  std::string address;
  {
    address = Peer().address();
  }
  auto stream = BlockingStream::Connect(address, nullptr, Cancel());
  ASSERT_FALSE(stream.ok());
  EXPECT_EQ(stream.status().code(), Code::kUnavailable);
  EXPECT_NE(stream.status().message().find("connect " + address), std::string::npos) << stream.status().message();
  CancelSource source;
  source.Stop();
  EXPECT_EQ(BlockingStream::Connect(address, nullptr, source.cancel()).status().code(), Code::kCancelled);
  EXPECT_FALSE(BlockingStream::Connect("/nowhere/at-all.sock", nullptr, Cancel()).ok());
}

TEST(BlockingStream, SpeaksTlsAndVerifiesThePeer) {
  TestDir dir;
  TestAuthority authority("ours"), another("another");
  authority.WriteCaFile(dir / "ca.crt");
  another.WriteCaFile(dir / "other.crt");
  TestCertFiles files = authority.Issue(dir, "server", "server", {"IP:127.0.0.1"});
  TlsServerOptions options;
  options.cert_file = files.cert;
  options.key_file = files.key;
  auto context = MakeTlsServerContext(options, {});
  ASSERT_TRUE(context.ok());
  Peer peer;
  std::thread server([&] {
    for (int i = 0; i < 2; ++i) {
      int fd = peer.Accept();
      StreamSocket socket(fd);
      socket.UseTls(*context);
      if (socket.Handshake() == StreamSocket::Outcome::kDone) {
        char buffer[16];
        size_t got = 0, wrote = 0;
        if (socket.Read(buffer, sizeof(buffer), &got) == StreamSocket::Outcome::kDone)
          (void)socket.Write(std::string_view(buffer, got), &wrote);
      }
      close(fd);
    }
  });
  TlsClientOptions tls;
  tls.ca_file = dir / "ca.crt";
  auto stream = BlockingStream::Connect(peer.address(), &tls, Cancel());
  EXPECT_TRUE(stream.ok()) << stream.status().message();
  if (stream.ok()) {
    EXPECT_TRUE((*stream)->Write("echo", Cancel()).ok());
    char answer[16];
    auto n = (*stream)->Read(answer, sizeof(answer), Cancel());
    EXPECT_TRUE(n.ok());
    if (n.ok()) EXPECT_EQ(std::string(answer, *n), "echo");
  }
  tls.ca_file = dir / "other.crt";
  EXPECT_FALSE(BlockingStream::Connect(peer.address(), &tls, Cancel()).ok());
  server.join();
}

}  // namespace
}  // namespace gauntlet::net
