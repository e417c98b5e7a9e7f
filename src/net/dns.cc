// DNS on c-ares. A channel lives for one lookup: it reads resolv.conf as it is now, and needs no thread of its own.

#include "net/dns.h"

#include <ares.h>
#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <netdb.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <utility>

#include "base/check.h"

namespace gauntlet::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

void InitAres() {
  static const bool done = ares_library_init(ARES_LIB_INIT_ALL) == ARES_SUCCESS;
  GN_CHECK(done);
}

bool IsLiteral(const std::string& host) {
  in6_addr buffer{};
  return inet_pton(AF_INET, host.c_str(), &buffer) == 1 || inet_pton(AF_INET6, host.c_str(), &buffer) == 1;
}

Status AresStatus(int code) {
  std::string text = ares_strerror(code);
  switch (code) {
    case ARES_SUCCESS:
    case ARES_ENODATA:
      return Status();
    case ARES_ENOTFOUND:
      return {Code::kNotFound, "no such host"};
    case ARES_EBADNAME:
    case ARES_EBADSTR:
    case ARES_EBADFAMILY:
      return {Code::kInvalid, text};
    case ARES_ETIMEOUT:
      return {Code::kDeadline, text};
    case ARES_EBADRESP:
      return {Code::kCorrupt, text};
    default:
      return {Code::kUnavailable, text};
  }
}

// One question and the sockets that wait for its answer.
class Lookup {
 public:
  Lookup() : wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) { InitAres(); }
  ~Lookup() {
    if (channel_ != nullptr) ares_destroy(channel_);
    if (wake_ >= 0) close(wake_);
  }
  Lookup(const Lookup&) = delete;
  Lookup& operator=(const Lookup&) = delete;

  Status Open(const DnsOptions& options) {
    if (wake_ < 0) return {Code::kExhausted, "out of file descriptors"};
    ares_options wanted{};
    wanted.flags = ARES_FLAG_EDNS;
    wanted.timeout = static_cast<int>(options.timeout.count());
    wanted.tries = options.tries;
    int mask = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES;
    GN_TRY(AresStatus(ares_init_options(&channel_, &wanted, mask)));
    if (options.servers.empty()) return Status();
    std::string list;
    for (const auto& server : options.servers) list += (list.empty() ? "" : ",") + server;
    return AresStatus(ares_set_servers_ports_csv(channel_, list.c_str())).Wrap("DNS servers " + list);
  }

  ares_channel channel() const { return channel_; }
  void Done() { done_ = true; }

  // Until Done, or the end of `cancel`.
  Status Wait(const Cancel& cancel) {
    auto registration = cancel.OnStop([fd = wake_] {
      uint64_t one = 1;
      [[maybe_unused]] ssize_t n = write(fd, &one, sizeof one);
    });
    while (!done_) {
      GN_TRY(cancel.status());
      ares_socket_t sockets[ARES_GETSOCK_MAXNUM];
      int bits = ares_getsock(channel_, sockets, ARES_GETSOCK_MAXNUM);
      pollfd polled[ARES_GETSOCK_MAXNUM + 1];
      nfds_t count = 0;
      polled[count++] = {wake_, POLLIN, 0};
      for (int i = 0; i < ARES_GETSOCK_MAXNUM; ++i) {
        int readable = ARES_GETSOCK_READABLE(bits, i) ? POLLIN : 0,
            writable = ARES_GETSOCK_WRITABLE(bits, i) ? POLLOUT : 0;
        if (readable || writable) polled[count++] = {sockets[i], static_cast<short>(readable | writable), 0};
      }
      poll(polled, count, WaitMs(cancel));
      bool any = false;
      for (nfds_t i = 1; i < count; ++i) {
        if (polled[i].revents == 0) continue;
        any = true;
        bool in = (polled[i].revents & (POLLIN | POLLERR | POLLHUP)) != 0, out = (polled[i].revents & POLLOUT) != 0;
        ares_process_fd(channel_, in ? polled[i].fd : ARES_SOCKET_BAD, out ? polled[i].fd : ARES_SOCKET_BAD);
      }
      if (!any) ares_process_fd(channel_, ARES_SOCKET_BAD, ARES_SOCKET_BAD);  // its time-outs
    }
    return Status();
  }

 private:
  int WaitMs(const Cancel& cancel) const {
    timeval longest{10, 0}, wanted{};
    timeval* next = ares_timeout(channel_, &longest, &wanted);
    auto ms = milliseconds(next->tv_sec * 1000 + (next->tv_usec + 999) / 1000);
    auto left = std::chrono::ceil<milliseconds>(cancel.DeadlineOr(ms) - steady_clock::now());
    return static_cast<int>(std::max<int64_t>(left.count(), 0));
  }

  const int wake_;
  ares_channel channel_ = nullptr;
  bool done_ = false;
};

