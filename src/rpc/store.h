// Store: StoreAPI as an interface that a database, a bucket or a proxy implements, and the client of a remote one.
//
// Handlers push series; a client pulls frames, because a merge reads many streams at its own pace.
//
// Format:   proto/thanos/store.proto      Upstream: thanos pkg/store/storepb
// Threads:  services are called from many threads at once; a SeriesWriter and a SeriesStream belong to one.

#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "rpc/context.h"
#include "rpc/method.h"
#include "wire/series_writer.h"
#include "wire/store_request.h"

namespace gauntlet::rpc {

// Where a Series call's answers go. Series come in label order. An error means that nobody listens: stop, return it.
class SeriesWriter {
 public:
  virtual ~SeriesWriter() = default;
  virtual Status Series(LabelsView labels, std::span<const wire::ChunkView> chunks) = 0;
  virtual Status EncodedSeries(std::string_view series) = 0;  // wire::SeriesReader::encoded(), passed on
  virtual Status Warning(std::string_view warning) = 0;
  virtual Status Hints(std::string_view any) = 0;
};

class StoreService {
 public:
  virtual ~StoreService() = default;
  virtual net::GrpcStatus Series(const wire::SeriesRequest& request, SeriesWriter& out, const CallContext& context) = 0;
  virtual net::GrpcStatus LabelNames(const wire::LabelNamesRequest& request, wire::LabelsResponse* response,
                                     const CallContext& context) = 0;
  virtual net::GrpcStatus LabelValues(const wire::LabelValuesRequest& request, wire::LabelsResponse* response,
                                      const CallContext& context) = 0;
};

// Adds the service's methods. `service` must outlive the server; `make` makes the matchers of its requests.
void RegisterStore(StoreService& service, MethodMap* methods, MatcherMaker make = Matcher::Make);

// Writes frames of up to `batch_size` series (0 and 1: one series each) and about a megabyte, and sends them with
// `send`. Series are held back until a batch is full: end with Flush().
class FrameWriter : public SeriesWriter {
 public:
  FrameWriter(int64_t batch_size, std::function<Status(std::string_view frame)> send)
      : batch_size_(batch_size), send_(std::move(send)) {}
  Status Series(LabelsView labels, std::span<const wire::ChunkView> chunks) override;
  Status EncodedSeries(std::string_view series) override;
  Status Warning(std::string_view warning) override;
  Status Hints(std::string_view any) override;
  Status Flush();

 private:
  bool batches() const { return batch_size_ > 1; }
  Status SendFrame();
  Status FlushWhenFull();

  const int64_t batch_size_;
  const std::function<Status(std::string_view frame)> send_;
  wire::SeriesBatch batch_;
  std::string frame_;
};

// The answers of a Series call under way. Dropping it ends the call.
class SeriesStream {
 public:
  explicit SeriesStream(std::unique_ptr<net::GrpcClientCall> call) : call_(std::move(call)) {}
  // The next SeriesResponse, for wire::SeriesReader; false at the end: ask status(). With a timeout, kDeadline when no
  // frame came in time; the call stays open.
  Result<bool> Next(std::string* frame, std::optional<std::chrono::milliseconds> timeout = std::nullopt) {
    return call_->Read(frame, timeout);
  }
  // True when Next() would not wait.
  bool Ready() const { return call_->Ready(); }
  // How the call ended. REQUIRES: Next() returned false or an error other than of its timeout.
  net::GrpcStatus status() { return call_->Finish(); }
  void Stop() { call_->Stop(); }

 private:
  std::unique_ptr<net::GrpcClientCall> call_;
};

// Thread-safe, like its channel, which must outlive it and its streams.
class StoreClient {
 public:
  explicit StoreClient(net::GrpcChannel& channel) : channel_(channel) {}
  // Never null; what goes wrong shows in Next() and status().
  std::unique_ptr<SeriesStream> Series(const wire::SeriesRequest& request, const CallContext& context);
  net::GrpcStatus LabelNames(const wire::LabelNamesRequest& request, wire::LabelsResponse* response,
                             const CallContext& context);
  net::GrpcStatus LabelValues(const wire::LabelValuesRequest& request, wire::LabelsResponse* response,
                              const CallContext& context);

 private:
  net::GrpcChannel& channel_;
};

}  // namespace gauntlet::rpc
