// FaultProxy: a TCP proxy before a server that can be told to spoil connections: late, cut, reset, or answered with
// 503.
//
// Threads: thread-safe; connections run on threads of its own, which end with it.

#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/mutex.h"

namespace gauntlet::objstore {

class FaultProxy {
 public:
  // What is done with one request (a proxied connection carries one).
  struct Fault {
    std::chrono::milliseconds delay{0};  // before the answer
    int status = 0;                      // answered instead of asking the server
    std::string body;                    // of that answer
    bool reset_at_once = false;          // the connection breaks before the request is read
    int64_t cut_answer_at = -1;          // so many bytes of the answer, then a reset
    int64_t end_answer_at = -1;          // so many bytes of the answer, then an orderly end
    bool hang = false;                   // never answers
    bool lose_answer = false;            // the server does it; the client hears nothing
  };
  // Asked for each connection, with its number from 0 and the first bytes of the request (empty when `reset_at_once`
  // is to be decided by number alone).
  using Plan = std::function<Fault(int number, const std::string& head)>;

  explicit FaultProxy(int server_port);
  ~FaultProxy();
  int port() const { return port_; }
  void SetPlan(Plan plan);
  int connections() const { return connections_; }

 private:
  void Accept();
  void Serve(int client, int number);

  const int server_port_;
  int listener_ = -1, port_ = 0;
  std::atomic<bool> over_{false};
  std::atomic<int> connections_{0};
  Mutex mutex_;
  Plan plan_ GN_GUARDED_BY(mutex_);
  std::vector<std::thread> threads_ GN_GUARDED_BY(mutex_);
  std::thread acceptor_;
};

}  // namespace gauntlet::objstore
