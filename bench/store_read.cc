// Reads a Series answer from a StoreAPI endpoint as fast as it comes, and counts:
//   store_read ADDRESS METRIC START_MS END_MS TIMES [WITHOUT_LABEL]
// Prints: seconds chunk_bytes frame_bytes series chunks

#include <fmt/core.h>

#include <chrono>
#include <cstdlib>
#include <string>

#include "net/grpc/grpc.h"
#include "rpc/store.h"
#include "wire/series.h"

int main(int argc, char** argv) {
  using namespace gauntlet;
  if (argc < 6) {
    fmt::print(stderr, "usage: store_read ADDRESS METRIC START_MS END_MS TIMES [WITHOUT_LABEL]\n");
    return 2;
  }
  net::GrpcChannelOptions options;
  options.addresses = {argv[1]};
  auto channel = net::GrpcChannel::Make(options);
  if (!channel.ok()) return 1;
  rpc::StoreClient client(**channel);
  wire::SeriesRequest request;
  request.matchers = {Matcher::Equal("__name__", argv[2])};
  request.min_time_ms = std::atoll(argv[3]);
  request.max_time_ms = std::atoll(argv[4]);
  request.batch_size = 64;
  if (argc > 6) request.without_replica_labels = {argv[6]};
  uint64_t chunk_bytes = 0, frame_bytes = 0, series = 0, chunks = 0;
  auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < std::atoi(argv[5]); ++i) {
    auto stream = client.Series(request, {});
    wire::SeriesReader reader;
    std::string frame;
    while (true) {
      auto more = stream->Next(&frame);
      if (!more.ok() || !*more) break;
      frame_bytes += frame.size();
      reader.Reset(frame);
      while (true) {
        auto item = reader.Next();
        if (!item.ok()) return 1;
        if (!*item) break;
        if (reader.kind() == wire::SeriesReader::Kind::kWarning) {
          fmt::print(stderr, "warning: {}\n", reader.text());
          return 1;
        }
        ++series;
        for (const auto& chunk : reader.chunks()) {
          ++chunks;
          chunk_bytes += chunk.data.size();
        }
      }
    }
    net::GrpcStatus status = stream->status();
    if (!status.ok()) {
      fmt::print(stderr, "{}\n", status.message);
      return 1;
    }
  }
  double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  fmt::print("{} {} {} {} {}\n", seconds, chunk_bytes, frame_bytes, series, chunks);
  return 0;
}
