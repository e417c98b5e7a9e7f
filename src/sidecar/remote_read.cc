#include "sidecar/remote_read.h"

#include <utility>

#include "base/executor.h"
#include "io/compress.h"
#include "net/http/client.h"
#include "sidecar/series_assembler.h"
#include "storeapi/pipe.h"
#include "tsdb/chunkenc/transcode.h"
#include "wire/chunked_read.h"
#include "wire/read_request.h"
#include "wire/time_series.h"

namespace gauntlet::sidecar {
namespace {

constexpr size_t kErrorBodyMax = 4096;
constexpr size_t kSampledBodyMax = size_t{1} << 30;
constexpr size_t kSamplesPerChunk = 120;

// One call: reads on the executor, is pulled by the caller.
class RemoteReadCall {
 public:
  RemoteReadCall(const PrometheusApi& api, RemoteReadRequest request, const RemoteReadOptions& options,
                 const Cancel& cancel)
      : api_(api),
        request_(std::move(request)),
        options_(options),
        cancel_(cancel),
        pipe_(options.pipe_bytes_max),
        assembler_(request_, options_,
                   [this](storeapi::SeriesBatchPtr batch) { return pipe_.Push(std::move(batch)); }) {}

  void Run() {
    Status st = Read();
    if (st.ok() || (assembler_.full() && st.code() == Code::kCancelled)) st = assembler_.Finish();
    pipe_.Close(std::move(st));
  }

  void Stop() {
    pipe_.Abandon();
    cancel_.Stop();
    pipe_.WaitClosed();
  }

  Result<storeapi::SeriesBatchPtr> Next() { return pipe_.Next(); }

 private:
  Status Read() {
    net::HttpCall call;
    call.method = "POST";
    call.url = api_.base_url() + "/api/v1/read";
    call.headers.Set("Content-Encoding", "snappy");
    call.headers.Set("Content-Type", "application/x-stream-protobuf");
    call.headers.Set("X-Prometheus-Remote-Read-Version", "0.1.0");
    call.headers.Set("User-Agent", options_.user_agent);
    wire::ReadRequest request;
    request.queries.push_back({request_.start_ms, request_.end_ms, request_.matchers, std::nullopt});
    request.accepts_chunks = true;
    call.body = io::SnappyCompress(wire::EncodeReadRequest(request));
    GN_TRY(api_.client()
               .Stream(
                   call, cancel_.cancel(), [this](const net::HttpAnswer& head) { return OnHead(head); },
                   [this](std::string_view bytes) { return OnBody(bytes); })
               .Wrap("remote read of " + api_.base_url()));
    return OnEnd();
  }

  Status OnHead(const net::HttpAnswer& head) {
    http_status_ = head.status;
    streamed_ = head.headers.Get("Content-Type").starts_with("application/x-streamed-protobuf");
    return Status();
  }

  Status OnBody(std::string_view bytes) {
    if (http_status_ / 100 != 2) {
      body_.append(bytes.substr(0, kErrorBodyMax - std::min(kErrorBodyMax, body_.size())));
      return Status();
    }
    if (!streamed_) {
      if (body_.size() + bytes.size() > kSampledBodyMax)
        return Status(Code::kExhausted, "sampled remote read answer of more than 1 GiB");
      body_.append(bytes);
      return Status();
    }
    std::string_view frame;
    while (true) {
      GN_ASSIGN(bool whole, frames_.Next(&bytes, &frame));
      if (!whole) return Status();
      GN_TRY(OnFrame(frame));
    }
  }

  Status OnFrame(std::string_view frame) {
    auto batch = std::make_shared<storeapi::SeriesBatch>();
    *batch->frame() = frame;
    reader_.Reset(*batch->frame());
    while (true) {
      GN_ASSIGN(bool more, reader_.Next());
      if (!more) break;
      batch->Add(reader_.labels(), reader_.chunks());
    }
    GN_TRY(assembler_.Add(batch));
    return assembler_.full() ? Status(Code::kCancelled, "enough series") : Status();
  }

  Status OnEnd() {
    if (http_status_ / 100 != 2) {
      Code code = http_status_ == 400 || http_status_ == 422 ? Code::kInvalid : Code::kUnavailable;
      return Status(code, "request failed with code " + std::to_string(http_status_) + ". Body: " + body_);
    }
    if (streamed_) return frames_.Finish().Wrap("remote read of " + api_.base_url());
    return OnSamples();
  }

  // Prometheus before 2.13, or one that cannot stream: samples, which we make chunks of.
  Status OnSamples() {
    GN_ASSIGN(std::string response, io::SnappyDecompress(body_, kSampledBodyMax));
    body_ = std::string();
    GN_ASSIGN(std::vector<std::string_view> messages, wire::ReadResponseSeries(response));
    wire::TimeSeriesReader reader;
    Samples samples;
    for (std::string_view message : messages) {
      GN_TRY(reader.Read(message, &samples));
      std::vector<tsdb::EncodedChunk> encoded;
      tsdb::EncodeSamples(samples, kSamplesPerChunk, &encoded);
      GN_TRY(assembler_.Add(storeapi::BatchOf(reader.labels(), encoded)));
      if (assembler_.full()) return Status();
    }
    return Status();
  }

  const PrometheusApi& api_;
  const RemoteReadRequest request_;
  const RemoteReadOptions options_;
  CancelSource cancel_;
  storeapi::Pipe pipe_;
  SeriesAssembler assembler_;
  int http_status_ = 0;
  bool streamed_ = false;
  std::string body_;
  wire::ChunkedFrames frames_;
  wire::ChunkedSeriesReader reader_;
};

class RemoteReadStream : public storeapi::SeriesStream {
 public:
  RemoteReadStream(std::shared_ptr<RemoteReadCall> call, Executor& executor) : call_(std::move(call)) {
    executor.Run([call = call_] { call->Run(); });
  }
  ~RemoteReadStream() override { call_->Stop(); }
  Result<storeapi::SeriesBatchPtr> Next() override { return call_->Next(); }

 private:
  std::shared_ptr<RemoteReadCall> call_;
};

}  // namespace

std::unique_ptr<storeapi::SeriesStream> StartRemoteRead(const PrometheusApi& api, Executor& executor,
                                                        RemoteReadRequest request, const RemoteReadOptions& options,
                                                        const Cancel& cancel) {
  return std::make_unique<RemoteReadStream>(std::make_shared<RemoteReadCall>(api, std::move(request), options, cancel),
                                            executor);
}

}  // namespace gauntlet::sidecar
