#include "wire/read_request.h"

#include "proto/prometheus/remote.pb.h"
#include "wire/proto_convert.h"

namespace gauntlet::wire {

std::string EncodeReadRequest(const ReadRequest& request) {
  prometheus::ReadRequest message;
  for (const ReadQuery& query : request.queries) {
    prometheus::Query* q = message.add_queries();
    q->set_start_timestamp_ms(query.start_ms);
    q->set_end_timestamp_ms(query.end_ms);
    FromMatchers(query.matchers, q->mutable_matchers());
    if (!query.hints) continue;
    q->mutable_hints()->set_step_ms(query.hints->step_ms);
    q->mutable_hints()->set_func(query.hints->func);
    q->mutable_hints()->set_start_ms(query.hints->start_ms);
    q->mutable_hints()->set_end_ms(query.hints->end_ms);
    q->mutable_hints()->mutable_grouping()->Assign(query.hints->grouping.begin(), query.hints->grouping.end());
    q->mutable_hints()->set_by(query.hints->by);
    q->mutable_hints()->set_range_ms(query.hints->range_ms);
  }
  if (request.accepts_chunks) {
    message.add_accepted_response_types(prometheus::ReadRequest::STREAMED_XOR_CHUNKS);
    message.add_accepted_response_types(prometheus::ReadRequest::SAMPLES);
  }
  return message.SerializeAsString();
}

Result<ReadRequest> DecodeReadRequest(std::string_view bytes) {
  prometheus::ReadRequest message;
  GN_TRY(ParseMessage(bytes, &message));
  ReadRequest request;
  for (const auto& q : message.queries()) {
    ReadQuery query{q.start_timestamp_ms(), q.end_timestamp_ms(), {}, {}};
    GN_ASSIGN(query.matchers, ToMatchers(q.matchers()));
    if (q.has_hints())
      query.hints = {q.hints().step_ms(),
                     q.hints().func(),
                     q.hints().start_ms(),
                     q.hints().end_ms(),
                     ToStrings(q.hints().grouping()),
                     q.hints().by(),
                     q.hints().range_ms()};
    request.queries.push_back(std::move(query));
  }
  // The first type that we can answer decides; none given means samples.
  for (int type : message.accepted_response_types()) {
    if (type == prometheus::ReadRequest::STREAMED_XOR_CHUNKS) request.accepts_chunks = true;
    if (type == prometheus::ReadRequest::STREAMED_XOR_CHUNKS || type == prometheus::ReadRequest::SAMPLES) break;
  }
  return request;
}

}  // namespace gauntlet::wire
