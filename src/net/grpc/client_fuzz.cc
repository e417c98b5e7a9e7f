// A gRPC client session fed with arbitrary bytes of a server, without sockets: nothing may crash it, and in the end
// every call has ended.

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "net/grpc/client_session.h"

namespace {

using gauntlet::Cancel;
using gauntlet::Code;
using gauntlet::Status;
using namespace gauntlet::net;  // NOLINT
using CallPtr = std::shared_ptr<GrpcClientCallState>;

void WriteAll(GrpcClientSession& session) {
  iovec pieces[16];
  while (size_t count = session.Gather(pieces, 16)) {
    size_t bytes = 0;
    for (size_t i = 0; i < count; ++i) bytes += pieces[i].iov_len;
    session.Sent(bytes);
  }
}

void ReadAll(const std::vector<CallPtr>& calls) {
  for (const CallPtr& call : calls) {
    GrpcFrame frame;
    while (call->pipe().Ready()) {
      auto outcome = call->pipe().Read(&frame, std::nullopt);
      if (!outcome.ok() || *outcome != GrpcPipe::ReadOutcome::kMessage) break;
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::vector<CallPtr> calls, put_back;
  GrpcClientSession::Services services;
  services.address = services.authority = "fuzz";
  services.scheme = "http";
  services.message_bytes_max = 10'000;
  services.again = [&](CallPtr call) { put_back.push_back(std::move(call)); };
  services.on_goaway = [](const GrpcClientSession&, bool) {};
  Http2Options options;
  options.window_bytes = 20'000;
  auto mailbox = std::make_shared<Http2Mailbox>(nullptr);
  GrpcClientSession session(options, services, mailbox);
  mailbox->SetReceiver([&](const std::vector<int32_t>& streams) {
    for (int32_t stream : streams) session.OnNotified(stream);
  });
  for (int i = 0; i < 4; ++i) {
    GrpcPipe::Limits limits;
    limits.window_bytes = 20'000;
    limits.replay_bytes_max = 100;
    auto call = std::make_shared<GrpcClientCallState>("/t.Test/Chat", GrpcMetadata(), Cancel(), false,
                                                      GrpcCompression::kIdentity, limits);
    GN_CHECK(call->pipe().Write(std::string(50 * i, 'x'), std::nullopt).ok());
    if (i % 2 == 0) call->pipe().CloseOutput();
    GN_CHECK(session.StartCall(call));
    calls.push_back(std::move(call));
  }
  WriteAll(session);

  bool alive = true;
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  while (alive && !bytes.empty()) {
    size_t take = std::min<size_t>(bytes.size(), 1 + static_cast<unsigned char>(bytes[0]) * 4);
    alive = session.Receive(bytes.substr(0, take)).ok();
    bytes.remove_prefix(take);
    ReadAll(calls);
    mailbox->Drain();
    WriteAll(session);
    alive = alive && !session.done();
  }
  session.OnConnectionLost(Status(Code::kUnavailable, "closed"));
  mailbox->SetReceiver(nullptr);
  for (const CallPtr& call : put_back) call->End(GrpcStatus(GrpcCode::kUnavailable, "given up"), false);
  for (const CallPtr& call : calls) GN_CHECK(call->pipe().WaitEnd(std::chrono::steady_clock::now()));
  return 0;
}
