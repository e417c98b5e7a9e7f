// Plain socket work that servers share: listening by address, addresses as text.
//
// Threads: functions, safe from any thread.

#pragma once

#include <string>

#include "base/status.h"

struct sockaddr_storage;

namespace gauntlet::net {

// A listening, non-blocking TCP socket on "host:port", "[::1]:port" or ":port" (all addresses of both families);
// port 0 = any. The caller closes it.
Result<int> ListenTcp(const std::string& address);
// The port a socket is bound to; 0 if it is none.
int LocalPort(int fd);
// "127.0.0.1:53211", "[::1]:53211"; an IPv4 address mapped into IPv6 is written as IPv4.
std::string AddressText(const sockaddr_storage& address);

// The error of the last system call: "doing: Connection refused".
Status SocketError(Code code, const std::string& doing);

}  // namespace gauntlet::net
