// The services over the real transport, on a loopback port.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/executor.h"
#include "base/mutex.h"
#include "rpc/health.h"
#include "rpc/info.h"
#include "rpc/interceptor.h"
#include "rpc/observed_channel.h"
#include "rpc/reflection.h"
#include "rpc/store.h"

namespace gauntlet::rpc {
namespace {

using net::GrpcCode;
using net::GrpcStatus;
using std::chrono::milliseconds;
using std::chrono::seconds;

class FakeStore : public StoreService, public InfoService {
 public:
  GrpcStatus Series(const wire::SeriesRequest& request, SeriesWriter& out, const CallContext& context) override {
    tenant = context.tenant;
    std::string data(200, 'x');
    for (int64_t i = 0; i < request.limit; ++i) {
      Labels labels = Labels::From({{"__name__", "m"}, {"n", std::to_string(100'000 + i)}});
      wire::ChunkView chunk{i, i + 1, data, 7, 1};
      if (Status sent = out.Series(labels, {&chunk, 1}); !sent.ok()) return sent;
    }
    if (request.aborts()) return {GrpcCode::kAborted, "source s1: gone"};
    return {};
  }
  GrpcStatus LabelNames(const wire::LabelNamesRequest&, wire::LabelsResponse* response, const CallContext&) override {
    response->values = {"__name__", "n"};
    return {};
  }
  GrpcStatus LabelValues(const wire::LabelValuesRequest&, wire::LabelsResponse*, const CallContext& context) override {
    Mutex mutex;
    CondVar never;
    MutexLock lock(mutex);
    while (!context.cancel.stopped()) never.WaitUntil(mutex, context.cancel.DeadlineOr(milliseconds(10)));
    return context.cancel.status();
  }
  GrpcStatus GetInfo(Info* info, const CallContext&) override {
    info->component = "store";
    return {};
  }
  std::string tenant;
};

class TransportTest : public testing::Test {
 protected:
  TransportTest() {
    MethodMap methods;
    RegisterStore(store_, &methods);
    RegisterInfo(store_, &methods);
    health_.Register(&methods);
    RegisterReflection(&methods);
    ServerInterceptorOptions options;
    options.registry = &registry_;
    auto interceptor = MakeServerInterceptor(std::move(options), methods);
    auto server = net::GrpcServer::Start({}, methods, std::move(interceptor), pool_);
    EXPECT_TRUE(server.ok()) << server.status().message();
    server_ = *std::move(server);
    net::GrpcChannelOptions channel;
    channel.addresses = {"127.0.0.1:" + std::to_string(server_->port())};
    auto made = net::GrpcChannel::Make(channel);
    EXPECT_TRUE(made.ok()) << made.status().message();
    channel_ = std::make_unique<ObservedChannel>(*std::move(made), ClientInstruments{&client_metrics_});
    context_.cancel = deadline_.cancel();
    context_.tenant = "team-a";
  }
  ~TransportTest() override {
    channel_.reset();
    server_->Shutdown(seconds(0));
  }

  // The number of series, or -1 when one does not read.
  int Drain(SeriesStream& stream) {
    std::string frame;
    wire::SeriesReader reader;
    int series = 0;
    for (;;) {
      Result<bool> next = stream.Next(&frame);
      if (!next.ok()) return -1;
      if (!*next) return series;
      reader.Reset(frame);
      for (;;) {
        auto item = reader.Next();
        if (!item.ok()) return -1;
        if (!*item) break;
        if (reader.labels().Get("n") != std::to_string(100'000 + series)) return -1;
        ++series;
      }
    }
  }

  FakeStore store_;
  HealthService health_;
  telemetry::Registry registry_, client_registry_;
  CallMetrics client_metrics_{client_registry_, CallMetrics::Side::kClient};
  CancelSource deadline_{Cancel(), seconds(60)};
  CallContext context_;
  ThreadPool pool_{"rpc", 8};
  std::unique_ptr<net::GrpcServer> server_;
  std::unique_ptr<net::GrpcChannel> channel_;
};

TEST_F(TransportTest, SeriesStreamThroughWithTheirContext) {
  for (int64_t batch_size : {1, 64}) {
    wire::SeriesRequest request;
    request.limit = 20'000;  // several windows of data
    request.batch_size = batch_size;
    auto stream = StoreClient(*channel_).Series(request, context_);
    EXPECT_EQ(Drain(*stream), 20'000);
    GrpcStatus status = stream->status();
    EXPECT_TRUE(status.ok()) << status.message;
    EXPECT_EQ(store_.tenant, "team-a");
  }
}

TEST_F(TransportTest, AbortedArrivesAsAborted) {
  wire::SeriesRequest request;
  request.limit = 3;
  request.partial_response = wire::PartialResponse::kAbort;
  auto stream = StoreClient(*channel_).Series(request, context_);
  EXPECT_EQ(Drain(*stream), 3);
  GrpcStatus status = stream->status();
  EXPECT_EQ(status.code, GrpcCode::kAborted);
  EXPECT_EQ(status.message, "source s1: gone");
}

TEST_F(TransportTest, UnaryCallsAnswer) {
  wire::LabelsResponse response;
  ASSERT_TRUE(StoreClient(*channel_).LabelNames({}, &response, context_).ok());
  EXPECT_EQ(response.values, (std::vector<std::string>{"__name__", "n"}));
  Info info;
  ASSERT_TRUE(MakeInfoClient(*channel_)->GetInfo(&info, context_).ok());
  EXPECT_EQ(info.component, "store");
}

TEST_F(TransportTest, TheClientsDeadlineEndsTheHandler) {
  CancelSource soon(Cancel(), milliseconds(30));
  CallContext context;
  context.cancel = soon.cancel();
  wire::LabelsResponse response;
  wire::LabelValuesRequest request;
  EXPECT_EQ(StoreClient(*channel_).LabelValues(request, &response, context).code, GrpcCode::kDeadlineExceeded);
  // The server's shutdown waits for the handler.
}

TEST_F(TransportTest, BothSidesCount) {
  wire::LabelsResponse response;
  ASSERT_TRUE(StoreClient(*channel_).LabelNames({}, &response, context_).ok());
  std::string labels = R"(handled_total{grpc_code="OK",grpc_method="LabelNames",grpc_service="thanos.Store",)"
                       R"(grpc_type="unary"} 1)";
  EXPECT_NE(client_registry_.Expose(false).find("grpc_client_" + labels), std::string::npos);
  server_->Shutdown(seconds(10));  // the handler's end is counted after the client has its answer
  EXPECT_NE(registry_.Expose(false).find("grpc_server_" + labels), std::string::npos);
}

}  // namespace
}  // namespace gauntlet::rpc
