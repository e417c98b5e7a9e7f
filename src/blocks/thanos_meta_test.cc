#include "blocks/thanos_meta.h"

#include <gtest/gtest.h>

#include "io/file_system.h"
#include "io/path.h"
#include "tsdb/chunkenc/testing/golden_chunks.h"

namespace gauntlet::blocks {
namespace {

constexpr char kFull[] = R"({
	"ulid": "01KE71EY6ZFKZTVJ4FRB7WMP81",
	"minTime": 1767571200000,
	"maxTime": 1767578400000,
	"stats": {
		"numSamples": 2430,
		"numSeries": 12,
		"numChunks": 21,
		"numOfOurs": 1
	},
	"compaction": {
		"level": 1,
		"sources": [
			"01KE71EY6ZFKZTVJ4FRB7WMP81"
		]
	},
	"version": 1,
	"thanos": {
		"version": 1,
		"labels": {
			"a": "\u003cx\u003e",
			"cluster": "eu"
		},
		"downsample": {
			"resolution": 300000
		},
		"source": "compactor",
		"segment_files": [
			"000001",
			"000002"
		],
		"files": [
			{
				"rel_path": "chunks/000001",
				"size_bytes": 8207,
				"hash": {
					"hashFunc": "SHA256",
					"value": "abc"
				},
				"owner": {
					"x": "}"
				}
			},
			{
				"rel_path": "meta.json"
			}
		],
		"rewrites": [
			{
				"sources": [
					"01KE71EY6ZFKZTVJ4FRB7WMP81"
				],
				"deletions_applied": [
					{
						"matchers": []
					}
				]
			}
		],
		"index_stats": {
			"series_max_size": 100,
			"chunk_max_size": 200
		},
		"extensions": {
			"k": [
				1.5
			]
		},
		"upload_time": "2026-01-05T10:11:12.123456789Z",
		"future": true
	},
	"more": {
		"b": 1
	}
}
)";

TEST(Meta, EveryKeyIsReadAndWrittenAsItStood) {
  auto meta = ParseMeta(kFull);
  ASSERT_TRUE(meta.ok()) << meta.status().message();
  EXPECT_EQ(meta->thanos.labels.at("a"), "<x>");
  EXPECT_EQ(meta->thanos.resolution_ms, 300000);
  EXPECT_EQ(meta->thanos.files.at(0).hash, "abc");
  EXPECT_EQ(meta->thanos.series_bytes_max, 100);
  EXPECT_EQ(meta->thanos.UploadTimeMs(), 1767607872123);
  EXPECT_EQ(FormatMeta(*meta), kFull);
  meta->thanos.labels["a"] = "<y>";
  EXPECT_NE(FormatMeta(*meta).find(R"("a": "\u003cy\u003e")"), std::string::npos);
}

TEST(Meta, WithoutThanosSectionThereAreNoLabels) {
  std::string text = kFull;
  size_t at = text.find(",\n\t\"thanos\"");
  text = text.substr(0, at) + "\n}\n";
  auto meta = ParseMeta(text);
  ASSERT_TRUE(meta.ok()) << meta.status().message();
  EXPECT_TRUE(meta->thanos.labels.empty());
  EXPECT_FALSE(meta->thanos.UploadTimeMs().has_value());
  auto again = ParseMeta(FormatMeta(*meta));
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(*again, *meta);
}

TEST(Meta, EachPrefixIsRefused) {
  std::string text = kFull;
  for (size_t n = 0; n + 2 < text.size(); ++n) EXPECT_FALSE(ParseMeta(text.substr(0, n)).ok()) << n;
}

TEST(Meta, OtherVersionsAndWrongTypesAreTold) {
  auto with = [](const std::string& from, const std::string& to) {
    std::string text = kFull;
    text.replace(text.find(from), from.size(), to);
    return ParseMeta(text).status();
  };
  EXPECT_EQ(with("\"thanos\": {\n\t\t\"version\": 1", "\"thanos\": {\n\t\t\"version\": 2").code(), Code::kUnsupported);
  EXPECT_EQ(with("\"cluster\": \"eu\"", "\"cluster\": 5").code(), Code::kCorrupt);
  EXPECT_EQ(with("\"resolution\": 300000", "\"resolution\": \"5m\"").code(), Code::kCorrupt);
  EXPECT_EQ(with("\"rel_path\": \"meta.json\"", "\"rel_path\": {}").code(), Code::kCorrupt);
}

TEST(Meta, GroupKeyHashesLabelsAsGoDoes) {
  ThanosMeta thanos;
  thanos.labels = {{"a", "1"}};
  thanos.resolution_ms = 300000;
  EXPECT_EQ(thanos.GroupKey(), "300000@" + std::to_string(GoLabelsHash({{"a", "1"}})));
  // xxHash64 of "a\xff1\xff".
  EXPECT_NE(GoLabelsHash({{"a", "1"}}), GoLabelsHash({{"a1", ""}}));
}

void CollectMetas(io::FileSystem& files, const std::string& dir, std::vector<std::string>* out) {
  auto children = files.List(dir);
  if (!children.ok()) return;
  for (const io::FileInfo& child : *children) {
    std::string path = io::JoinPath(dir, child.name);
    if (child.is_directory) CollectMetas(files, path, out);
    if (child.name == "meta.json") out->push_back(path);
  }
}

TEST(Meta, GoldenMetasComeOutByteForByte) {
  if (tsdb::GoldenFolder().empty()) GTEST_SKIP() << "no shared golden data";
  std::vector<std::string> paths;
  CollectMetas(io::RealFileSystem(), tsdb::GoldenFolder(), &paths);
  ASSERT_GT(paths.size(), 100u);
  size_t of_thanos = 0;
  for (const std::string& path : paths) {
    std::string text = *io::RealFileSystem().ReadFile(path);
    auto meta = ParseMeta(text);
    ASSERT_TRUE(meta.ok()) << path << meta.status().message();
    if (meta->thanos.version == 0) continue;
    ++of_thanos;
    EXPECT_EQ(FormatMeta(*meta), text.ends_with('\n') ? text : text + "\n") << path;
  }
  EXPECT_GT(of_thanos, 30u);
}

}  // namespace
}  // namespace gauntlet::blocks
