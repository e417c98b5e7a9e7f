// A gRPC server session fed with arbitrary bytes, without sockets: nothing that a client sends may crash it, or keep a
// call alive. The fuzzer's thread does the handlers' work as well.

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "net/grpc/server_session.h"

namespace {

using gauntlet::Status;
using namespace gauntlet::net;  // NOLINT

constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

// What a handler does, as far as it can without waiting. Drops the calls that have ended.
void Serve(std::vector<std::shared_ptr<GrpcServerCallState>>* calls) {
  std::erase_if(*calls, [](const std::shared_ptr<GrpcServerCallState>& call) {
    std::string message;
    while (call->pipe().Ready()) {
      auto got = call->Read(&message);
      if (got.ok() && *got && message.size() <= 100 && call->Write(message).ok()) continue;
      call->Finish(got.status());
      return true;
    }
    return false;
  });
}

void WriteAll(GrpcServerSession& session) {
  iovec pieces[16];
  while (size_t count = session.Gather(pieces, 16)) {
    size_t bytes = 0;
    for (size_t i = 0; i < count; ++i) bytes += pieces[i].iov_len;
    session.Sent(bytes);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const auto* const kMethods = new std::map<std::string, GrpcHandler>{{"/t.Test/Chat", nullptr}};
  std::vector<std::shared_ptr<GrpcServerCallState>> calls;
  GrpcServerSession::Services services;
  services.methods = kMethods;
  services.run = [&](std::shared_ptr<GrpcServerCallState> call, const GrpcHandler&) {
    calls.push_back(std::move(call));
  };
  services.message_bytes_max = 10'000;
  services.window_bytes = 20'000;
  services.calls_max = 20;
  Http2Options options;
  options.server = true;
  options.window_bytes = 20'000;
  options.streams_max = 10;
  auto mailbox = std::make_shared<Http2Mailbox>(nullptr);
  GrpcServerSession session(options, services, "fuzz", mailbox);
  mailbox->SetReceiver([&](const std::vector<int32_t>& streams) {
    for (int32_t stream : streams) session.OnNotified(stream);
  });

  bool alive = session.Receive(kPreface).ok();
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  while (alive && !bytes.empty()) {
    size_t take = std::min<size_t>(bytes.size(), 1 + static_cast<unsigned char>(bytes[0]) * 4);
    alive = session.Receive(bytes.substr(0, take)).ok();
    bytes.remove_prefix(take);
    Serve(&calls);
    mailbox->Drain();
    WriteAll(session);
    alive = alive && !session.done();
  }
  session.OnConnectionLost(Status(gauntlet::Code::kUnavailable, "closed"));
  mailbox->SetReceiver(nullptr);
  for (const auto& call : calls) GN_CHECK(call->cancel().stopped() && call->pipe().Ready());
  Serve(&calls);
  GN_CHECK(calls.empty());
  return 0;
}
