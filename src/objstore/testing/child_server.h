// ChildServer: a server that a test starts and ends.
//
// Threads: one thread at a time.

#pragma once

#include <string>
#include <vector>

namespace gauntlet::objstore {

class ChildServer {
 public:
  // A free port of the loopback.
  static int FreePort();
  // Where the program is, or "".
  static std::string Find(const std::string& program);

  // Waits until the port takes connections; ok() says whether it did.
  ChildServer(const std::vector<std::string>& arguments, int port);
  ~ChildServer();
  ChildServer(const ChildServer&) = delete;
  ChildServer& operator=(const ChildServer&) = delete;
  bool ok() const { return ok_; }

 private:
  int pid_ = -1;
  bool ok_ = false;
};

}  // namespace gauntlet::objstore
