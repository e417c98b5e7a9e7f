// Merges from a bucket into it: sources by ranges, a sink that uploads while it is written.

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "blocks/header_object.h"
#include "blockstream/bucket_sink.h"
#include "blockstream/bucket_source.h"
#include "blockstream/object_window.h"
#include "io/fake_file_system.h"
#include "io/path.h"
#include "io/sha256.h"
#include "objstore/memory_bucket.h"
#include "tsdb/block/block.h"
#include "tsdb/chunkenc/testing/golden_chunks.h"
#include "tsdb/compact/compacted_meta.h"
#include "tsdb/compact/compaction.h"

namespace gauntlet::blockstream {
namespace {

std::string ReadFile(const std::string& path) {
  auto bytes = io::RealFileSystem().ReadFile(path);
  EXPECT_TRUE(bytes.ok()) << path;
  return bytes.ok() ? *bytes : "";
}

class BucketMerge : public ::testing::Test {
 protected:
  // Puts a recorded block into the bucket; its meta.
  tsdb::BlockMeta Put(const std::string& path) {
    const std::string dir = tsdb::GoldenFolder() + "/" + path;
    auto meta = tsdb::ParseBlockMeta(ReadFile(dir + "/meta.json"));
    EXPECT_TRUE(meta.ok());
    const std::string name = meta->ulid.ToString();
    auto put = [&](const std::string& file) { PutObject(name + "/" + file, ReadFile(dir + "/" + file)); };
    put("index");
    put("tombstones");
    put("meta.json");
    auto segments = io::RealFileSystem().List(dir + "/chunks");
    for (const io::FileInfo& segment : *segments) put("chunks/" + segment.name);
    return *meta;
  }
  void PutObject(const std::string& name, const std::string& bytes) {
    EXPECT_TRUE(objstore::WriteObject(bucket_, name, bytes, Cancel()).ok());
  }

  Result<std::vector<std::unique_ptr<tsdb::BlockSource>>> Open(const std::vector<tsdb::BlockMeta>& metas,
                                                               const BucketSourceOptions& options,
                                                               tsdb::BlockFault* fault = nullptr) {
    std::vector<std::unique_ptr<tsdb::BlockSource>> sources;
    for (const tsdb::BlockMeta& meta : metas) {
      GN_ASSIGN(auto source, BucketBlockSource::Open(bucket_, meta, options, Cancel(), fault));
      sources.push_back(std::move(source));
    }
    return sources;
  }

  Result<std::optional<tsdb::BlockMeta>> Compact(const std::vector<tsdb::BlockMeta>& metas,
                                                 const BucketSourceOptions& source_options = {},
                                                 BucketSinkOptions sink_options = {},
                                                 tsdb::BlockFault* fault = nullptr) {
    GN_ASSIGN(auto sources, Open(metas, source_options, fault));
    std::vector<const tsdb::BlockMeta*> views;
    for (const tsdb::BlockMeta& meta : metas) views.push_back(&meta);
    blocks::Meta meta;
    meta.block = tsdb::CompactedMeta(views, Ulid());
    meta.thanos.labels = {{"cluster", "test"}};
    sink_options.scratch_dir = "scratch";
    GN_ASSIGN(auto sink, BucketBlockSink::Create(bucket_, files_, pool_, clock_, meta, sink_options, Cancel()));
    auto made = tsdb::CompactBlocks(sources, {}, *sink, Cancel(), fault);
    sink_meta_ = sink->full_meta();
    return made;
  }

  void ExpectGolden(const std::string& path) {
    const std::string dir = tsdb::GoldenFolder() + "/" + path, made = Ulid().ToString();
    auto objects = bucket_.objects();
    EXPECT_TRUE(objects[made + "/index"] == ReadFile(dir + "/index"));
    auto segments = io::RealFileSystem().List(dir + "/chunks");
    for (const io::FileInfo& segment : *segments) {
      EXPECT_TRUE(objects[made + "/chunks/" + segment.name] == ReadFile(dir + "/chunks/" + segment.name));
    }
  }

