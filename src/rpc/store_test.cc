#include "rpc/store.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/executor.h"
#include "rpc/loopback_channel.h"
#include "rpc/status.h"

namespace gauntlet::rpc {
namespace {

using net::GrpcCode;
using net::GrpcStatus;
using std::chrono::milliseconds;

// Answers `series` series named n="0", n="1", .. with one chunk each, a warning in the middle and hints at the end.
class FakeStore : public StoreService {
 public:
  GrpcStatus Series(const wire::SeriesRequest& request, SeriesWriter& out, const CallContext& context) override {
    last_request = request;
    last_context = context;
    for (int i = 0; i < series; ++i) {
      if (i == fail_at) return {GrpcCode::kAborted, "store s2 is gone"};
      Labels labels = Labels::From({{"n", std::to_string(i)}});
      wire::ChunkView chunk{i, i + 1, "data", 0, 1};
      if (Status sent = out.Series(labels, {&chunk, 1}); !sent.ok()) return sent;
      ++written;
      if (i == 2)
        if (Status sent = out.Warning("late"); !sent.ok()) return sent;
    }
    return out.Hints("any");
  }
  GrpcStatus LabelNames(const wire::LabelNamesRequest& request, wire::LabelsResponse* response,
                        const CallContext&) override {
    response->values = {"a", "b"};
    response->warnings = {request.limit == 1 ? "cut" : "whole"};
    return {};
  }
  GrpcStatus LabelValues(const wire::LabelValuesRequest& request, wire::LabelsResponse* response,
                         const CallContext&) override {
    if (request.label.empty()) return {GrpcCode::kInvalidArgument, "label name parameter cannot be empty"};
    response->values = {request.label + "1"};
    return {};
  }

  int series = 5, fail_at = -1;
  std::atomic<int> written{0};
  wire::SeriesRequest last_request;
  CallContext last_context;
};

class StoreTest : public testing::Test {
 protected:
  StoreTest() {
    MethodMap methods;
    RegisterStore(store_, &methods);
    channel_ = std::make_unique<LoopbackChannel>(methods, pool_);
    client_ = std::make_unique<StoreClient>(*channel_);
  }

  // Each frame as "s:0 s:1" (a batch), "w:late", "h:any".
  std::vector<std::string> Drain(SeriesStream& stream) {
    std::vector<std::string> frames;
    std::string frame;
    wire::SeriesReader reader;
    for (;;) {
      Result<bool> next = stream.Next(&frame);
      if (!next.ok() || !*next) return frames;
      reader.Reset(frame);
      std::string text;
      for (;;) {
        auto item = reader.Next();
        EXPECT_TRUE(item.ok());
        if (!item.ok() || !*item) break;
        if (!text.empty()) text += ' ';
        if (reader.kind() == wire::SeriesReader::Kind::kSeries) {
          text += "s:" + std::string(reader.labels().Get("n"));
          EXPECT_EQ(reader.chunks().size(), 1u);
        } else {
          text += reader.kind() == wire::SeriesReader::Kind::kWarning ? "w:" : "h:";
          text += reader.text();
        }
      }
      frames.push_back(text);
    }
  }

