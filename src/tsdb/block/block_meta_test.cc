#include "tsdb/block/block_meta.h"

#include <gtest/gtest.h>

namespace gauntlet::tsdb {
namespace {

constexpr char kWithThanos[] = R"({
	"ulid": "01KE71A6NAEME8ZS7DDWKWEQAP",
	"minTime": 1767571200000,
	"maxTime": 1767578400000,
	"stats": {
		"numSamples": 5,
		"numSeries": 2,
		"numChunks": 3,
		"numWhatever": [1, {"a": "}"}]
	},
	"compaction": {
		"level": 2,
		"sources": [
			"01KE71A6NAEME8ZS7DDWKWEQAP",
			"01KE70S7ZNJWW8TCK20DNMKVZR"
		],
		"deletable": true,
		"parents": [
			{
				"ulid": "00000000000000000000000000",
				"minTime": -5,
				"maxTime": 0
			}
		],
		"failed": true,
		"hints": [
			"from-out-of-order"
		],
		"later": null
	},
	"version": 1,
	"thanos": {
		"version": 1,
		"labels": {
			"cluster": "eu \"{[,"
		},
		"downsample": {
			"resolution": 0
		},
		"number": 1.50
	},
	"\u0061ny": "thing"
})";

TEST(BlockMetaText, ComesBackAsItWasUnknownKeysIncluded) {
  auto meta = ParseBlockMeta(kWithThanos);
  ASSERT_TRUE(meta.ok()) << meta.status().message();
  EXPECT_EQ(meta->stats.samples, 5u);
  EXPECT_EQ(meta->compaction.sources.size(), 2u);
  EXPECT_EQ(meta->compaction.parents[0].mint_ms, -5);
  EXPECT_TRUE(meta->compaction.deletable && meta->compaction.failed);
  EXPECT_EQ(meta->more.size(), 2u);
  EXPECT_EQ(meta->extra("thanos").substr(0, 18), "{\n\t\t\"version\": 1,\n");
  EXPECT_EQ(meta->extra("absent"), "");
  EXPECT_EQ(FormatBlockMeta(*meta), kWithThanos);
}

TEST(BlockMetaText, EmptyListsAndCountsAreLeftOut) {
  auto meta = ParseBlockMeta(R"({"ulid":"01KE71A6NAEME8ZS7DDWKWEQAP","minTime":1,"maxTime":2,"stats":{},
    "compaction":{"level":1,"sources":null},"version":1})");
  ASSERT_TRUE(meta.ok()) << meta.status().message();
  EXPECT_EQ(FormatBlockMeta(*meta),
            "{\n\t\"ulid\": \"01KE71A6NAEME8ZS7DDWKWEQAP\",\n\t\"minTime\": 1,\n\t\"maxTime\": 2,\n\t\"stats\": {},\n"
            "\t\"compaction\": {\n\t\t\"level\": 1\n\t},\n\t\"version\": 1\n}");
}

TEST(BlockMetaText, WhatIsWrongIsNamed) {
  EXPECT_EQ(ParseBlockMeta("{").status().code(), Code::kCorrupt);
  EXPECT_EQ(ParseBlockMeta("[]").status().code(), Code::kCorrupt);
  auto parse = [](const std::string& members) { return ParseBlockMeta("{" + members + "}").status(); };
  EXPECT_EQ(parse(R"("ulid":"01KE71A6NAEME8ZS7DDWKWEQAP","version":2)").code(), Code::kUnsupported);
  EXPECT_EQ(parse(R"("ulid":"01KE7","version":1)").message(), "meta.json: ulid is wrong");
  EXPECT_EQ(parse(R"("version":1)").message(), "meta.json: ulid is wrong");
  EXPECT_EQ(parse(R"("ulid":"01KE71A6NAEME8ZS7DDWKWEQAP","minTime":"x","version":1)").message(),
            "meta.json: minTime is wrong");
  EXPECT_EQ(parse(R"("ulid":"01KE71A6NAEME8ZS7DDWKWEQAP","version":1,"compaction":{"sources":[1]})").message(),
            "meta.json: sources is wrong");
  EXPECT_EQ(parse(R"("ulid":"01KE71A6NAEME8ZS7DDWKWEQAP","version":1,"stats":{"numSeries":-1})").message(),
            "meta.json: numSeries is wrong");
}

TEST(BlockMetaText, EveryCutIsAnError) {
  std::string whole = kWithThanos;
  for (size_t n = 0; n < whole.size(); ++n) EXPECT_FALSE(ParseBlockMeta(whole.substr(0, n)).ok()) << n;
}

}  // namespace
}  // namespace gauntlet::tsdb
