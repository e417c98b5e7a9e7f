#include "blocks/markers.h"

#include <gtest/gtest.h>

#include "io/file_system.h"
#include "objstore/memory_bucket.h"
#include "tsdb/chunkenc/testing/golden_chunks.h"

namespace gauntlet::blocks {
namespace {

const Ulid kId = *Ulid::Parse("01KE71EY6ZFKZTVJ4FRB7WMP81");

TEST(Markers, AreWrittenAsThanosWritesThem) {
  EXPECT_EQ(
      FormatMarker(MarkerKind::kDeletion, {kId, "source of compacted block", 1767700000, ""}),
      R"({"id":"01KE71EY6ZFKZTVJ4FRB7WMP81","version":1,"details":"source of compacted block","deletion_time":1767700000})");
  EXPECT_EQ(FormatMarker(MarkerKind::kNoCompact, {kId, "", 5, kManualReason}),
            R"({"id":"01KE71EY6ZFKZTVJ4FRB7WMP81","version":1,"no_compact_time":5,"reason":"manual"})");
  EXPECT_EQ(
      FormatMarker(MarkerKind::kNoDownsample, {kId, "d", 5, kManualReason}),
      R"({"id":"01KE71EY6ZFKZTVJ4FRB7WMP81","version":1,"details":"d","no_downsample_time":5,"reason":"manual"})");
}

TEST(Markers, ReadWhatWasWritten) {
  for (MarkerKind kind : {MarkerKind::kDeletion, MarkerKind::kNoCompact, MarkerKind::kNoDownsample}) {
    Marker marker{kId, "because \"<", 1767700000, kind == MarkerKind::kDeletion ? "" : "manual"};
    std::string text = FormatMarker(kind, marker);
    auto read = ParseMarker(kind, text);
    ASSERT_TRUE(read.ok());
    EXPECT_EQ(*read, marker);
    EXPECT_EQ(MarkerOfFile(MarkerFile(kind)), kind);
    for (size_t n = 0; n < text.size(); ++n) {
      EXPECT_EQ(ParseMarker(kind, text.substr(0, n)).status().code(), Code::kCorrupt) << n;
    }
  }
  EXPECT_EQ(ParseMarker(MarkerKind::kDeletion, R"({"id":"01KE71EY6ZFKZTVJ4FRB7WMP81","version":2})").status().code(),
            Code::kUnsupported);
  EXPECT_EQ(ParseMarker(MarkerKind::kDeletion, R"([])").status().code(), Code::kCorrupt);
}

TEST(Markers, TheFirstOneStays) {
  objstore::MemoryBucket bucket;
  EXPECT_EQ(ReadMarker(bucket, MarkerKind::kDeletion, kId, Cancel()).status().code(), Code::kNotFound);
  EXPECT_TRUE(*SetMarker(bucket, MarkerKind::kDeletion, {kId, "one", 1, ""}, Cancel()));
  EXPECT_FALSE(*SetMarker(bucket, MarkerKind::kDeletion, {kId, "two", 2, ""}, Cancel()));
  EXPECT_EQ(ReadMarker(bucket, MarkerKind::kDeletion, kId, Cancel())->details, "one");
  EXPECT_TRUE(RemoveMarker(bucket, MarkerKind::kDeletion, kId, Cancel()).ok());
  EXPECT_TRUE(bucket.objects().empty());
}

TEST(Markers, GoldenOneReads) {
  if (tsdb::GoldenFolder().empty()) GTEST_SKIP() << "no shared golden data";
  auto text = io::RealFileSystem().ReadFile(tsdb::GoldenFolder() +
                                            "/compact/bucket-before/01KE73M4H7JHBEB16047T713JZ/deletion-mark.json");
  ASSERT_TRUE(text.ok());
  auto mark = ParseMarker(MarkerKind::kDeletion, *text);
  ASSERT_TRUE(mark.ok());
  EXPECT_EQ(mark->time_s, 1767700000);
}

}  // namespace
}  // namespace gauntlet::blocks
