// The series of an answer are written and read in place (wire/time_series.h): a distributed query moves many.
#include "rpc/query.h"

#include "proto/thanos/query.pb.h"
#include "rpc/glue.h"
#include "wire/fields.h"
#include "wire/proto_convert.h"
#include "wire/time_series.h"

namespace gauntlet::rpc {
namespace {

using net::GrpcStatus;
using wire::BytesKey;

constexpr const char* kQuery = "/thanos.Query/Query";
constexpr const char* kQueryRange = "/thanos.Query/QueryRange";
constexpr size_t kQueryBatchBytes = 1 << 20;

template <typename Message>
void FromOptions(const QueryOptions& options, Message* message) {
  message->set_query(options.query);
  if (!options.plan_json.empty()) message->mutable_queryplan()->set_json(options.plan_json);
  message->set_timeout_seconds(options.timeout_seconds);
  message->set_max_resolution_seconds(options.max_resolution_seconds);
  message->set_lookback_delta_seconds(options.lookback_delta_seconds);
  message->mutable_replica_labels()->Assign(options.replica_labels.begin(), options.replica_labels.end());
  for (const Matchers& matchers : options.store_matchers)
    wire::FromMatchers(matchers, message->add_storematchers()->mutable_labelmatchers());
  message->set_enablededup(options.enable_dedup);
  message->set_enablepartialresponse(options.enable_partial_response);
  message->set_skipchunks(options.skip_chunks);
  if (options.shard.total != 0) {
    message->mutable_shard_info()->set_shard_index(options.shard.index);
    message->mutable_shard_info()->set_total_shards(options.shard.total);
    message->mutable_shard_info()->set_by(options.shard.by);
    message->mutable_shard_info()->mutable_labels()->Assign(options.shard.labels.begin(), options.shard.labels.end());
  }
  message->set_engine(static_cast<thanos::EngineType>(options.engine));
  message->set_response_batch_size(options.batch_size);
}

template <typename Message>
Status ToOptions(const Message& message, QueryOptions* options) {
  options->query = message.query();
  options->plan_json = message.queryplan().json();
  options->timeout_seconds = message.timeout_seconds();
  options->max_resolution_seconds = message.max_resolution_seconds();
  options->lookback_delta_seconds = message.lookback_delta_seconds();
  options->replica_labels = wire::ToStrings(message.replica_labels());
  for (const auto& store : message.storematchers()) {
    GN_ASSIGN(Matchers matchers, wire::ToMatchers(store.labelmatchers()));
    options->store_matchers.push_back(std::move(matchers));
  }
  options->enable_dedup = message.enablededup();
  options->enable_partial_response = message.enablepartialresponse();
  options->skip_chunks = message.skipchunks();
  options->shard = {message.shard_info().shard_index(), message.shard_info().total_shards(), message.shard_info().by(),
                    wire::ToStrings(message.shard_info().labels())};
  if (message.engine() >= 0 && message.engine() <= 2) options->engine = static_cast<QueryEngine>(message.engine());
  options->batch_size = message.response_batch_size();
  return {};
}

// QueryResponse and QueryRangeResponse are the same oneof: 1 warning, 2 series, 3 statistics, 4 batch of series.
class QueryFrameSink : public QuerySink {
 public:
  QueryFrameSink(net::GrpcServerCall& call, int64_t batch_size) : call_(call), batch_size_(batch_size) {}
  Status Series(LabelsView labels, const Samples& samples) override {
    if (batch_size_ <= 1) {
      frame_.clear();
      wire::AppendTimeSeries(frame_, 2, labels, samples);
      return call_.Write(frame_);
    }
    wire::AppendTimeSeries(batch_, 1, labels, samples);
    return ++series_ >= batch_size_ || batch_.size() >= kQueryBatchBytes ? Flush() : Status();
  }
  Status Warning(std::string_view warning) override {
    GN_TRY(Flush());
    thanos::QueryResponse message;
    message.set_warnings(std::string(warning));
    return call_.Write(message.SerializeAsString());
  }
  Status Statistics(const QueryStatistics& statistics) override {
    GN_TRY(Flush());
    thanos::QueryResponse message;
    message.mutable_stats()->set_samples_total(statistics.samples_total);
    message.mutable_stats()->set_peak_samples(statistics.peak_samples);
    return call_.Write(message.SerializeAsString());
  }
  Status Flush() {
    if (series_ == 0) return {};
    frame_.clear();
    wire::PutBytes(frame_, 4, batch_);
    batch_.clear();
    series_ = 0;
    return call_.Write(frame_);
  }

