#include "rpc/store.h"

#include "proto/thanos/store.pb.h"
#include "rpc/glue.h"

namespace gauntlet::rpc {
namespace {

using net::GrpcStatus;

constexpr const char* kSeries = "/thanos.Store/Series";
constexpr const char* kLabelNames = "/thanos.Store/LabelNames";
constexpr const char* kLabelValues = "/thanos.Store/LabelValues";
constexpr size_t kSeriesBatchBytes = 1 << 20;  // a batch is sent at this size, whatever its number of series

template <typename Request, typename Method>
net::GrpcHandler LabelsHandler(Result<Request> (*decode)(std::string_view, const MatcherMaker&), StoreService& service,
                               Method method, const MatcherMaker& make) {
  return UnaryHandler([=, &service](std::string_view bytes, std::string* answer, const CallContext& context) {
    auto request = decode(bytes, make);
    if (!request.ok()) return BadRequest(request.status());
    wire::LabelsResponse response;
    GrpcStatus status = (service.*method)(*request, &response, context);
    if (status.ok()) *answer = wire::EncodeLabelsResponse(response);
    return status;
  });
}

GrpcStatus CallLabels(net::GrpcChannel& channel, const char* method, std::string_view request,
                      wire::LabelsResponse* response, const CallContext& context) {
  std::string answer;
  if (GrpcStatus status = CallUnary(channel, method, request, context, &answer); !status.ok()) return status;
  auto decoded = wire::DecodeLabelsResponse(answer);
  if (!decoded.ok()) return decoded.status();
  *response = *std::move(decoded);
  return {};
}

}  // namespace

void RegisterStore(StoreService& service, MethodMap* methods, MatcherMaker make) {
  thanos::SeriesRequest::descriptor();  // linked in, for reflection
  (*methods)[kSeries] = StreamHandler(
      [&service, make](std::string_view bytes, net::GrpcServerCall& call, const CallContext& context) -> GrpcStatus {
        auto request = wire::DecodeSeriesRequest(bytes, make);
        if (!request.ok()) return BadRequest(request.status());
        FrameWriter writer(request->batch_size, [&call](std::string_view frame) { return call.Write(frame); });
        if (GrpcStatus status = service.Series(*request, writer, context); !status.ok()) return status;
        return writer.Flush();
      });
  (*methods)[kLabelNames] = LabelsHandler(&wire::DecodeLabelNamesRequest, service, &StoreService::LabelNames, make);
  (*methods)[kLabelValues] = LabelsHandler(&wire::DecodeLabelValuesRequest, service, &StoreService::LabelValues, make);
}

Status FrameWriter::Series(LabelsView labels, std::span<const wire::ChunkView> chunks) {
  if (!batches()) {
    wire::AppendSeriesFrame(frame_, labels, chunks);
    return SendFrame();
  }
  batch_.Add(labels, chunks);
  return FlushWhenFull();
}

Status FrameWriter::EncodedSeries(std::string_view series) {
  if (!batches()) {
    wire::AppendEncodedSeriesFrame(frame_, series);
    return SendFrame();
  }
  batch_.AddEncoded(series);
  return FlushWhenFull();
}

Status FrameWriter::Warning(std::string_view warning) {
  GN_TRY(Flush());
  wire::AppendWarningFrame(frame_, warning);
  return SendFrame();
}

Status FrameWriter::Hints(std::string_view any) {
  GN_TRY(Flush());
  wire::AppendHintsFrame(frame_, any);
  return SendFrame();
}

Status FrameWriter::SendFrame() {
  Status sent = send_(frame_);
  frame_.clear();
  return sent;
}

Status FrameWriter::FlushWhenFull() {
  return static_cast<int64_t>(batch_.series()) >= batch_size_ || batch_.bytes() >= kSeriesBatchBytes ? Flush()
                                                                                                     : Status();
}

Status FrameWriter::Flush() {
  if (batch_.series() == 0) return {};
  Status sent = send_(batch_.Frame());
  batch_.Clear();
  return sent;
}

std::unique_ptr<SeriesStream> StoreClient::Series(const wire::SeriesRequest& request, const CallContext& context) {
  auto call = channel_.Start(kSeries, MetadataOf(context), context.cancel);
  if (call->Write(wire::EncodeSeriesRequest(request)).ok()) (void)call->WritesDone();
  return std::make_unique<SeriesStream>(std::move(call));
}

GrpcStatus StoreClient::LabelNames(const wire::LabelNamesRequest& request, wire::LabelsResponse* response,
                                   const CallContext& context) {
  return CallLabels(channel_, kLabelNames, wire::EncodeLabelNamesRequest(request), response, context);
}

GrpcStatus StoreClient::LabelValues(const wire::LabelValuesRequest& request, wire::LabelsResponse* response,
                                    const CallContext& context) {
  return CallLabels(channel_, kLabelValues, wire::EncodeLabelValuesRequest(request), response, context);
}

}  // namespace gauntlet::rpc