struct AddressAnswer {
  Lookup* lookup;
  int code = ARES_SUCCESS;
  std::vector<DnsAddress> addresses;
};

void OnAddresses(void* arg, int code, int, ares_addrinfo* info) {
  auto& answer = *static_cast<AddressAnswer*>(arg);
  answer.code = code;
  for (const ares_addrinfo_node* node = info != nullptr ? info->nodes : nullptr; node != nullptr;
       node = node->ai_next) {
    char text[INET6_ADDRSTRLEN] = "";
    if (node->ai_family == AF_INET) {
      inet_ntop(AF_INET, &reinterpret_cast<sockaddr_in*>(node->ai_addr)->sin_addr, text, sizeof text);
    } else if (node->ai_family == AF_INET6) {
      inet_ntop(AF_INET6, &reinterpret_cast<sockaddr_in6*>(node->ai_addr)->sin6_addr, text, sizeof text);
    }
    if (*text != '\0') answer.addresses.push_back({text, node->ai_ttl});
  }
  if (info != nullptr) ares_freeaddrinfo(info);
  answer.lookup->Done();
}

struct ServiceAnswer {
  Lookup* lookup;
  int code = ARES_SUCCESS;
  std::vector<DnsService> services;
};

void OnServices(void* arg, int code, int, unsigned char* bytes, int size) {
  auto& answer = *static_cast<ServiceAnswer*>(arg);
  ares_srv_reply* list = nullptr;
  answer.code = code == ARES_SUCCESS ? ares_parse_srv_reply(bytes, size, &list) : code;
  for (const ares_srv_reply* srv = list; srv != nullptr; srv = srv->next) {
    std::string target = srv->host;
    if (target.ends_with('.')) target.pop_back();
    answer.services.push_back({std::move(target), srv->port, srv->priority, srv->weight});
  }
  if (list != nullptr) ares_free_data(list);
  answer.lookup->Done();
}

class CaresResolver final : public DnsResolver {
 public:
  explicit CaresResolver(DnsOptions options) : options_(std::move(options)) {}

  Result<std::vector<DnsAddress>> Addresses(const std::string& host, DnsFamily family,
                                            const Cancel& cancel) const override {
    if (IsLiteral(host)) return std::vector<DnsAddress>{{host, 0}};
    AddressAnswer answer;  // outlives the lookup, whose end calls back
    Lookup lookup;
    answer.lookup = &lookup;
    auto ask = [&]() -> Status {
      if (host.empty()) return {Code::kInvalid, "empty name"};
      GN_TRY(lookup.Open(options_));
      ares_addrinfo_hints hints{};
      hints.ai_family = family == DnsFamily::kIpv4 ? AF_INET : family == DnsFamily::kIpv6 ? AF_INET6 : AF_UNSPEC;
      hints.ai_socktype = SOCK_STREAM;
      hints.ai_flags = ARES_AI_NOSORT;
      ares_getaddrinfo(lookup.channel(), host.c_str(), nullptr, &hints, OnAddresses, &answer);
      GN_TRY(lookup.Wait(cancel));
      return AresStatus(answer.code);
    };
    if (Status status = ask(); !status.ok()) return std::move(status).Wrap("lookup " + host);
    return std::move(answer.addresses);
  }

  Result<std::vector<DnsService>> Services(const std::string& name, const Cancel& cancel) const override {
    ServiceAnswer answer;
    Lookup lookup;
    answer.lookup = &lookup;
    auto ask = [&]() -> Status {
      if (name.empty()) return {Code::kInvalid, "empty name"};
      GN_TRY(lookup.Open(options_));
      ares_search(lookup.channel(), name.c_str(), ns_c_in, ns_t_srv, OnServices, &answer);
      GN_TRY(lookup.Wait(cancel));
      return AresStatus(answer.code);
    };
    if (Status status = ask(); !status.ok()) return std::move(status).Wrap("lookup SRV " + name);
    return std::move(answer.services);
  }

 private:
  const DnsOptions options_;
};

}  // namespace

std::unique_ptr<DnsResolver> DnsResolver::Make(DnsOptions options) {
  return std::make_unique<CaresResolver>(std::move(options));
}

}  // namespace gauntlet::net
