#include "objstore/testing/fault_proxy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "base/check.h"

namespace gauntlet::objstore {
namespace {

sockaddr_in Loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

void Reset(int fd) {
  linger hard{1, 0};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
  close(fd);
}

bool SendAll(int fd, const char* data, size_t n) {
  while (n > 0) {
    ssize_t sent = send(fd, data, n, MSG_NOSIGNAL);
    if (sent <= 0) return false;
    data += sent;
    n -= static_cast<size_t>(sent);
  }
  return true;
}

// Reads what there is within 10 ms; -1 when there is nothing yet.
ssize_t ReadSome(int fd, char* out, size_t n) {
  pollfd ready{fd, POLLIN, 0};
  if (poll(&ready, 1, 10) != 1) return -1;
  return std::max<ssize_t>(recv(fd, out, n, 0), 0);
}

}  // namespace

FaultProxy::FaultProxy(int server_port) : server_port_(server_port) {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = Loopback(0);
  GN_CHECK(bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 && listen(listener_, 64) == 0);
  socklen_t size = sizeof address;
  getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { Accept(); });
}

FaultProxy::~FaultProxy() {
  over_ = true;
  acceptor_.join();
  close(listener_);
  std::vector<std::thread> threads;
  {
    MutexLock lock(mutex_);
    threads.swap(threads_);
  }
  for (std::thread& thread : threads) thread.join();
}

void FaultProxy::SetPlan(Plan plan) {
  MutexLock lock(mutex_);
  plan_ = std::move(plan);
}

void FaultProxy::Accept() {
  while (!over_) {
    pollfd ready{listener_, POLLIN, 0};
    if (poll(&ready, 1, 10) != 1) continue;
    int client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0) continue;
    int number = connections_++;
    MutexLock lock(mutex_);
    threads_.emplace_back([this, client, number] { Serve(client, number); });
  }
}

void FaultProxy::Serve(int client, int number) {
  Plan plan;
  {
    MutexLock lock(mutex_);
    plan = plan_;
  }
  std::string head;
  char buffer[64 << 10];
  while (!over_ && head.find("\r\n\r\n") == std::string::npos) {
    ssize_t n = ReadSome(client, buffer, sizeof buffer);
    if (n == 0) break;
    if (n > 0) head.append(buffer, static_cast<size_t>(n));
  }
  Fault fault = plan ? plan(number, head) : Fault();
  for (auto end = std::chrono::steady_clock::now() + fault.delay; !over_ && std::chrono::steady_clock::now() < end;) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  while (!over_ && fault.hang) {
    if (ReadSome(client, buffer, sizeof buffer) == 0) break;
  }
  if (over_ || fault.reset_at_once || head.empty() || fault.hang) return Reset(client);
  if (fault.status > 0) {
    std::string answer = "HTTP/1.1 " + std::to_string(fault.status) +
                         " Fault\r\nContent-Length: " + std::to_string(fault.body.size()) +
                         "\r\nConnection: close\r\n\r\n" + fault.body;
    SendAll(client, answer.data(), answer.size());
    shutdown(client, SHUT_WR);
    while (!over_ && ReadSome(client, buffer, sizeof buffer) != 0) {
    }
    close(client);
    return;
  }
  int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = Loopback(server_port_);
  if (connect(server, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    close(server);
    return Reset(client);
  }
  // One request for a connection: the server is asked to close after its answer.
  size_t line_end = head.find("\r\n");
  head.insert(line_end + 2, "Connection: close\r\n");
  SendAll(server, head.data(), head.size());
  int64_t answered = 0;
  bool cut = false;
  while (!over_) {
    pollfd both[2] = {{client, POLLIN, 0}, {server, POLLIN, 0}};
    if (poll(both, 2, 10) <= 0) continue;
    if (both[0].revents != 0) {
      ssize_t n = recv(client, buffer, sizeof buffer, 0);
      if (n <= 0) break;
      SendAll(server, buffer, static_cast<size_t>(n));
    }
    if (both[1].revents != 0) {
      ssize_t n = recv(server, buffer, sizeof buffer, 0);
      if (n <= 0) break;
      if (fault.lose_answer) continue;
      int64_t limit = fault.cut_answer_at >= 0 ? fault.cut_answer_at : fault.end_answer_at;
      if (limit >= 0 && answered + n > limit) {
        n = static_cast<ssize_t>(limit - answered);
        cut = true;
      }
      SendAll(client, buffer, static_cast<size_t>(n));
      answered += n;
      if (cut) break;
    }
  }
  close(server);
  if ((cut && fault.cut_answer_at >= 0) || fault.lose_answer) return Reset(client);
  shutdown(client, SHUT_WR);
  while (!over_ && ReadSome(client, buffer, sizeof buffer) != 0) {
  }
  close(client);
}

}  // namespace gauntlet::objstore
