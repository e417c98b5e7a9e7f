// The judge is protobuf: what its classes wrote must read back the same, and what we write must read back by them.

#include "wire/series.h"

#include <google/protobuf/struct.pb.h>
#include <google/protobuf/util/json_util.h>
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <utility>
#include <vector>

#include "base/hash.h"
#include "proto/thanos/store.pb.h"
#include "wire/series_writer.h"
#include "wire/testing/golden_storeapi.h"

namespace gauntlet::wire {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

struct Read {
  SeriesReader::Kind kind;
  Labels labels;
  std::vector<ChunkView> chunks;  // borrowed from the frame
  std::string_view encoded;
  bool operator==(const Read& other) const {
    return kind == other.kind && labels == other.labels && chunks == other.chunks;
  }
};

Result<std::vector<Read>> ReadAll(SeriesReader& reader, std::string_view frame) {
  std::vector<Read> all;
  reader.Reset(frame);
  for (;;) {
    GN_ASSIGN(bool more, reader.Next());
    if (!more) return all;
    Read read{reader.kind(), {}, {}, reader.encoded()};
    if (reader.kind() == SeriesReader::Kind::kSeries) {
      read.labels = Labels(reader.labels());
      read.chunks.assign(reader.chunks().begin(), reader.chunks().end());
    }
    all.push_back(std::move(read));
  }
}

Result<std::vector<Read>> ReadAll(std::string_view frame) {
  SeriesReader reader;
  return ReadAll(reader, frame);
}

Labels ToLabels(const thanos::Series& series) {
  Pairs pairs;
  for (const auto& label : series.labels()) pairs.emplace_back(label.name(), label.value());
  return Labels::From(pairs);
}

void ExpectSame(const thanos::Series& expected, const Read& got) {
  ASSERT_EQ(got.kind, SeriesReader::Kind::kSeries);
  EXPECT_EQ(got.labels, ToLabels(expected)) << expected.ShortDebugString();
  size_t at = 0;
  for (const auto& aggr : expected.chunks()) {
    const thanos::Chunk* chunks[] = {
        aggr.has_raw() ? &aggr.raw() : nullptr, aggr.has_count() ? &aggr.count() : nullptr,
        aggr.has_sum() ? &aggr.sum() : nullptr, aggr.has_min() ? &aggr.min() : nullptr,
        aggr.has_max() ? &aggr.max() : nullptr, aggr.has_counter() ? &aggr.counter() : nullptr};
    bool joined = false;
    for (int i = 0; i < 6; ++i) {
      if (chunks[i] == nullptr) continue;
      ASSERT_LT(at, got.chunks.size());
      const ChunkView& chunk = got.chunks[at++];
      EXPECT_EQ(chunk.min_time_ms, aggr.min_time());
      EXPECT_EQ(chunk.max_time_ms, aggr.max_time());
      EXPECT_EQ(static_cast<int>(chunk.aggregate), i);
      EXPECT_EQ(chunk.encoding - 1, chunks[i]->type());
      EXPECT_EQ(chunk.data, chunks[i]->data());
      EXPECT_EQ(chunk.hash, chunks[i]->hash());
      EXPECT_EQ(chunk.joined, joined);
      joined = true;
    }
  }
  EXPECT_EQ(at, got.chunks.size());
}

void AddLabel(thanos::Series* series, std::string name, std::string value) {
  auto* label = series->add_labels();
  label->set_name(std::move(name));
  label->set_value(std::move(value));
}

std::string Frame(const thanos::Series& series) {
  thanos::SeriesResponse response;
  *response.mutable_series() = series;
  return response.SerializeAsString();
}

Labels ReadLabels(const thanos::Series& series) {
  std::string frame = Frame(series);
  auto read = ReadAll(frame);
  EXPECT_TRUE(read.ok()) << read.status().message();
  return read.ok() && read->size() == 1 ? (*read)[0].labels : Labels();
}

class RandomSeries {
 public:
  explicit RandomSeries(uint64_t seed) : random_(seed) {}
  size_t Below(size_t n) { return random_() % n; }
  std::string Text(size_t length) {
    std::string text(length, ' ');
    for (char& c : text) c = static_cast<char>('a' + Below(26));
    return text;
  }
  // Lengths around the borders of the fast path, of varints and of the packing.
  size_t Length() {
    constexpr size_t kLengths[] = {1, 2, 7, 8, 9, 15, 16, 17, 31, 32, 33, 60, 100, 122, 127, 128, 254, 255, 256, 400};
    return kLengths[Below(std::size(kLengths))];
  }
  thanos::Series Make() {
    thanos::Series series;
    Pairs pairs;
    for (size_t i = Below(14); i > 0; --i) pairs.emplace_back(Text(Length()), Text(Length()));
    if (Below(4) != 0) std::sort(pairs.begin(), pairs.end());
    for (auto& [name, value] : pairs) AddLabel(&series, name, value);
    for (size_t i = Below(4); i > 0; --i) {
      auto* aggr = series.add_chunks();
      aggr->set_min_time(static_cast<int64_t>(random_()) >> Below(64));
      aggr->set_max_time(static_cast<int64_t>(random_()) >> Below(64));
      auto fill = [&](thanos::Chunk* chunk) {
        chunk->set_type(static_cast<thanos::Chunk_Encoding>(Below(6)));
        chunk->set_data(Text(Below(3) == 0 ? 0 : Length()));
        if (Below(2) == 0) chunk->set_hash(random_());
      };
      if (Below(2) == 0) {
        fill(aggr->mutable_raw());
        continue;
      }
      if (Below(2) == 0) fill(aggr->mutable_count());
      if (Below(2) == 0) fill(aggr->mutable_sum());
      if (Below(2) == 0) fill(aggr->mutable_min());
      if (Below(2) == 0) fill(aggr->mutable_max());
      if (Below(2) == 0) fill(aggr->mutable_counter());
    }
    return series;
  }

