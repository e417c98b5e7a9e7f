#include "cache/redis_topology.h"

#include <algorithm>
#include <utility>

#include "net/url.h"

namespace gauntlet::cache {
namespace {

using SteadyClock = std::chrono::steady_clock;
using Kind = RedisReply::Kind;

constexpr std::chrono::seconds kAskAgain{1}, kWaitMax{60};
constexpr size_t kReplyBytesMax = 1 << 20;
constexpr int kNobody = 0xffff;

Result<RedisReply> AskOne(Server& server, std::initializer_list<std::string_view> command, const Cancel& cancel) {
  std::string question;
  AppendRedisCommand(command, &question);
  RedisReply reply;
  GN_TRY(server.Ask(
      [&](Connection& connection) -> Status {
        GN_TRY(connection.Write(question));
        GN_ASSIGN(reply, ReadRedisReply(connection.replies(), kReplyBytesMax));
        return Status();
      },
      cancel));
  return reply;
}

Status Expect(Connection& connection, std::initializer_list<std::string_view> command) {
  std::string question;
  AppendRedisCommand(command, &question);
  GN_TRY(connection.Write(question));
  GN_ASSIGN(RedisReply reply, ReadRedisReply(connection.replies(), kReplyBytesMax));
  return reply.status();
}

// Which part of a cluster: first slot, last slot, [address, port, ...] of its master, then of its replicas.
bool IsSlotRange(const RedisReply& range) {
  if (range.items.size() < 3 || range.items[0].kind != Kind::kInteger || range.items[1].kind != Kind::kInteger)
    return false;
  int64_t first = range.items[0].integer, last = range.items[1].integer;
  const RedisReply& node = range.items[2];
  return first >= 0 && first <= last && last < static_cast<int64_t>(kRedisSlots) && node.items.size() >= 2 &&
         node.items[1].kind == Kind::kInteger;
}

}  // namespace

std::shared_ptr<Server> RedisTopology::MakeServer(const std::string& address, bool of_data) const {
  ServerOptions options;
  options.address = address;
  options.tls = config_.tls;
  options.dial_timeout = config_.dial_timeout;
  options.timeout = std::max(config_.read_timeout, config_.write_timeout);
  if (options.timeout.count() <= 0) options.timeout = std::chrono::seconds(3);
  if (!of_data) return std::make_shared<Server>(std::move(options));
  options.greet = [this](Connection& connection) -> Status {
    if (!config_.username.empty()) {
      GN_TRY(Expect(connection, {"AUTH", config_.username, config_.password.value()}));
    } else if (!config_.password.empty()) {
      GN_TRY(Expect(connection, {"AUTH", config_.password.value()}));
    }
    if (config_.db != 0) GN_TRY(Expect(connection, {"SELECT", std::to_string(config_.db)}));
    return Status();
  };
  return std::make_shared<Server>(std::move(options));
}

// The server that is known by this address already, with its connections, or a new one.
std::shared_ptr<Server> RedisTopology::Keep(const std::string& address) const {
  {
    MutexLock lock(mutex_);
    if (known_ != nullptr) {
      for (const auto& server : known_->servers) {
        if (server->address() == address) return server;
      }
    }
  }
  return MakeServer(address, true);
}

Result<std::shared_ptr<const RedisServers>> RedisTopology::AskSentinels(const Cancel& cancel) const {
  Status problem;
  for (const std::string& address : config_.addresses) {
    Result<RedisReply> master =
        AskOne(*MakeServer(address, false), {"SENTINEL", "get-master-addr-by-name", config_.master_name}, cancel);
    if (!master.ok() || !master->status().ok()) {
      problem = master.ok() ? master->status() : master.status();
      continue;
    }
    if (master->items.size() != 2) {
      problem = Status(Code::kNotFound, "sentinel " + address + " knows no master " + config_.master_name);
      continue;
    }
    auto servers = std::make_shared<RedisServers>();
    servers->servers.push_back(Keep(net::JoinHostPort(master->items[0].text, master->items[1].text)));
    return std::shared_ptr<const RedisServers>(std::move(servers));
  }
  return problem;
}

Result<std::shared_ptr<const RedisServers>> RedisTopology::AskServers(const Cancel& cancel) const {
  Status problem;
  for (const std::string& address : config_.addresses) {
    std::shared_ptr<Server> seed = Keep(address);
    Result<RedisReply> slots = AskOne(*seed, {"CLUSTER", "SLOTS"}, cancel);
    if (!slots.ok()) {
      problem = slots.status();
      continue;
    }
    auto servers = std::make_shared<RedisServers>();
    if (slots->kind != Kind::kArray || slots->items.empty()) {  // "cluster support disabled"
      servers->servers.push_back(std::move(seed));
      return std::shared_ptr<const RedisServers>(std::move(servers));
    }
    servers->slots.assign(kRedisSlots, kNobody);
    for (const RedisReply& range : slots->items) {
      if (!IsSlotRange(range)) return Status(Code::kCorrupt, "slots of a redis cluster as " + address + " tells them");
      const RedisReply& node = range.items[2];
      std::string host = node.items[0].text, port;
      // A node that does not know its own address leaves it out.
      if (host.empty() || host == "?") GN_TRY(net::SplitHostPort(address, &host, &port));
      std::string owner = net::JoinHostPort(host, std::to_string(node.items[1].integer));
      auto at = std::find_if(servers->servers.begin(), servers->servers.end(),
                             [&](const auto& server) { return server->address() == owner; });
      if (at == servers->servers.end()) at = servers->servers.insert(at, Keep(owner));
      std::fill(servers->slots.begin() + range.items[0].integer, servers->slots.begin() + range.items[1].integer + 1,
                static_cast<uint16_t>(at - servers->servers.begin()));
    }
    return std::shared_ptr<const RedisServers>(std::move(servers));
  }
  return problem;
}

Result<std::shared_ptr<const RedisServers>> RedisTopology::Ask(const Cancel& cancel) const {
  return config_.master_name.empty() ? AskServers(cancel) : AskSentinels(cancel);
}

std::shared_ptr<const RedisServers> RedisTopology::Get(const Cancel& cancel) {
  {
    auto registration = cancel.OnStop([this] {
      MutexLock lock(mutex_);
      changed_.NotifyAll();
    });
    MutexLock lock(mutex_);
    while (asking_ && known_ == nullptr && !cancel.stopped()) changed_.WaitUntil(mutex_, cancel.DeadlineOr(kWaitMax));
    auto now = SteadyClock::now();
    bool due = asked_ == SteadyClock::time_point() || now >= asked_ + kAskAgain;
    if (!doubted_ || asking_ || !due) return known_;
    asking_ = true;
    asked_ = now;
    doubted_ = false;
  }
  auto asked = Ask(cancel);
  MutexLock lock(mutex_);
  asking_ = false;
  changed_.NotifyAll();
  problem_ = asked.status();
  if (asked.ok()) {
    known_ = *std::move(asked);
  } else {
    doubted_ = true;
  }
  return known_;
}

void RedisTopology::Doubt() {
  MutexLock lock(mutex_);
  doubted_ = true;
}

Status RedisTopology::problem() const {
  MutexLock lock(mutex_);
  return problem_;
}

}  // namespace gauntlet::cache