  FakeStore store_;
  ThreadPool pool_{"test", 8};
  std::unique_ptr<LoopbackChannel> channel_;
  std::unique_ptr<StoreClient> client_;
};

using Frames = std::vector<std::string>;

TEST_F(StoreTest, SeriesComeOneToAFrame) {
  for (int64_t batch_size : {0, 1}) {
    wire::SeriesRequest request;
    request.batch_size = batch_size;
    auto stream = client_->Series(request, {});
    EXPECT_EQ(Drain(*stream), (Frames{"s:0", "s:1", "s:2", "w:late", "s:3", "s:4", "h:any"}));
    EXPECT_TRUE(stream->status().ok());
  }
}

TEST_F(StoreTest, BatchesAreFlushedBeforeOtherFramesAndAtTheEnd) {
  wire::SeriesRequest request;
  request.batch_size = 2;
  auto stream = client_->Series(request, {});
  EXPECT_EQ(Drain(*stream), (Frames{"s:0 s:1", "s:2", "w:late", "s:3 s:4", "h:any"}));
  EXPECT_TRUE(stream->status().ok());
}

TEST_F(StoreTest, LargeBatchesAreSentEarly) {
  std::vector<size_t> frames;
  FrameWriter writer(1000, [&](std::string_view frame) {
    frames.push_back(frame.size());
    return Status();
  });
  std::string data(300'000, 'x');
  wire::ChunkView chunk{0, 1, data, 0, 1};
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(writer.Series({}, {&chunk, 1}).ok());
  EXPECT_EQ(frames.size(), 1u);
  ASSERT_TRUE(writer.Flush().ok());
  EXPECT_EQ(frames.size(), 2u);
  EXPECT_LT(frames[0], 1'500'000u);
}

TEST_F(StoreTest, RequestAndContextArriveWhole) {
  wire::SeriesRequest request;
  request.matchers = {Matcher::Equal("job", "x")};
  request.limit = 7;
  CallContext context;
  context.tenant = "team-a";
  context.request_id = "01ABC";
  context.trace = *telemetry::SpanContext::FromTraceparent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
  auto stream = client_->Series(request, context);
  Drain(*stream);
  EXPECT_EQ(store_.last_request.matchers, request.matchers);
  EXPECT_EQ(store_.last_request.limit, 7);
  EXPECT_EQ(store_.last_context.tenant, "team-a");
  EXPECT_EQ(store_.last_context.request_id, "01ABC");
  EXPECT_EQ(store_.last_context.trace.ToTraceparent(), context.trace.ToTraceparent());
}

TEST_F(StoreTest, FailureComesAfterTheSeriesBeforeIt) {
  store_.fail_at = 2;
  auto stream = client_->Series({}, {});
  EXPECT_EQ(Drain(*stream), (Frames{"s:0", "s:1"}));
  EXPECT_EQ(stream->status().code, GrpcCode::kAborted);
  EXPECT_EQ(stream->status().message, "store s2 is gone");
}

TEST_F(StoreTest, AReaderThatIsBehindStopsTheWriter) {
  store_.series = 1000;
  auto stream = client_->Series({}, {});
  std::string frame;
  ASSERT_TRUE(*stream->Next(&frame));
  EXPECT_LE(store_.written.load(), 1 + 4 + 1);  // read, in the window, about to be written
  EXPECT_EQ(Drain(*stream).size(), 1000u + 1);
}

TEST_F(StoreTest, DroppingTheStreamEndsTheHandler) {
  store_.series = 1'000'000'000;
  {
    auto stream = client_->Series({}, {});
    std::string frame;
    ASSERT_TRUE(*stream->Next(&frame));
  }
  // The pool's destruction waits for the handler.
}

TEST_F(StoreTest, ADeadlineEndsTheStream) {
  store_.series = 1'000'000'000;
  CancelSource soon(Cancel(), milliseconds(5));
  CallContext context;
  context.cancel = soon.cancel();
  auto stream = client_->Series({}, context);
  std::string frame;
  for (;;) {
    Result<bool> next = stream->Next(&frame);
    if (next.ok() && *next) continue;
    GrpcCode code = next.ok() ? stream->status().code : GrpcStatus(next.status()).code;
    EXPECT_EQ(code, GrpcCode::kDeadlineExceeded);
    break;
  }
}

TEST_F(StoreTest, BrokenRequestsEndAsInGrpcGo) {
  std::string answer;
  auto call = channel_->Start("/thanos.Store/Series", {}, Cancel());
  ASSERT_TRUE(call->Write("\x1a\x7f").ok());
  ASSERT_TRUE(call->WritesDone().ok());
  EXPECT_FALSE(*call->Read(&answer));
  EXPECT_EQ(call->Finish().code, GrpcCode::kInternal);

  call = channel_->Start("/thanos.Store/Series", {}, Cancel());  // matcher a=~"("
  ASSERT_TRUE(call->Write(std::string_view("\x1a\x08\x08\x02\x12\x01\x61\x1a\x01(", 10)).ok());
  ASSERT_TRUE(call->WritesDone().ok());
  EXPECT_FALSE(*call->Read(&answer));
  EXPECT_EQ(call->Finish().code, GrpcCode::kInvalidArgument);
}

TEST_F(StoreTest, LabelCallsAnswerWithWarnings) {
  wire::LabelNamesRequest names;
  names.limit = 1;
  wire::LabelsResponse response;
  ASSERT_TRUE(client_->LabelNames(names, &response, {}).ok());
  EXPECT_EQ(response.values, (Frames{"a", "b"}));
  EXPECT_EQ(response.warnings, (Frames{"cut"}));
  wire::LabelValuesRequest values;
  values.label = "job";
  ASSERT_TRUE(client_->LabelValues(values, &response, {}).ok());
  EXPECT_EQ(response.values, (Frames{"job1"}));
  GrpcStatus status = client_->LabelValues({}, &response, {});
  EXPECT_EQ(status.code, GrpcCode::kInvalidArgument);
  EXPECT_EQ(status.message, "label name parameter cannot be empty");
}

TEST_F(StoreTest, UnknownMethodsAreUnimplemented) {
  LoopbackChannel empty({}, pool_);
  wire::LabelsResponse response;
  EXPECT_EQ(StoreClient(empty).LabelNames({}, &response, {}).code, GrpcCode::kUnimplemented);
}

TEST(RpcStatus, AbortedByKeepsWhatTheCallerCanActOn) {
  EXPECT_EQ(AbortedBy(Status(Code::kUnavailable, "down")).code, GrpcCode::kAborted);
  EXPECT_EQ(AbortedBy(Status(Code::kCorrupt, "bad")).code, GrpcCode::kAborted);
  EXPECT_EQ(AbortedBy(Status(Code::kExhausted, "limit")).code, GrpcCode::kResourceExhausted);
  EXPECT_EQ(AbortedBy(Status(Code::kDeadline, "late")).code, GrpcCode::kDeadlineExceeded);
  EXPECT_EQ(AbortedBy(Status(Code::kUnavailable, "down")).message, "down");
}

TEST(RpcStatus, WarningsCarryCodesInTheirText) {
  std::string text = ErrorText({GrpcCode::kResourceExhausted, "exceeded series limit"});
  EXPECT_EQ(text, "rpc error: code = ResourceExhausted desc = exceeded series limit");
  EXPECT_EQ(AbortedByWarning("receive series from s1: " + text).code, GrpcCode::kResourceExhausted);
  EXPECT_EQ(AbortedByWarning("store is late").code, GrpcCode::kAborted);
}

}  // namespace
}  // namespace gauntlet::rpc
