#include "rpc/interceptor.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/executor.h"
#include "rpc/loopback_channel.h"
#include "rpc/observed_channel.h"
#include "rpc/store.h"

namespace gauntlet::rpc {
namespace {

using net::GrpcCode;
using net::GrpcStatus;

// Takes 2 s of simulated time for a Series call, sends three frames, and ends it as told.
class SlowStore : public StoreService {
 public:
  explicit SlowStore(SimulatedClock& clock) : clock_(clock) {}
  GrpcStatus Series(const wire::SeriesRequest&, SeriesWriter& out, const CallContext& context) override {
    trace = context.trace;
    clock_.Advance(std::chrono::seconds(2));
    for (int i = 0; i < 3; ++i)
      if (Status sent = out.Warning("w"); !sent.ok()) return sent;
    return end;
  }
  GrpcStatus LabelNames(const wire::LabelNamesRequest&, wire::LabelsResponse*, const CallContext&) override {
    return {};
  }
  GrpcStatus LabelValues(const wire::LabelValuesRequest&, wire::LabelsResponse*, const CallContext&) override {
    return {};
  }
  telemetry::SpanContext trace;
  GrpcStatus end;

 private:
  SimulatedClock& clock_;
};

class InterceptorTest : public testing::Test {
 protected:
  InterceptorTest() {
    telemetry::Tracer::Options options;
    options.exporter = [this](telemetry::SpanRecord span) {
      MutexLock lock(mutex_);
      spans_.push_back(std::move(span));
    };
    tracer_ = std::make_unique<telemetry::Tracer>(std::move(options));
  }

  void Connect() {
    MethodMap methods;
    RegisterStore(store_, &methods);
    ServerInterceptorOptions options;
    options.registry = &server_registry_;
    options.tracer = tracer_.get();
    options.clock = &clock_;
    options.on_start = [this](const CallRecord& call) { Log("start", call); };
    options.on_end = [this](const CallRecord& call) { Log("end", call); };
    auto loopback =
        std::make_unique<LoopbackChannel>(methods, pool_, MakeServerInterceptor(std::move(options), methods));
    channel_ = std::make_unique<ObservedChannel>(std::move(loopback),
                                                 ClientInstruments{&client_metrics_, tracer_.get(), &clock_});
  }

  void Log(const char* what, const CallRecord& call) {
    MutexLock lock(mutex_);
    log_.push_back(std::string(what) + " " + call.method.service + " " + call.method.method + " " +
                   call.context.tenant + " " + std::string(net::GrpcCodeText(call.status.code)) + " " +
                   std::to_string(static_cast<int>(call.seconds)));
  }

  // Reads a Series call to its end.
  GrpcStatus CallSeries(const CallContext& context = {}) {
    auto stream = StoreClient(*channel_).Series({}, context);
    std::string frame;
    for (;;) {
      Result<bool> next = stream->Next(&frame);
      if (!next.ok()) return next.status();
      if (!*next) return stream->status();
    }
  }

  static bool Has(const telemetry::Registry& registry, const std::string& line) {
    return registry.Expose(false).find("\n" + line + "\n") != std::string::npos;
  }