  objstore::MemoryBucket bucket_;
  io::FakeFileSystem files_;
  ThreadPool pool_{"test", 4};
  SimulatedClock clock_{1'767'607'872'123};
  blocks::Meta sink_meta_;
};

TEST_F(BucketMerge, ARecordedMergeHasItsBytesWhateverTheWindows) {
  if (tsdb::GoldenFolder().empty()) GTEST_SKIP() << "no shared golden data";
  std::vector<tsdb::BlockMeta> metas;
  for (const char* block : {"b0", "b1", "b2"}) metas.push_back(Put(std::string("compact/adjacent/in/") + block));
  for (size_t window : {64u, 1000u, 70'000u, 4u << 20}) {
    for (Executor* ahead : {static_cast<Executor*>(nullptr), static_cast<Executor*>(&pool_)}) {
      BucketSourceOptions options{.chunk_window_bytes = window, .index_window_bytes = window, .ahead = ahead};
      auto meta = Compact(metas, options);
      ASSERT_TRUE(meta.ok()) << meta.status().message();
      ExpectGolden("compact/adjacent/out/block");
      ASSERT_TRUE(bucket_.Delete(Ulid().ToString() + "/index", Cancel()).ok());
    }
  }
}

TEST_F(BucketMerge, DeletionsAreAppliedFromTheBucket) {
  if (tsdb::GoldenFolder().empty()) GTEST_SKIP() << "no shared golden data";
  std::vector<tsdb::BlockMeta> metas = {Put("compact/tombstones/in/b0"), Put("compact/tombstones/in/b1")};
  ASSERT_TRUE(Compact(metas).ok());
  ExpectGolden("compact/tombstones/out/block");
}

TEST_F(BucketMerge, NothingIsLeftWhereAllIsDeleted) {
  if (tsdb::GoldenFolder().empty()) GTEST_SKIP() << "no shared golden data";
  std::vector<tsdb::BlockMeta> metas = {Put("compact/tombstones-all-deleted/in/b0")};
  auto before = bucket_.objects();
  auto meta = Compact(metas);
  ASSERT_TRUE(meta.ok()) << meta.status().message();
  EXPECT_FALSE(meta->has_value());
  EXPECT_EQ(bucket_.objects(), before);
}

// The same series and chunks as from a local block, of every recorded block: several segments and version 1 too.
TEST_F(BucketMerge, ASourceReadsWhatALocalOneReads) {
  if (tsdb::GoldenFolder().empty()) GTEST_SKIP() << "no shared golden data";
  for (const char* name : {"float-2h", "hist-2h", "st-xor2-2h", "multi-segment", "tombstones", "index-v1"}) {
    const std::string path = std::string("blocks/") + name;
    auto block = tsdb::Block::Open(io::RealFileSystem(), tsdb::GoldenFolder() + "/" + path);
    ASSERT_TRUE(block.ok());
    tsdb::LocalBlockSource local(*block);
    auto bucket = BucketBlockSource::Open(bucket_, Put(path), {.chunk_window_bytes = 5000, .index_window_bytes = 300},
                                          Cancel(), nullptr);
    ASSERT_TRUE(bucket.ok()) << bucket.status().message();
    EXPECT_EQ((*bucket)->chunk_bytes(), (*block)->chunks().bytes());
    std::string_view want_symbol, symbol;
    while (*local.NextSymbol(Cancel(), &want_symbol)) {
      auto more = (*bucket)->NextSymbol(Cancel(), &symbol);
      ASSERT_TRUE(more.ok() && *more) << more.status().message();
      ASSERT_EQ(symbol, want_symbol);
    }
    EXPECT_FALSE(*(*bucket)->NextSymbol(Cancel(), &symbol));
    tsdb::SourceSeries want, series;
    while (*local.Next(Cancel(), &want)) {
      auto more = (*bucket)->Next(Cancel(), &series);
      ASSERT_TRUE(more.ok() && *more) << name << ": " << more.status().message();
      ASSERT_EQ(series.symbols, want.symbols);
      ASSERT_EQ(series.deleted, want.deleted);
      ASSERT_EQ(series.chunks.size(), want.chunks.size());
      for (size_t i = 0; i < want.chunks.size(); ++i) {
        ASSERT_EQ(series.chunks[i].meta, want.chunks[i].meta);
        ASSERT_TRUE(series.chunks[i].stored == want.chunks[i].stored);
        ASSERT_TRUE(series.chunks[i].Read().ok());
      }
    }
    EXPECT_FALSE(*(*bucket)->Next(Cancel(), &series)) << name;
  }
}

TEST_F(BucketMerge, TheMetaNamesAllFilesAndComesLast) {
  if (tsdb::GoldenFolder().empty()) GTEST_SKIP() << "no shared golden data";
  std::vector<tsdb::BlockMeta> metas = {Put("compact/adjacent/in/b0"), Put("compact/adjacent/in/b1")};
  const std::string made = Ulid().ToString() + "/";
  std::vector<std::string> uploads;
  Mutex mutex;
  bucket_.SetFault([&](std::string_view operation, const std::string& name) {
    MutexLock lock(mutex);
    // The ready-made index header is no part of the block.
    if (operation == "upload" && !name.ends_with(blocks::kHeaderObject)) uploads.push_back(name);
    return Status();
  });
  for (bool stream : {true, false}) {
    uploads.clear();
    BucketSinkOptions options{.hash_function = "SHA256", .stream = stream, .segment_bytes_max = 40'000};
    auto meta = Compact(metas, {}, options);
    ASSERT_TRUE(meta.ok()) << meta.status().message();
    ASSERT_GE(uploads.size(), 4u);
    EXPECT_EQ(uploads.back(), made + "meta.json");
    EXPECT_EQ(uploads[uploads.size() - 2], made + "index");
    auto objects = bucket_.objects();
    EXPECT_TRUE(objects.contains(made + blocks::kHeaderObject));
    auto written = blocks::ParseMeta(objects[made + "meta.json"]);
    ASSERT_TRUE(written.ok());
    EXPECT_EQ(*written, sink_meta_);
    EXPECT_EQ(written->block, **meta);
    EXPECT_EQ(written->thanos.upload_time, "2026-01-05T10:11:12.123Z");
    EXPECT_EQ(written->thanos.segment_files.size(), uploads.size() - 2);
    EXPECT_EQ(written->thanos.files.size(), uploads.size());
    EXPECT_GT(written->thanos.series_bytes_max, 0);
    for (const blocks::BlockFile& file : written->thanos.files) {
      if (file.rel_path == "meta.json") continue;
      const std::string& bytes = objects[made + file.rel_path];
      EXPECT_EQ(file.bytes, static_cast<int64_t>(bytes.size()));
      EXPECT_EQ(file.hash, io::Sha256Hex(bytes));
    }
    EXPECT_TRUE(files_.List("scratch")->empty());
  }
}

TEST_F(BucketMerge, AnUploadThatFailsIsTheErrorAndThereIsNoMeta) {
  if (tsdb::GoldenFolder().empty()) GTEST_SKIP() << "no shared golden data";
  std::vector<tsdb::BlockMeta> metas = {Put("compact/adjacent/in/b0"), Put("compact/adjacent/in/b1")};
  for (const char* what : {"chunks/000001", "index", "meta.json"}) {
    bucket_.SetFault([&](std::string_view operation, const std::string& name) {
      return operation == "upload" && name.ends_with(what) ? Status(Code::kUnavailable, "busy") : Status();
    });
    tsdb::BlockFault fault;
    auto meta = Compact(metas, {}, {}, &fault);
    ASSERT_FALSE(meta.ok()) << what;
    EXPECT_EQ(meta.status().code(), Code::kUnavailable);
    EXPECT_EQ(fault.kind, tsdb::FaultKind::kNone);
    EXPECT_EQ(bucket_.objects().count(Ulid().ToString() + "/meta.json"), 0u);
    EXPECT_TRUE(files_.List("scratch")->empty());
  }
}

TEST_F(BucketMerge, ABucketThatDoesNotAnswerIsNoFaultOfABlock) {
  if (tsdb::GoldenFolder().empty()) GTEST_SKIP() << "no shared golden data";
  std::vector<tsdb::BlockMeta> metas = {Put("compact/adjacent/in/b0"), Put("compact/adjacent/in/b1")};
  for (int64_t nth = 0;; ++nth) {
    std::atomic<int64_t> calls{0};
    bucket_.SetFault([&](std::string_view operation, const std::string&) {
      return operation != "upload" && calls++ == nth ? Status(Code::kUnavailable, "busy") : Status();
    });
    tsdb::BlockFault fault;
    auto meta =
        Compact(metas, {.chunk_window_bytes = 20'000, .index_window_bytes = 20'000, .ahead = &pool_}, {}, &fault);
    if (meta.ok()) break;
    EXPECT_EQ(meta.status().code(), Code::kUnavailable) << nth << meta.status().message();
    EXPECT_EQ(fault.kind, tsdb::FaultKind::kNone);
  }
}

TEST_F(BucketMerge, ABlockThatVanishesIsNotFound) {
  if (tsdb::GoldenFolder().empty()) GTEST_SKIP() << "no shared golden data";
  tsdb::BlockMeta meta = Put("compact/adjacent/in/b0");
  auto sources = Open({meta}, {});
  ASSERT_TRUE(sources.ok());
  ASSERT_TRUE(bucket_.Delete(meta.ulid.ToString() + "/chunks/000001", Cancel()).ok());
  std::string_view symbol;
  while (*(*sources)[0]->NextSymbol(Cancel(), &symbol)) {
  }
  tsdb::SourceSeries series;
  auto more = (*sources)[0]->Next(Cancel(), &series);
  ASSERT_FALSE(more.ok());
  EXPECT_EQ(more.status().code(), Code::kNotFound);
  ASSERT_TRUE(bucket_.Delete(meta.ulid.ToString() + "/index", Cancel()).ok());
  EXPECT_EQ(Open({meta}, {}).status().code(), Code::kNotFound);
}

// Cuts and flips of index and segments: an error that names the block, or the same as before; and the series is named
// where its labels are known.
TEST_F(BucketMerge, DamageIsNamed) {
  if (tsdb::GoldenFolder().empty()) GTEST_SKIP() << "no shared golden data";
  tsdb::BlockMeta meta = Put("compact/adjacent/in/b0");
  const std::string dir = meta.ulid.ToString() + "/";
  ASSERT_TRUE(Compact({meta}).ok());
  auto intact = bucket_.objects();
  uint32_t seed = 7;
  auto next = [&seed] { return seed = seed * 1'664'525 + 1'013'904'223; };
  size_t errors = 0, with_series = 0;
  for (const std::string file : {"index", "chunks/000001"}) {
    const std::string& bytes = intact[dir + file];
    for (int i = 0; i < 120; ++i) {
      std::string damaged = bytes;
      size_t at = (next() >> 4) % bytes.size();
      if (i % 2 == 0) {
        damaged.resize(at);
      } else {
        damaged[at] = static_cast<char>(damaged[at] ^ (1 << (next() >> 28) % 8));
      }
      PutObject(dir + file, damaged);
      tsdb::BlockFault fault;
      auto made = Compact({meta}, {}, {}, &fault);
      if (made.ok()) {
        EXPECT_TRUE(bucket_.objects()[Ulid().ToString() + "/index"] == intact[Ulid().ToString() + "/index"]);
        continue;
      }
      ++errors;
      EXPECT_EQ(fault.block, meta.ulid) << made.status().message();
      EXPECT_NE(fault.kind, tsdb::FaultKind::kNone) << made.status().message();
      EXPECT_NE(made.status().message().find(meta.ulid.ToString()), std::string_view::npos);
      with_series += fault.series.starts_with("{");
    }
    PutObject(dir + file, bytes);
  }
  EXPECT_GT(errors, 150u);
  EXPECT_GT(with_series, 60u);
}

TEST_F(BucketMerge, WindowsAreChargedAndGivenBack) {
  if (tsdb::GoldenFolder().empty()) GTEST_SKIP() << "no shared golden data";
  std::vector<tsdb::BlockMeta> metas = {Put("compact/adjacent/in/b0"), Put("compact/adjacent/in/b1")};
  MemoryBudget budget("compact", 1 << 20);
  BucketSourceOptions options{.chunk_window_bytes = 10'000, .index_window_bytes = 10'000, .budget = &budget};
  ASSERT_TRUE(Compact(metas, options).ok());
  EXPECT_GT(budget.peak_bytes(), 30'000u);
  EXPECT_LT(budget.peak_bytes(), 200'000u);
  EXPECT_EQ(budget.used_bytes(), 0u);
  MemoryBudget small("compact", 15'000);
  options.budget = &small;
  EXPECT_EQ(Compact(metas, options).status().code(), Code::kExhausted);
}

TEST_F(BucketMerge, ABlockWithoutSeriesReadsAsSuch) {
  tsdb::BlockMeta meta;
  auto writer = tsdb::BlockWriter::Create(files_, "local", meta);
  ASSERT_TRUE(writer.ok());
  ASSERT_TRUE((*writer)->AddSymbol("alone").ok());
  ASSERT_TRUE((*writer)->Finish().ok());
  PutObject(meta.ulid.ToString() + "/index", *files_.ReadFile((*writer)->dir() + "/index"));
  auto source = BucketBlockSource::Open(bucket_, meta, {}, Cancel(), nullptr);
  ASSERT_TRUE(source.ok()) << source.status().message();
  std::string_view symbol;
  EXPECT_TRUE(*(*source)->NextSymbol(Cancel(), &symbol));
  EXPECT_EQ(symbol, "alone");
  EXPECT_FALSE(*(*source)->NextSymbol(Cancel(), &symbol));
  tsdb::SourceSeries series;
  EXPECT_FALSE(*(*source)->Next(Cancel(), &series));
}

}  // namespace
}  // namespace gauntlet::blockstream