 private:
  std::mt19937_64 random_;
};

TEST(SeriesReader, ReadsWhatProtobufWrote) {
  RandomSeries random(1);
  SeriesReader reader;
  for (int i = 0; i < 2000; ++i) {
    thanos::Series series = random.Make();
    std::string frame = Frame(series);
    auto read = ReadAll(reader, frame);
    ASSERT_TRUE(read.ok()) << read.status().message();
    ASSERT_EQ(read->size(), 1u);
    ExpectSame(series, (*read)[0]);
    EXPECT_EQ((*read)[0].encoded, series.SerializeAsString());
  }
}

TEST(SeriesReader, ReadsBatchesSeriesBySeries) {
  RandomSeries random(2);
  thanos::SeriesResponse response;
  for (int i = 0; i < 20; ++i) *response.mutable_batch()->add_series() = random.Make();
  std::string frame = response.SerializeAsString();
  auto read = ReadAll(frame);
  ASSERT_TRUE(read.ok()) << read.status().message();
  ASSERT_EQ(read->size(), 20u);
  for (int i = 0; i < 20; ++i) ExpectSame(response.batch().series(i), (*read)[i]);
}

TEST(SeriesReader, EmptyFrameAndEmptyBatchHaveNoItems) {
  thanos::SeriesResponse response;
  response.mutable_batch();
  for (const std::string& frame : {std::string(), response.SerializeAsString()}) {
    auto read = ReadAll(frame);
    ASSERT_TRUE(read.ok());
    EXPECT_TRUE(read->empty());
  }
}

TEST(SeriesReader, SeriesWithoutLabelsIsASeries) {
  auto read = ReadAll(std::string_view("\x0a\x00", 2));
  ASSERT_TRUE(read.ok());
  ASSERT_EQ(read->size(), 1u);
  EXPECT_TRUE((*read)[0].labels.empty());
}

TEST(SeriesReader, WarningsAndHintsComeAsText) {
  thanos::SeriesResponse response;
  response.set_warning("store s1 is late");
  std::string frame = response.SerializeAsString();
  auto read = ReadAll(frame);
  ASSERT_TRUE(read.ok());
  ASSERT_EQ(read->size(), 1u);
  EXPECT_EQ((*read)[0].kind, SeriesReader::Kind::kWarning);
  EXPECT_EQ((*read)[0].encoded, "store s1 is late");

  response.mutable_hints()->set_type_url("type.googleapis.com/hintspb.SeriesResponseHints");
  response.mutable_hints()->set_value("xyz");
  frame = response.SerializeAsString();
  read = ReadAll(frame);
  ASSERT_TRUE(read.ok());
  ASSERT_EQ(read->size(), 1u);
  EXPECT_EQ((*read)[0].kind, SeriesReader::Kind::kHints);
  EXPECT_EQ((*read)[0].encoded, response.hints().SerializeAsString());
}

TEST(SeriesReader, LabelsOutOfOrderAreSorted) {
  thanos::Series series;
  for (const char* name : {"job", "__name__", "instance", "zone", "az"}) AddLabel(&series, name, "v");
  EXPECT_EQ(ReadLabels(series),
            Labels::From({{"job", "v"}, {"__name__", "v"}, {"instance", "v"}, {"zone", "v"}, {"az", "v"}}));
}

TEST(SeriesReader, NamesThatAgreeInEightBytesAreComparedInFull) {
  thanos::Series series;
  AddLabel(&series, "abcdefghz", "1");
  AddLabel(&series, "abcdefgha", "2");
  AddLabel(&series, "abcdefgh", "3");
  EXPECT_EQ(ReadLabels(series).ToString(), R"({abcdefgh="3", abcdefgha="2", abcdefghz="1"})");
}

TEST(SeriesReader, NameThatIsAPrefixSortsFirstAlsoWithZeroBytes) {
  thanos::Series series;
  AddLabel(&series, std::string("ab\0", 3), "1");
  AddLabel(&series, "ab", "2");
  Labels labels = ReadLabels(series);
  EXPECT_EQ(labels.begin()->name, "ab");
  EXPECT_EQ(labels.size(), 2u);
}

TEST(SeriesReader, OfEqualNamesTheLastWins) {
  thanos::Series series;
  AddLabel(&series, "a", "1");
  AddLabel(&series, "b", "x");
  AddLabel(&series, "b", "y");
  AddLabel(&series, "c", "2");
  EXPECT_EQ(ReadLabels(series).ToString(), R"({a="1", b="y", c="2"})");
}

TEST(SeriesReader, EmptyValuesAreDropped) {
  thanos::Series series;
  AddLabel(&series, "a", "");
  AddLabel(&series, "b", "x");
  AddLabel(&series, "c", "");
  EXPECT_EQ(ReadLabels(series).ToString(), R"({b="x"})");
}

TEST(SeriesReader, FieldsInAnyOrderAreUnderstood) {
  // A chunk before the labels, its data before its times.
  std::string chunk("\x1a\x05\x12\x03xyz\x08\x05\x10\x09", 11);
  std::string label("\x12\x01v\x0a\x01n", 6);
  std::string series = std::string("\x12\x0b", 2) + chunk + std::string("\x0a\x06", 2) + label;
  std::string frame = std::string("\x0a") + static_cast<char>(series.size()) + series;
  auto read = ReadAll(frame);
  ASSERT_TRUE(read.ok()) << read.status().message();
  ASSERT_EQ(read->size(), 1u);
  EXPECT_EQ((*read)[0].labels.ToString(), R"({n="v"})");
  ASSERT_EQ((*read)[0].chunks.size(), 1u);
  EXPECT_EQ((*read)[0].chunks[0].min_time_ms, 5);
  EXPECT_EQ((*read)[0].chunks[0].max_time_ms, 9);
  EXPECT_EQ((*read)[0].chunks[0].data, "xyz");
}

TEST(SeriesReader, FieldsOfANewerContractAreSkipped) {
  thanos::Series series;
  AddLabel(&series, "a", "1");
  std::string frame = Frame(series) + std::string("\xfa\x01\x03new\x98\x02\x07", 9);
  auto read = ReadAll(frame);
  ASSERT_TRUE(read.ok()) << read.status().message();
  EXPECT_EQ(read->size(), 1u);
}

TEST(SeriesReader, MalformedBytesNameTheirPlace) {
  auto read = ReadAll(std::string_view("\x0a\x04\x0a\x09xy", 6));
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(read.status().code(), Code::kCorrupt);
  EXPECT_EQ(read.status().message(), "SeriesResponse of 6 bytes: malformed series field at byte 2");
}

TEST(SeriesReader, ChunkEncodingOutOfRangeIsCorrupt) {
  thanos::Series series;
  series.add_chunks()->mutable_raw()->set_type(static_cast<thanos::Chunk_Encoding>(-1));
  std::string frame = Frame(series);
  EXPECT_EQ(ReadAll(frame).status().code(), Code::kCorrupt);
}

// Every cut either is an error or reads as protobuf reads it.
TEST(SeriesReader, TruncationAtEveryByteAgreesWithProtobuf) {
  RandomSeries random(3);
  for (int round = 0; round < 20; ++round) {
    thanos::SeriesResponse response;
    if (round % 2 == 0) {
      *response.mutable_series() = random.Make();
    } else {
      for (int i = 0; i < 3; ++i) *response.mutable_batch()->add_series() = random.Make();
    }
    std::string frame = response.SerializeAsString();
    for (size_t cut = 0; cut < frame.size(); ++cut) {
      std::string bytes = frame.substr(0, cut);  // a copy of its own, so that a sanitizer sees reads beyond
      bytes.shrink_to_fit();
      thanos::SeriesResponse judge;
      bool fine = judge.ParseFromString(bytes);
      auto read = ReadAll(bytes);
      ASSERT_EQ(read.ok(), fine) << cut << " of " << frame.size();
      if (fine && judge.has_series()) {
        ASSERT_EQ(read->size(), 1u);
        ExpectSame(judge.series(), (*read)[0]);
      }
    }
  }
}

TEST(SeriesWriter, WritesTheBytesThatProtobufWrites) {
  RandomSeries random(4);
  for (int i = 0; i < 2000; ++i) {
    thanos::Series series = random.Make();
    // Protobuf keeps what we do not have: an unsorted order, and time spans without a chunk.
    auto* chunks = series.mutable_chunks();
    for (int c = chunks->size() - 1; c >= 0; --c) {
      const auto& aggr = chunks->Get(c);
      if (!aggr.has_raw() && !aggr.has_count() && !aggr.has_sum() && !aggr.has_min() && !aggr.has_max() &&
          !aggr.has_counter())
        chunks->DeleteSubrange(c, 1);
    }
    Labels labels = ToLabels(series);
    series.clear_labels();
    for (const Label& label : labels) AddLabel(&series, std::string(label.name), std::string(label.value));
    std::string frame = Frame(series);
    auto read = ReadAll(frame);
    ASSERT_TRUE(read.ok());
    std::string written = "before";
    AppendSeriesFrame(written, (*read)[0].labels, (*read)[0].chunks);
    ASSERT_EQ(written, "before" + frame);
    written.clear();
    AppendEncodedSeriesFrame(written, (*read)[0].encoded);
    ASSERT_EQ(written, frame);
  }
}

TEST(SeriesWriter, BatchIsTheFrameThatProtobufWrites) {
  RandomSeries random(5);
  SeriesBatch batch;
  for (size_t count : {1, 2, 64, 3}) {
    thanos::SeriesResponse response;
    while (batch.series() < count) {
      thanos::Series series = random.Make();
      std::string frame = Frame(series);
      auto read = ReadAll(frame);
      ASSERT_TRUE(read.ok());
      if (batch.series() % 2 == 0) {
        *response.mutable_batch()->add_series() = series;
        batch.AddEncoded((*read)[0].encoded);
      } else {
        batch.Add((*read)[0].labels, (*read)[0].chunks);
        std::string again;
        AppendSeriesFrame(again, (*read)[0].labels, (*read)[0].chunks);
        thanos::SeriesResponse one;
        ASSERT_TRUE(one.ParseFromString(again));
        *response.mutable_batch()->add_series() = one.series();
      }
    }
    EXPECT_EQ(batch.Frame(), response.SerializeAsString());
    batch.Clear();
    EXPECT_EQ(batch.series(), 0u);
  }
}

TEST(SeriesWriter, WarningAndHintsAreTheFramesThatProtobufWrites) {
  thanos::SeriesResponse response;
  for (const char* text : {"", "late"}) {
    response.set_warning(text);
    std::string frame;
    AppendWarningFrame(frame, text);
    EXPECT_EQ(frame, response.SerializeAsString());
  }
  response.mutable_hints()->set_value("abc");
  std::string frame;
  AppendHintsFrame(frame, response.hints().SerializeAsString());
  EXPECT_EQ(frame, response.SerializeAsString());
}

// ---- Recorded answers ----

std::string Base64Decode(std::string_view text) {
  auto value = [](char c) -> uint32_t {
    if (c >= 'A' && c <= 'Z') return static_cast<uint32_t>(c - 'A');
    if (c >= 'a' && c <= 'z') return static_cast<uint32_t>(c - 'a' + 26);
    if (c >= '0' && c <= '9') return static_cast<uint32_t>(c - '0' + 52);
    return c == '+' ? 62 : 63;
  };
  std::string out;
  uint32_t bits = 0;
  int have = 0;
  for (char c : text) {
    if (c == '=') break;
    bits = bits << 6 | value(c);
    if ((have += 6) >= 8) out.push_back(static_cast<char>(bits >> (have -= 8)));
  }
  return out;
}

using Json = google::protobuf::Struct;

void ExpectJsonSeries(const Json& json, const Read& got, const std::string& where) {
  Pairs pairs;
  for (const auto& label : json.fields().at("labels").list_value().values())
    pairs.emplace_back(label.list_value().values(0).string_value(), label.list_value().values(1).string_value());
  EXPECT_EQ(got.labels, Labels::From(pairs)) << where;
  static constexpr const char* kNames[] = {"raw", "count", "sum", "min", "max", "counter"};
  static constexpr const char* kTypes[] = {"XOR", "HISTOGRAM", "FLOAT_HISTOGRAM"};
  size_t at = 0;
  auto chunks = json.fields().find("chunks");
  if (chunks == json.fields().end()) {
    EXPECT_TRUE(got.chunks.empty()) << where;
    return;
  }
  for (const auto& value : chunks->second.list_value().values()) {
    const auto& aggr = value.struct_value().fields();
    for (int i = 0; i < 6; ++i) {
      if (!aggr.contains(kNames[i])) continue;
      const auto& chunk = aggr.at(kNames[i]).struct_value().fields();
      ASSERT_LT(at, got.chunks.size()) << where;
      const ChunkView& view = got.chunks[at++];
      EXPECT_EQ(static_cast<int>(view.aggregate), i) << where;
      auto time = [&](const char* name) {
        return aggr.contains(name) ? static_cast<int64_t>(aggr.at(name).number_value()) : 0;
      };
      EXPECT_EQ(view.min_time_ms, time("min_time")) << where;
      EXPECT_EQ(view.max_time_ms, time("max_time")) << where;
      EXPECT_EQ(view.data, Base64Decode(chunk.at("data").string_value())) << where;
      if (chunk.contains("hash")) {
        EXPECT_EQ(view.hash, XxHash64(view.data)) << where;
      }
      const auto& type = chunk.at("type");
      if (type.has_number_value()) {
        EXPECT_EQ(view.encoding - 1, type.number_value()) << where;
      } else {
        ASSERT_LT(view.encoding - 1, 3) << where;
        EXPECT_EQ(kTypes[view.encoding - 1], type.string_value()) << where;
      }
    }
  }
  EXPECT_EQ(at, got.chunks.size()) << where;
}

TEST(SeriesReader, RecordedAnswersReadAsTheirJsonSays) {
  std::vector<GoldenCall> calls = GoldenCalls();
  if (calls.empty()) GTEST_SKIP() << "no golden data: set GAUNTLET_SHARED";
  int series = 0, batches = 0;
  for (const GoldenCall& call : calls) {
    if (call.method != "/thanos.Store/Series") continue;
    Json json;
    ASSERT_TRUE(google::protobuf::util::JsonStringToMessage(call.responses_json, &json).ok()) << call.name;
    const auto& frames = json.fields().at("frames").list_value().values();
    ASSERT_EQ(static_cast<size_t>(frames.size()), call.frames.size()) << call.name;
    for (size_t i = 0; i < call.frames.size(); ++i) {
      const auto& expected = frames[static_cast<int>(i)].struct_value().fields();
      auto read = ReadAll(call.frames[i]);
      ASSERT_TRUE(read.ok()) << call.name << ": " << read.status().message();
      if (expected.contains("series")) {
        ASSERT_EQ(read->size(), 1u);
        ExpectJsonSeries(expected.at("series").struct_value(), (*read)[0], call.name);
        ++series;
      } else if (expected.contains("batch")) {
        const auto& batch = expected.at("batch").list_value().values();
        ASSERT_EQ(read->size(), static_cast<size_t>(batch.size()));
        for (size_t b = 0; b < read->size(); ++b)
          ExpectJsonSeries(batch[static_cast<int>(b)].struct_value(), (*read)[b], call.name);
        ++batches;
      } else {
        ASSERT_EQ(read->size(), 1u);
        EXPECT_EQ((*read)[0].kind,
                  expected.contains("hints") ? SeriesReader::Kind::kHints : SeriesReader::Kind::kWarning);
      }
      if (read->size() == 1 && (*read)[0].kind == SeriesReader::Kind::kSeries) {
        std::string written;
        AppendSeriesFrame(written, (*read)[0].labels, (*read)[0].chunks);
        auto again = ReadAll(written);
        ASSERT_TRUE(again.ok());
        EXPECT_EQ(*again, *read) << call.name;
      }
    }
  }
  EXPECT_GT(series, 300);
  EXPECT_GT(batches, 5);
}

}  // namespace
}  // namespace gauntlet::wire