  SimulatedClock clock_{1'000'000};
  telemetry::Registry server_registry_, client_registry_;
  CallMetrics client_metrics_{client_registry_, CallMetrics::Side::kClient};
  Mutex mutex_;
  std::vector<telemetry::SpanRecord> spans_;
  std::vector<std::string> log_;
  std::unique_ptr<telemetry::Tracer> tracer_;
  SlowStore store_{clock_};
  std::unique_ptr<ObservedChannel> channel_;
  ThreadPool pool_{"test", 4};  // first to go: its handlers use the rest
};

const std::string kSeries = R"({grpc_method="Series",grpc_service="thanos.Store",grpc_type="server_stream"})";

TEST_F(InterceptorTest, ServerSeriesExistBeforeTheFirstCall) {
  Connect();
  EXPECT_TRUE(Has(server_registry_, "grpc_server_started_total" + kSeries + " 0"));
  EXPECT_TRUE(Has(server_registry_, R"(grpc_server_handled_total{grpc_code="Aborted",grpc_method="LabelNames",)"
                                    R"(grpc_service="thanos.Store",grpc_type="unary"} 0)"));
  EXPECT_TRUE(Has(server_registry_,
                  R"(grpc_server_handling_seconds_bucket{grpc_method="Series",grpc_service="thanos.Store",)"
                  R"(grpc_type="server_stream",le="120"} 0)"));
  EXPECT_EQ(server_registry_.Expose(false).find(R"(le="240")"), std::string::npos);
}

TEST_F(InterceptorTest, BothSidesCountTheCallItsMessagesAndItsTime) {
  Connect();
  ASSERT_TRUE(CallSeries().ok());
  for (auto [registry, side] : {std::pair(&server_registry_, "server"), std::pair(&client_registry_, "client")}) {
    std::string name = "grpc_" + std::string(side) + "_";
    EXPECT_TRUE(Has(*registry, name + "started_total" + kSeries + " 1"));
    std::string received = side == std::string("server") ? " 1" : " 3",
                sent = side == std::string("server") ? " 3" : " 1";
    EXPECT_TRUE(Has(*registry, name + "msg_received_total" + kSeries + received)) << registry->Expose(false);
    EXPECT_TRUE(Has(*registry, name + "msg_sent_total" + kSeries + sent));
    EXPECT_TRUE(Has(*registry, name + R"(handled_total{grpc_code="OK",grpc_method="Series",)" +
                                   R"(grpc_service="thanos.Store",grpc_type="server_stream"} 1)"));
    EXPECT_TRUE(Has(*registry, name + "handling_seconds_sum" + kSeries + " 2"));
  }
  EXPECT_TRUE(Has(client_registry_,
                  R"(grpc_client_handling_seconds_bucket{grpc_method="Series",grpc_service="thanos.Store",)"
                  R"(grpc_type="server_stream",le="720"} 1)"));
}

TEST_F(InterceptorTest, BothSidesCountTheCodeOfAFailure) {
  store_.end = {GrpcCode::kAborted, "gone"};
  Connect();
  EXPECT_EQ(CallSeries().code, GrpcCode::kAborted);
  std::string labels = R"({grpc_code="Aborted",grpc_method="Series",grpc_service="thanos.Store",)"
                       R"(grpc_type="server_stream"} 1)";
  EXPECT_TRUE(Has(server_registry_, "grpc_server_handled_total" + labels));
  EXPECT_TRUE(Has(client_registry_, "grpc_client_handled_total" + labels));
  EXPECT_EQ(log_.back(), "end thanos.Store Series  Aborted 2");
}

TEST_F(InterceptorTest, ACallThatIsDroppedCountsAsCanceled) {
  Connect();
  {
    auto stream = StoreClient(*channel_).Series({}, {});
  }
  EXPECT_TRUE(Has(client_registry_, R"(grpc_client_handled_total{grpc_code="Canceled",grpc_method="Series",)"
                                    R"(grpc_service="thanos.Store",grpc_type="server_stream"} 1)"));
}

TEST_F(InterceptorTest, ACallReadToItsEndAndDroppedCountsItsOwnCode) {
  store_.end = {GrpcCode::kAborted, "gone"};
  Connect();
  {
    auto stream = StoreClient(*channel_).Series({}, {});
    std::string frame;
    while (*stream->Next(&frame)) {
    }
  }
  EXPECT_TRUE(Has(client_registry_, R"(grpc_client_handled_total{grpc_code="Aborted",grpc_method="Series",)"
                                    R"(grpc_service="thanos.Store",grpc_type="server_stream"} 1)"));
}

TEST_F(InterceptorTest, SpansOfClientServerAndHandlerAreOneTrace) {
  Connect();
  CallContext context;
  context.trace = *telemetry::SpanContext::FromTraceparent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
  ASSERT_TRUE(CallSeries(context).ok());
  MutexLock lock(mutex_);
  ASSERT_EQ(spans_.size(), 2u);
  const auto& server = spans_[spans_[0].kind == telemetry::SpanRecord::Kind::kServer ? 0 : 1];
  const auto& client = spans_[&server == &spans_[0] ? 1 : 0];
  EXPECT_EQ(client.kind, telemetry::SpanRecord::Kind::kClient);
  EXPECT_EQ(server.name, "/thanos.Store/Series");
  EXPECT_EQ(client.parent_id, context.trace.span_id);
  EXPECT_EQ(server.parent_id, client.context.span_id);
  EXPECT_EQ(store_.trace.span_id, server.context.span_id);
  EXPECT_EQ(store_.trace.trace_id, context.trace.trace_id);
}

TEST_F(InterceptorTest, HooksSeeStartAndEnd) {
  Connect();
  CallContext context;
  context.tenant = "team-a";
  ASSERT_TRUE(CallSeries(context).ok());
  MutexLock lock(mutex_);
  EXPECT_EQ(log_,
            (std::vector<std::string>{"start thanos.Store Series team-a OK 0", "end thanos.Store Series team-a OK 2"}));
}

TEST(DescribeMethod, KnowsTheTypesFromTheDescriptors) {
  EXPECT_EQ(DescribeMethod("/thanos.Store/Series").type, "server_stream");
  EXPECT_EQ(DescribeMethod("/thanos.Store/LabelNames").type, "unary");
  EXPECT_EQ(DescribeMethod("/no.Such/Method").type, "unary");
  EXPECT_EQ(DescribeMethod("/no.Such/Method").service, "no.Such");
  EXPECT_EQ(DescribeMethod("garbage").method, "");
}

}  // namespace
}  // namespace gauntlet::rpc
