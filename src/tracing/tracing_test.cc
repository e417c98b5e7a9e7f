#include "tracing/tracing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <latch>
#include <map>

#include "base/mutex.h"
#include "base/varint.h"
#include "net/grpc/grpc.h"
#include "net/http/server.h"
#include "tracing/otlp.h"

namespace gauntlet::tracing {
namespace {

using std::chrono::milliseconds;
using telemetry::SpanRecord;
using testing::ElementsAre;
using testing::HasSubstr;

// A protobuf message as its fields: number -> values; numbers as decimal text.
std::multimap<int, std::string> Fields(std::string_view message) {
  std::multimap<int, std::string> fields;
  ByteReader reader(message);
  while (!reader.empty()) {
    uint64_t tag = 0, number = 0;
    std::string_view bytes;
    if (!reader.Uvarint(&tag)) break;
    int field = static_cast<int>(tag >> 3);
    if ((tag & 7) == 0 && reader.Uvarint(&number)) {
      fields.emplace(field, std::to_string(number));
    } else if ((tag & 7) == 1 && reader.Le64(&number)) {
      fields.emplace(field, std::to_string(number));
    } else if ((tag & 7) == 2 && reader.Prefixed(&bytes)) {
      fields.emplace(field, bytes);
    } else {
      ADD_FAILURE() << "malformed message";
      break;
    }
  }
  return fields;
}

std::string Only(const std::multimap<int, std::string>& fields, int field) {
  EXPECT_EQ(fields.count(field), 1u) << field;
  auto found = fields.find(field);
  return found == fields.end() ? "" : found->second;
}

std::map<std::string, std::string> Attributes(const std::multimap<int, std::string>& fields, int field) {
  std::map<std::string, std::string> attributes;
  for (auto [it, end] = fields.equal_range(field); it != end; ++it) {
    auto pair = Fields(it->second);
    attributes[Only(pair, 1)] = Only(Fields(Only(pair, 2)), 1);
  }
  return attributes;
}

// The messages of all spans in a request.
std::vector<std::string> SpansOf(std::string_view request) {
  std::vector<std::string> spans;
  auto scope = Fields(Only(Fields(Only(Fields(request), 1)), 2));
  for (auto [it, end] = scope.equal_range(2); it != end; ++it) spans.push_back(it->second);
  return spans;
}

TEST(EncodeSpans, WritesEveryField) {
  SpanRecord span;
  span.context.trace_id.fill(1);
  span.context.span_id.fill(2);
  span.parent_id.fill(3);
  span.name = "bad \xff name";
  span.kind = SpanRecord::Kind::kServer;
  span.start_unix_ns = 1'700'000'000'000'000'001;
  span.end_unix_ns = 1'700'000'000'000'000'002;
  span.attributes = {{"k", "v"}, {"empty", ""}};
  span.error = "went wrong";
  std::string request = EncodeSpans(std::vector{span, SpanRecord()}, {{"service.name", "query"}});
  auto resource = Fields(Only(Fields(Only(Fields(request), 1)), 1));
  EXPECT_EQ(Attributes(resource, 1), (std::map<std::string, std::string>{{"service.name", "query"}}));
  auto spans = SpansOf(request);
  ASSERT_EQ(spans.size(), 2u);
  auto fields = Fields(spans[0]);
  EXPECT_EQ(Only(fields, 1), std::string(16, '\1'));
  EXPECT_EQ(Only(fields, 2), std::string(8, '\2'));
  EXPECT_EQ(Only(fields, 4), std::string(8, '\3'));
  EXPECT_EQ(Only(fields, 5), "bad \xef\xbf\xbd name");
  EXPECT_EQ(Only(fields, 6), "2");
  EXPECT_EQ(Only(fields, 7), "1700000000000000001");
  EXPECT_EQ(Only(fields, 8), "1700000000000000002");
  EXPECT_EQ(Attributes(fields, 9), (std::map<std::string, std::string>{{"k", "v"}, {"empty", ""}}));
  EXPECT_EQ(Only(Fields(Only(fields, 15)), 2), "went wrong");
  EXPECT_EQ(Only(Fields(Only(fields, 15)), 3), "2");
  EXPECT_EQ(Fields(spans[1]).count(15), 0u);
}

// Remembers what was sent; fails as told.
struct Sent {
  Mutex mutex;
  CondVar changed;
  std::vector<size_t> batches GN_GUARDED_BY(mutex);
  std::vector<Status> answers GN_GUARDED_BY(mutex);

