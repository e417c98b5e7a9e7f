#include "wire/chunked_read.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "proto/prometheus/remote.pb.h"
#include "wire/series_writer.h"

namespace gauntlet::wire {
namespace {

using Messages = std::vector<std::string>;

std::string Stream(const Messages& messages) {
  std::string stream;
  for (const std::string& message : messages) AppendChunkedFrame(stream, message);
  return stream;
}

// Feeds the stream in pieces of `next_size()` bytes, each a buffer of its own that dies afterwards.
template <typename NextSize>
Result<Messages> Cut(std::string_view stream, NextSize next_size) {
  ChunkedFrames frames;
  Messages messages;
  while (!stream.empty()) {
    std::string piece(stream.substr(0, next_size()));
    stream.remove_prefix(piece.size());
    piece.shrink_to_fit();
    std::string_view input = piece, frame;
    for (;;) {
      GN_ASSIGN(bool whole, frames.Next(&input, &frame));
      if (!whole) break;
      messages.emplace_back(frame);
    }
    EXPECT_TRUE(input.empty());
  }
  GN_TRY(frames.Finish());
  return messages;
}

Messages SomeMessages() {
  return {"", "a", std::string(127, 'b'), std::string(128, 'c'), std::string(20'000, 'd'), "e"};
}

TEST(ChunkedFrames, ComeWholeHoweverTheStreamIsCut) {
  Messages messages = SomeMessages();
  std::string stream = Stream(messages);
  for (size_t size : {size_t{1}, size_t{2}, size_t{3}, size_t{5}, size_t{7}, size_t{100}, stream.size()}) {
    auto got = Cut(stream, [=] { return size; });
    ASSERT_TRUE(got.ok()) << size << ": " << got.status().message();
    EXPECT_EQ(*got, messages) << size;
  }
  std::mt19937_64 random(1);
  for (int round = 0; round < 200; ++round) {
    auto got = Cut(stream, [&] { return 1 + random() % 300; });
    ASSERT_TRUE(got.ok());
    EXPECT_EQ(*got, messages);
  }
}

TEST(ChunkedFrames, WholeFramesAreNotCopied) {
  std::string stream = Stream({"abc", "def"});
  std::string_view input = stream, frame;
  ChunkedFrames frames;
  ASSERT_TRUE(*frames.Next(&input, &frame));
  EXPECT_EQ(frame.data(), stream.data() + 5);
  ASSERT_TRUE(*frames.Next(&input, &frame));
  EXPECT_EQ(frame, "def");
  EXPECT_FALSE(*frames.Next(&input, &frame));
}

TEST(ChunkedFrames, BytesAreThoseOfPrometheus) {
  // CRC-32C of "123456789" is e3069283, big-endian on the wire.
  EXPECT_EQ(Stream({"123456789"}), std::string("\x09\xe3\x06\x92\x83"
                                               "123456789"));
}

TEST(ChunkedFrames, EveryTruncationIsCorruptUnlessAtABorder) {
  Messages messages = {"ab", std::string(200, 'x'), "c"};
  std::string stream = Stream(messages);
  for (size_t cut = 0; cut < stream.size(); ++cut) {
    auto got = Cut(std::string_view(stream).substr(0, cut), [] { return 4; });
    bool border = cut == 0 || cut == 7 || cut == 7 + 2 + 4 + 200;
    EXPECT_EQ(got.ok(), border) << cut;
    if (!got.ok()) {
      EXPECT_EQ(got.status().code(), Code::kCorrupt);
    }
  }
}

TEST(ChunkedFrames, EveryFlippedBitOfAPayloadIsCorrupt) {
  std::string stream = Stream({"some payload"});
  for (size_t at = 1; at < stream.size(); ++at)
    for (int bit = 0; bit < 8; ++bit) {
      std::string bad = stream;
      bad[at] = static_cast<char>(bad[at] ^ 1 << bit);
      auto got = Cut(bad, [&] { return bad.size(); });
      ASSERT_FALSE(got.ok());
      EXPECT_EQ(got.status().message(), "remote read stream: frame of 12 bytes at byte 0: checksum mismatch");
    }
}

TEST(ChunkedFrames, AFrameOverTheLimitIsRefusedByItsHeader) {
  ChunkedFrames frames(100);
  std::string stream = Stream({std::string(100, 'x'), std::string(101, 'x')});
  std::string_view input = std::string_view(stream).substr(0, 105 + 5), frame;  // no payload of the second is needed
  ASSERT_TRUE(*frames.Next(&input, &frame));
  auto refused = frames.Next(&input, &frame);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.status().code(), Code::kExhausted);
  EXPECT_EQ(refused.status().message(), "remote read stream: frame of 101 bytes at byte 105, the limit is 100");
}

TEST(ChunkedFrames, ALengthThatIsNoVarintIsCorrupt) {
  for (size_t size : {1, 3, 20}) {
    auto got = Cut(std::string(20, '\xff'), [=] { return size; });
    ASSERT_FALSE(got.ok());
    EXPECT_EQ(got.status().code(), Code::kCorrupt);
  }
}

// ---- Series in a frame ----

prometheus::ChunkedReadResponse SomeResponse() {
  prometheus::ChunkedReadResponse response;
  response.set_query_index(3);
  for (int i = 0; i < 3; ++i) {
    auto* series = response.add_chunked_series();
    for (auto [name, value] : {std::pair("__name__", "up"), std::pair("job", "node")}) {
      auto* label = series->add_labels();
      label->set_name(name);
      label->set_value(value + std::to_string(i));
    }
    for (int c = 1; c <= 2 * i; ++c) {
      auto* chunk = series->add_chunks();
      chunk->set_min_time_ms(-c);
      chunk->set_max_time_ms(1767571200000 + c);
      chunk->set_type(static_cast<prometheus_copy::Chunk_Encoding>(c));
      chunk->set_data(std::string(static_cast<size_t>(c) * 60, 'x'));
    }
  }
  return response;
}

TEST(ChunkedSeriesReader, ReadsWhatProtobufWroteAndBack) {
  prometheus::ChunkedReadResponse response = SomeResponse();
  std::string frame = response.SerializeAsString(), again;
  ChunkedSeriesReader reader;
  reader.Reset(frame);
  EXPECT_EQ(reader.query_index(), 3);
  for (const auto& expected : response.chunked_series()) {
    auto next = reader.Next();
    ASSERT_TRUE(next.ok() && *next);
    EXPECT_EQ(reader.labels().Get("job"), expected.labels(1).value());
    ASSERT_EQ(reader.chunks().size(), static_cast<size_t>(expected.chunks_size()));
    for (int c = 0; c < expected.chunks_size(); ++c) {
      const ChunkView& chunk = reader.chunks()[static_cast<size_t>(c)];
      EXPECT_EQ(chunk.min_time_ms, expected.chunks(c).min_time_ms());
      EXPECT_EQ(chunk.max_time_ms, expected.chunks(c).max_time_ms());
      EXPECT_EQ(chunk.encoding, expected.chunks(c).type());
      EXPECT_EQ(chunk.data, expected.chunks(c).data());
      EXPECT_EQ(chunk.aggregate, Aggregate::kRaw);
    }
    AppendChunkedSeries(again, reader.labels(), reader.chunks());
  }
  EXPECT_FALSE(*reader.Next());
  AppendChunkedQueryIndex(again, 3);
  EXPECT_EQ(again, frame);
}

TEST(ChunkedSeriesReader, ChunkWithoutATypeIsCorrupt) {
  prometheus::ChunkedReadResponse response;
  response.add_chunked_series()->add_chunks()->set_data("x");
  std::string frame = response.SerializeAsString();
  ChunkedSeriesReader reader;
  reader.Reset(frame);
  EXPECT_EQ(reader.Next().status().code(), Code::kCorrupt);
}

TEST(ChunkedSeriesReader, TruncationAtEveryByteAgreesWithProtobuf) {
  std::string whole = SomeResponse().SerializeAsString();
  for (size_t cut = 0; cut < whole.size(); ++cut) {
    std::string frame = whole.substr(0, cut);
    frame.shrink_to_fit();
    prometheus::ChunkedReadResponse judge;
    ChunkedSeriesReader reader;
    reader.Reset(frame);
    bool ok = true;
    for (;;) {
      auto next = reader.Next();
      ok = next.ok();
      if (!ok || !*next) break;
    }
    EXPECT_EQ(ok, judge.ParseFromString(frame)) << cut;
  }
}

// A sidecar passes chunks on: same bytes, StoreAPI's header and numbers.
TEST(ChunkedSeriesReader, ChunksPassOnToStoreApi) {
  std::string frame = SomeResponse().SerializeAsString();
  ChunkedSeriesReader reader;
  reader.Reset(frame);
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(*reader.Next());
  SeriesReader series;
  std::string out;
  AppendSeriesFrame(out, reader.labels(), reader.chunks());
  series.Reset(out);
  ASSERT_TRUE(*series.Next());
  EXPECT_EQ(series.labels(), reader.labels());
  ASSERT_EQ(series.chunks().size(), 4u);
  for (size_t i = 0; i < 4; ++i) EXPECT_EQ(series.chunks()[i], reader.chunks()[i]);
}

}  // namespace
}  // namespace gauntlet::wire
