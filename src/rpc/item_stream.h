// The four services whose answers are a stream of items and warnings differ only in their messages. A codec names
// those:
//
//   struct Codec {
//     using Item = RuleGroup;
//     using Message = thanos::RulesResponse;  // oneof of the item and a `warning`
//     static bool Has(const Message&);
//     static Result<Item> To(const Message&);
//     static void From(const Item&, Message*);
//   };
//
// Only for the .cc files of this module: it needs protobuf.
//
// Threads: as `glue.h`; a FrameSink is for the thread of its call.

#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "proto/thanos/types.pb.h"
#include "rpc/glue.h"
#include "rpc/stream.h"
#include "wire/proto_convert.h"
#include "wire/store_request.h"

namespace gauntlet::rpc {

inline wire::PartialResponse ToPartialResponse(thanos::PartialResponseStrategy strategy) {
  return strategy == thanos::ABORT ? wire::PartialResponse::kAbort : wire::PartialResponse::kWarn;
}
inline thanos::PartialResponseStrategy FromPartialResponse(wire::PartialResponse strategy) {
  return strategy == wire::PartialResponse::kAbort ? thanos::ABORT : thanos::WARN;
}

template <typename Codec>
class FrameSink : public Sink<typename Codec::Item> {
 public:
  explicit FrameSink(net::GrpcServerCall& call) : call_(call) {}
  Status Send(const typename Codec::Item& item) override {
    typename Codec::Message message;
    Codec::From(item, &message);
    return call_.Write(message.SerializeAsString());
  }
  Status Warn(std::string_view warning) override {
    typename Codec::Message message;
    message.set_warning(std::string(warning));
    return call_.Write(message.SerializeAsString());
  }

 private:
  net::GrpcServerCall& call_;
};

// `serve(const Request&, Sink<Item>&, const CallContext&)` returns a GrpcStatus.
template <typename Codec, typename Request, typename Serve>
net::GrpcHandler ItemHandler(Serve serve) {
  return StreamHandler([serve = std::move(serve)](std::string_view bytes, net::GrpcServerCall& call,
                                                  const CallContext& context) -> net::GrpcStatus {
    Request request;
    if (Status parsed = wire::ParseMessage(bytes, &request); !parsed.ok()) return BadRequest(parsed);
    FrameSink<Codec> sink(call);
    return serve(request, sink, context);
  });
}

template <typename Codec, typename Request>
net::GrpcStatus CallItems(net::GrpcChannel& channel, std::string_view method, const Request& request,
                          Sink<typename Codec::Item>& out, const CallContext& context) {
  return CallStream(channel, method, request.SerializeAsString(), context, [&out](std::string_view bytes) -> Status {
    typename Codec::Message message;
    GN_TRY(wire::ParseMessage(bytes, &message));
    if (!Codec::Has(message)) return message.warning().empty() ? Status() : out.Warn(message.warning());
    GN_ASSIGN(auto item, Codec::To(message));
    return out.Send(item);
  });
}

}  // namespace gauntlet::rpc