  SpanBatcher::Send Send() {
    return [this](const std::vector<SpanRecord>& spans, const Cancel&) {
      MutexLock lock(mutex);
      batches.push_back(spans.size());
      changed.NotifyAll();
      if (answers.empty()) return Status();
      Status answer = answers.front();
      answers.erase(answers.begin());
      return answer;
    };
  }
  std::vector<size_t> Batches() {
    MutexLock lock(mutex);
    return batches;
  }
  void Answer(std::vector<Status> with) {
    MutexLock lock(mutex);
    answers = std::move(with);
  }
};

class SpanBatcherTest : public testing::Test {
 protected:
  SpanBatcherTest() {
    options_.delay = std::chrono::hours(1);
    options_.retry.initial_interval = options_.retry.max_interval = milliseconds(1);
  }
  std::unique_ptr<SpanBatcher> Make(SpanBatcher::Send send) {
    return std::make_unique<SpanBatcher>(options_, std::move(send), registry_, telemetry::Logger::Discard(), pool_);
  }
  std::string Metrics() { return registry_.Expose(false); }

  ThreadPool pool_{"test", 4};
  telemetry::Registry registry_;
  SpanBatcherOptions options_;
  Sent sent_;
};

TEST_F(SpanBatcherTest, SendsFullBatchesAndTheRestAtTheEnd) {
  options_.batch_max = 3;
  auto batcher = Make(sent_.Send());
  auto add = batcher->exporter();
  for (int i = 0; i < 6; ++i) add(SpanRecord());
  {
    MutexLock lock(sent_.mutex);
    while (sent_.batches.size() < 2) sent_.changed.Wait(sent_.mutex);
  }
  add(SpanRecord());
  batcher.reset();
  EXPECT_THAT(sent_.Batches(), ElementsAre(3, 3, 1));
  add(SpanRecord());  // nobody is there any more
  EXPECT_THAT(Metrics(), HasSubstr("gauntlet_tracing_spans_exported_total 7\n"));
  EXPECT_THAT(Metrics(), HasSubstr("gauntlet_tracing_spans_dropped_total 1\n"));
}

TEST_F(SpanBatcherTest, SendsASmallBatchAfterTheDelay) {
  options_.delay = milliseconds(1);
  auto batcher = Make(sent_.Send());
  batcher->exporter()(SpanRecord());
  MutexLock lock(sent_.mutex);
  while (sent_.batches.empty()) sent_.changed.Wait(sent_.mutex);
  EXPECT_THAT(sent_.batches, ElementsAre(1));
}

TEST_F(SpanBatcherTest, DropsWhatTheQueueCannotHold) {
  options_.queue_max = options_.batch_max = 2;
  std::latch sending(1), go_on(1);
  auto batcher = Make([&](const std::vector<SpanRecord>&, const Cancel&) {
    if (!sending.try_wait()) sending.count_down();
    go_on.wait();
    return Status();
  });
  auto add = batcher->exporter();
  add(SpanRecord());
  add(SpanRecord());
  sending.wait();
  for (int i = 0; i < 5; ++i) add(SpanRecord());
  EXPECT_THAT(Metrics(), HasSubstr("gauntlet_tracing_spans_dropped_total 3\n"));
  go_on.count_down();
  batcher->Flush();
  EXPECT_THAT(Metrics(), HasSubstr("gauntlet_tracing_spans_exported_total 4\n"));
}

TEST_F(SpanBatcherTest, RetriesOnlyWhatMayPass) {
  sent_.Answer(
      {Status(Code::kUnavailable, "away"), Status(Code::kDeadline, "slow"), Status(), Status(Code::kInvalid, "never")});
  auto batcher = Make(sent_.Send());
  batcher->exporter()(SpanRecord());
  batcher->Flush();
  EXPECT_THAT(sent_.Batches(), ElementsAre(1, 1, 1));
  batcher->exporter()(SpanRecord());
  batcher->Flush();
  EXPECT_THAT(sent_.Batches(), ElementsAre(1, 1, 1, 1));
  EXPECT_THAT(Metrics(), HasSubstr("gauntlet_tracing_spans_exported_total 1\n"));
  EXPECT_THAT(Metrics(), HasSubstr("gauntlet_tracing_spans_dropped_total 1\n"));
}

TEST_F(SpanBatcherTest, EndCancelsASendThatHangs) {
  options_.shutdown_timeout = milliseconds(10);
  options_.delay = milliseconds(1);
  std::latch hanging(1);
  auto batcher = Make([&](const std::vector<SpanRecord>&, const Cancel& cancel) {
    std::latch stopped(1);
    auto registration = cancel.OnStop([&] { stopped.count_down(); });
    hanging.count_down();
    stopped.wait();
    return cancel.status();
  });
  batcher->exporter()(SpanRecord());
  hanging.wait();
  batcher->exporter()(SpanRecord());
  batcher.reset();
  EXPECT_THAT(Metrics(), HasSubstr("gauntlet_tracing_spans_dropped_total 2\n"));
}

struct Received {
  Mutex mutex;
  std::string request GN_GUARDED_BY(mutex);
  std::string key GN_GUARDED_BY(mutex);
  std::string Request() {
    MutexLock lock(mutex);
    return request;
  }
  std::string Key() {
    MutexLock lock(mutex);
    return key;
  }
};

std::string ConfigFor(const char* client, int port, const char* more) {
  return std::string("type: OTLP\nconfig: {client_type: ") + client +
         ", insecure: true, endpoint: '127.0.0.1:" + std::to_string(port) +
         "', service_name: svc, headers: {X-Key: k1}, " + more + "}\n";
}

void ExpectOneSpan(const std::string& request, const std::string& trace_id) {
  auto resource = Fields(Only(Fields(Only(Fields(request), 1)), 1));
  EXPECT_EQ(Attributes(resource, 1)["service.name"], "svc");
  auto spans = SpansOf(request);
  ASSERT_EQ(spans.size(), 1u);
  std::string hex;
  for (char c : Only(Fields(spans[0]), 1)) {
    hex += "0123456789abcdef"[static_cast<uint8_t>(c) >> 4];
    hex += "0123456789abcdef"[c & 15];
  }
  EXPECT_EQ(hex, trace_id);
  EXPECT_EQ(Only(Fields(spans[0]), 5), "work");
}

// Makes one span under `yaml` and waits until it was sent. Returns its trace id.
std::string TraceOnce(const std::string& yaml, Executor& executor) {
  telemetry::Registry registry;
  auto config = ParseTracingConfig(yaml);
  EXPECT_TRUE(config.ok()) << config.status().message();
  auto tracing = Tracing::Start(*config, "query", registry, telemetry::Logger::Discard(), executor);
  EXPECT_TRUE(tracing.ok()) << tracing.status().message();
  std::string trace_id = (*tracing)->tracer().Start("work", {}).context().TraceIdHex();
  (*tracing)->Flush();
  EXPECT_THAT(registry.Expose(false), HasSubstr("gauntlet_tracing_spans_exported_total 1\n"));
  return trace_id;
}

TEST(Tracing, ExportsOverGrpc) {
  ThreadPool pool("test", 8);
  Received received;
  std::map<std::string, net::GrpcHandler> methods;
  methods["/opentelemetry.proto.collector.trace.v1.TraceService/Export"] = [&](net::GrpcServerCall& call) {
    std::string message;
    auto got = call.Read(&message);
    auto key = call.metadata().find("x-key");
    MutexLock lock(received.mutex);
    if (got.ok() && *got) received.request = message;
    if (key != call.metadata().end()) received.key = key->second;
    return net::GrpcStatus(call.Write(""));
  };
  auto server = net::GrpcServer::Start({}, methods, nullptr, pool);
  ASSERT_TRUE(server.ok()) << server.status().message();
  for (const char* more : {"timeout: 30s", "timeout: 30s, compression: gzip"}) {
    std::string trace_id = TraceOnce(ConfigFor("grpc", (*server)->port(), more), pool);
    ExpectOneSpan(received.Request(), trace_id);
    EXPECT_EQ(received.Key(), "k1");
  }
}

TEST(Tracing, ExportsOverHttp) {
  ThreadPool pool("test", 8);
  Received received;
  auto server = net::HttpServer::Start(
      {},
      [&](net::HttpRequest& request, const Cancel&, net::HttpReply& reply) {
        if (request.method != "POST" || request.path != "/v1/traces" ||
            request.headers.Get("Content-Type") != "application/x-protobuf") {
          reply.SetStatus(404);
        }
        MutexLock lock(received.mutex);
        received.request = request.body;
        received.key = request.headers.Get("X-Key");
      },
      pool);
  ASSERT_TRUE(server.ok()) << server.status().message();
  for (const char* more : {"timeout: 30s", "timeout: 30s, compression: gzip"}) {
    std::string trace_id = TraceOnce(ConfigFor("http", (*server)->port(), more), pool);
    ExpectOneSpan(received.Request(), trace_id);
    EXPECT_EQ(received.Key(), "k1");
  }
}

TEST(Tracing, WithoutConfigurationOnlyPassesContextsOn) {
  InlineExecutor executor;
  telemetry::Registry registry;
  auto tracing = Tracing::Start(TracingConfig(), "query", registry, telemetry::Logger::Discard(), executor);
  ASSERT_TRUE(tracing.ok());
  EXPECT_FALSE((*tracing)->tracer().Start("x", {}).context().valid());
  EXPECT_EQ(registry.Expose(false), "");
}

}  // namespace
}  // namespace gauntlet::tracing