 private:
  net::GrpcServerCall& call_;
  const int64_t batch_size_;
  int64_t series_ = 0;
  std::string batch_, frame_;
};

class QueryFrameReader {
 public:
  Status Read(std::string_view frame, QuerySink& out) {
    wire::FieldReader fields(frame);
    while (fields.Next()) {
      switch (fields.key()) {
        case BytesKey(1):
          GN_TRY(out.Warning(fields.bytes()));
          break;
        case BytesKey(2):
          GN_TRY(ReadSeries(fields.bytes(), out));
          break;
        case BytesKey(3): {
          thanos::QueryStats stats;
          GN_TRY(wire::ParseMessage(fields.bytes(), &stats));
          GN_TRY(out.Statistics({stats.samples_total(), stats.peak_samples()}));
          break;
        }
        case BytesKey(4):
          GN_TRY(ReadBatch(fields.bytes(), out));
          break;
        default:
          break;
      }
    }
    return fields.ok() ? Status() : Status(Code::kCorrupt, "QueryResponse: malformed field");
  }

 private:
  Status ReadSeries(std::string_view message, QuerySink& out) {
    GN_TRY(reader_.Read(message, &samples_));
    return out.Series(reader_.labels(), samples_);
  }
  Status ReadBatch(std::string_view message, QuerySink& out) {
    wire::FieldReader fields(message);
    while (fields.Next())
      if (fields.key() == BytesKey(1)) GN_TRY(ReadSeries(fields.bytes(), out));
    return fields.ok() ? Status() : Status(Code::kCorrupt, "TimeSeriesBatch: malformed field");
  }

  wire::TimeSeriesReader reader_;
  Samples samples_;
};

class QueryClient : public QueryService {
 public:
  explicit QueryClient(net::GrpcChannel& channel) : channel_(channel) {}
  GrpcStatus Query(const InstantQuery& query, QuerySink& out, const CallContext& context) override {
    thanos::QueryRequest message;
    FromOptions(query, &message);
    message.set_time_seconds(query.time_seconds);
    return Call(kQuery, message.SerializeAsString(), out, context);
  }
  GrpcStatus QueryRange(const RangeQuery& query, QuerySink& out, const CallContext& context) override {
    thanos::QueryRangeRequest message;
    FromOptions(query, &message);
    message.set_start_time_seconds(query.start_seconds);
    message.set_end_time_seconds(query.end_seconds);
    message.set_interval_seconds(query.interval_seconds);
    return Call(kQueryRange, message.SerializeAsString(), out, context);
  }

 private:
  GrpcStatus Call(const char* method, const std::string& request, QuerySink& out, const CallContext& context) {
    QueryFrameReader reader;
    return CallStream(channel_, method, request, context,
                      [&](std::string_view frame) { return reader.Read(frame, out); });
  }

  net::GrpcChannel& channel_;
};

// Parses the request, lets `fill` take what QueryOptions does not have, and serves.
template <typename Message, typename Query, typename Fill>
net::GrpcHandler QueryHandler(QueryService& service,
                              GrpcStatus (QueryService::*method)(const Query&, QuerySink&, const CallContext&),
                              Fill fill) {
  return StreamHandler(
      [=, &service](std::string_view bytes, net::GrpcServerCall& call, const CallContext& context) -> GrpcStatus {
        Message message;
        Query query;
        if (Status parsed = wire::ParseMessage(bytes, &message); !parsed.ok()) return BadRequest(parsed);
        if (Status valid = ToOptions(message, &query); !valid.ok()) return BadRequest(valid);
        fill(message, &query);
        QueryFrameSink sink(call, query.batch_size);
        if (GrpcStatus status = (service.*method)(query, sink, context); !status.ok()) return status;
        return sink.Flush();
      });
}

}  // namespace

void RegisterQuery(QueryService& service, MethodMap* methods) {
  (*methods)[kQuery] = QueryHandler<thanos::QueryRequest, InstantQuery>(
      service, &QueryService::Query,
      [](const thanos::QueryRequest& message, InstantQuery* query) { query->time_seconds = message.time_seconds(); });
  (*methods)[kQueryRange] = QueryHandler<thanos::QueryRangeRequest, RangeQuery>(
      service, &QueryService::QueryRange, [](const thanos::QueryRangeRequest& message, RangeQuery* query) {
        query->start_seconds = message.start_time_seconds();
        query->end_seconds = message.end_time_seconds();
        query->interval_seconds = message.interval_seconds();
      });
}

std::unique_ptr<QueryService> MakeQueryClient(net::GrpcChannel& channel) {
  return std::make_unique<QueryClient>(channel);
}

}  // namespace gauntlet::rpc
