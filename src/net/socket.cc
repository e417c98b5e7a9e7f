#include "net/socket.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <system_error>

#include "net/url.h"

namespace gauntlet::net {
namespace {

constexpr int kBacklog = 4096;

Result<int> ListenOn(const addrinfo& at, const std::string& doing) {
  int fd = socket(at.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return SocketError(Code::kUnavailable, doing);
  int one = 1, zero = 0;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (at.ai_family == AF_INET6) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof zero);
  if (bind(fd, at.ai_addr, at.ai_addrlen) != 0 || listen(fd, kBacklog) != 0) {
    Status status = SocketError(errno == EADDRINUSE ? Code::kExists : Code::kUnavailable, doing);
    close(fd);
    return status;
  }
  return fd;
}

}  // namespace

Status SocketError(Code code, const std::string& doing) {
  return {code, doing + ": " + std::system_category().message(errno)};
}

Result<int> ListenTcp(const std::string& address) {
  std::string doing = "listen on " + address, host, port;
  GN_TRY(SplitHostPort(address, &host, &port).Wrap("listen"));
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  addrinfo* list = nullptr;
  if (int error = getaddrinfo(host.empty() ? nullptr : host.c_str(), port.c_str(), &hints, &list); error != 0) {
    return Status(Code::kInvalid, doing + ": " + gai_strerror(error));
  }
  std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(list, freeaddrinfo);
  // Any address: IPv6's wildcard serves IPv4 as well, so it is tried first where the machine has it.
  for (int family : {host.empty() ? AF_INET6 : AF_UNSPEC, AF_UNSPEC}) {
    for (const addrinfo* at = list; at != nullptr; at = at->ai_next) {
      if (family != AF_UNSPEC && at->ai_family != family) continue;
      Result<int> fd = ListenOn(*at, doing);
      if (fd.ok() || (family == AF_UNSPEC && at->ai_next == nullptr)) return fd;
    }
  }
  return Status(Code::kUnavailable, doing + ": no address");
}

int LocalPort(int fd) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return 0;
  if (address.ss_family == AF_INET) return ntohs(reinterpret_cast<sockaddr_in&>(address).sin_port);
  if (address.ss_family == AF_INET6) return ntohs(reinterpret_cast<sockaddr_in6&>(address).sin6_port);
  return 0;
}

std::string AddressText(const sockaddr_storage& address) {
  char text[INET6_ADDRSTRLEN] = "";
  if (address.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
    inet_ntop(AF_INET, &v4.sin_addr, text, sizeof text);
    return JoinHostPort(text, std::to_string(ntohs(v4.sin_port)));
  }
  if (address.ss_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);
    if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)) {
      inet_ntop(AF_INET, v6.sin6_addr.s6_addr + 12, text, sizeof text);
    } else {
      inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof text);
    }
    return JoinHostPort(text, std::to_string(ntohs(v6.sin6_port)));
  }
  return "?";
}

}  // namespace gauntlet::net
