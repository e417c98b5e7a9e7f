// What every bucket promises. A file that includes this instantiates it for the providers that it can run.
//
// Threads: tests.

#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/executor.h"
#include "objstore/bucket.h"
#include "objstore/sources.h"

namespace gauntlet::objstore {
// A bucket to test, empty, or why there is none.
struct Provided {
  std::unique_ptr<Bucket> bucket;
  std::string absent;
  std::shared_ptr<void> keeps;
  // What an emulator cannot do, though the store can.
  bool lacks_empty_objects = false, lacks_conditions = false;
};

struct Provider {
  std::string name;
  std::function<Provided()> make;
};

class BucketContract : public testing::TestWithParam<Provider> {
 protected:
  void SetUp() override {
    provided_ = GetParam().make();
    if (provided_.bucket == nullptr) GTEST_SKIP() << "no server: " << provided_.absent;
  }
  Bucket& bucket() { return *provided_.bucket; }
  void Put(const std::string& name, std::string_view bytes) {
    Status status = WriteObject(bucket(), name, bytes, Cancel());
    ASSERT_TRUE(status.ok()) << name << ": " << status.message();
  }
  std::string Read(const std::string& name) {
    Result<std::string> bytes = ReadObject(bucket(), name, Cancel());
    return bytes.ok() ? *bytes : "error: " + std::string(bytes.status().message());
  }
  std::string Range(const std::string& name, uint64_t offset, uint64_t length) {
    Result<std::string> bytes = ReadRange(bucket(), name, offset, length, Cancel());
    return bytes.ok() ? *bytes : "error: " + std::string(bytes.status().message());
  }
  std::vector<std::string> List(const std::string& dir, IterOptions options = {}) {
    std::vector<std::string> names;
    Status status = bucket().Iter(dir, options, Cancel(), [&](const ObjectEntry& entry) {
      names.emplace_back(entry.name);
      return Status();
    });
    EXPECT_TRUE(status.ok()) << status.message();
    return names;
  }
  bool Exists(const std::string& name) {
    Result<bool> exists = bucket().Exists(name, Cancel());
    EXPECT_TRUE(exists.ok()) << exists.status().message();
    return exists.ok() && *exists;
  }

  Provided provided_;
};

using Names = std::vector<std::string>;

TEST_P(BucketContract, EmptyBucketHasNothing) {
  EXPECT_EQ(List(""), Names());
  EXPECT_EQ(List("dir"), Names());
  EXPECT_FALSE(Exists("a"));
  EXPECT_EQ(ReadObject(bucket(), "a", Cancel()).status().code(), Code::kNotFound);
  EXPECT_EQ(ReadRange(bucket(), "a", 0, 5, Cancel()).status().code(), Code::kNotFound);
  EXPECT_EQ(bucket().Attributes("a", Cancel()).status().code(), Code::kNotFound);
  EXPECT_TRUE(bucket().Delete("a", Cancel()).ok());
  EXPECT_FALSE(bucket().name().empty());
}

TEST_P(BucketContract, WhatIsUploadedIsRead) {
  Put("id1/obj_1.some", "@test-data@");
  EXPECT_EQ(Read("id1/obj_1.some"), "@test-data@");
  EXPECT_TRUE(Exists("id1/obj_1.some"));
  EXPECT_FALSE(Exists("id1"));
  EXPECT_FALSE(Exists("id1/obj"));
  auto attributes = bucket().Attributes("id1/obj_1.some", Cancel());
  ASSERT_TRUE(attributes.ok()) << attributes.status().message();
  EXPECT_EQ(attributes->bytes, 11u);
  int64_t age = SystemClock().NowMs() - attributes->modified_ms;
  EXPECT_GT(age, -3'600'000);
  EXPECT_LT(age, 3'600'000);
  Put("id1/obj_1.some", "other");
  EXPECT_EQ(Read("id1/obj_1.some"), "other");
  EXPECT_EQ(ReadObject(bucket(), "id1/obj_1.some", Cancel(), 4).status().code(), Code::kExhausted);
  if (provided_.lacks_empty_objects) return;
  Put("empty", "");
  EXPECT_EQ(Read("empty"), "");
  auto empty = bucket().Attributes("empty", Cancel());
  ASSERT_TRUE(empty.ok()) << empty.status().message();
  EXPECT_EQ(empty->bytes, 0u);
}

TEST_P(BucketContract, RangesAreCutAtTheEnd) {
  Put("o", "0123456789");
  EXPECT_EQ(Range("o", 0, 3), "012");
  EXPECT_EQ(Range("o", 3, 4), "3456");
  EXPECT_EQ(Range("o", 0, 10), "0123456789");
  EXPECT_EQ(Range("o", 8, 100), "89");
  EXPECT_EQ(Range("o", 9, UINT64_MAX), "9");
  EXPECT_EQ(Range("o", 10, 1), "");
  EXPECT_EQ(Range("o", 100, 1), "");
  EXPECT_EQ(Range("o", 2, 0), "");
}

TEST_P(BucketContract, RangesAreReadIntoMemory) {
  Put("o", "0123456789");
  auto read = [&](uint64_t offset, size_t n) {
    std::string bytes(n + 1, '-');
    auto got = bucket().ReadInto("o", offset, n, bytes.data(), Cancel());
    EXPECT_TRUE(got.ok()) << got.status().message();
    return got.ok() ? bytes.substr(0, *got) + bytes.back() : std::string();
  };
  EXPECT_EQ(read(3, 4), "3456-");
  EXPECT_EQ(read(0, 10), "0123456789-");
  EXPECT_EQ(read(8, 100), "89-");
  EXPECT_EQ(read(10, 1), "-");
  EXPECT_EQ(read(100, 1), "-");
  char byte = 0;
  EXPECT_EQ(bucket().ReadInto("none", 0, 1, &byte, Cancel()).status().code(), Code::kNotFound);
}

TEST_P(BucketContract, RangesOfAListingAreItsParts) {
  if (!bucket().lists_ranges()) GTEST_SKIP() << "no ranges";
  const Names all = {"a", "b/1", "b/c/2", "b/c/3", "b0", "d/4"};
  for (const std::string& name : all) Put(name, "x");
  auto list = [&](const std::string& after, const std::string& until) {
    IterOptions options{.recursive = true};
    options.after = after;
    options.until = until;
    Names names;
    Status status = bucket().Iter("", options, Cancel(), [&](const ObjectEntry& entry) {
      names.emplace_back(entry.name);
      return Status();
    });
    EXPECT_TRUE(status.ok()) << status.message();
    return names;
  };
  for (const char* cut : {"A", "a", "b", "b/", "b/1", "b/c", "b/c/", "b/c/2", "b/c/22", "b/d", "b0", "c", "d/4", "z"}) {
    Names first = list("", cut), rest = list(cut, "");
    for (const std::string& name : first) EXPECT_LE(name, cut);
    for (const std::string& name : rest) EXPECT_GT(name, cut);
    first.insert(first.end(), rest.begin(), rest.end());
    EXPECT_EQ(first, all) << cut;
  }
  EXPECT_EQ(list("b/1", "b/c/3"), (Names{"b/c/2", "b/c/3"}));
}

TEST_P(BucketContract, ListsInOrderByDirectory) {
  for (const char* name : {"id1/obj_1.some", "id1/obj_2.some", "id1/obj_3.some", "id2/obj_4.some", "id1-x/a",
                           "obj_5.some", "id1/sub/subobj_1.some", "id1/sub/subobj_2.some"}) {
    Put(name, name);
  }
  EXPECT_EQ(List(""), (Names{"id1-x/", "id1/", "id2/", "obj_5.some"}));
  EXPECT_EQ(List("id1"), (Names{"id1/obj_1.some", "id1/obj_2.some", "id1/obj_3.some", "id1/sub/"}));
  EXPECT_EQ(List("id1/"), List("id1"));
  EXPECT_EQ(List("id1/sub"), (Names{"id1/sub/subobj_1.some", "id1/sub/subobj_2.some"}));
  EXPECT_EQ(List("id"), Names());
  EXPECT_EQ(List("obj_5.some"), Names());
  EXPECT_EQ(List("", {.recursive = true}),
            (Names{"id1-x/a", "id1/obj_1.some", "id1/obj_2.some", "id1/obj_3.some", "id1/sub/subobj_1.some",
                   "id1/sub/subobj_2.some", "id2/obj_4.some", "obj_5.some"}));
  EXPECT_EQ(List("id1/", {.recursive = true}), (Names{"id1/obj_1.some", "id1/obj_2.some", "id1/obj_3.some",
                                                      "id1/sub/subobj_1.some", "id1/sub/subobj_2.some"}));
}

TEST_P(BucketContract, ListsAttributes) {
  Put("d/a", "12345");
  Put("d/b/c", "1");
  uint64_t bytes = 0;
  int64_t modified = 0;
  ASSERT_TRUE(bucket()
                  .Iter("d", {.attributes = true}, Cancel(),
                        [&](const ObjectEntry& entry) {
                          if (!entry.is_directory()) {
                            bytes = entry.bytes;
                            modified = entry.modified_ms;
                          }
                          return Status();
                        })
                  .ok());
  EXPECT_EQ(bytes, 5u);
  // Listings may have whole seconds only.
  EXPECT_LT(std::abs(modified - bucket().Attributes("d/a", Cancel())->modified_ms), 1'500);
}

TEST_P(BucketContract, ListsMoreThanAPage) {
  Names expected;
  for (int i = 0; i < 1'203; ++i) {
    char name[32];
    snprintf(name, sizeof name, "page/%02d/%04d", i % 100, i);
    expected.emplace_back(name);
    Put(name, "x");
  }
  std::sort(expected.begin(), expected.end());
  EXPECT_EQ(List("", {.recursive = true}), expected);
  EXPECT_EQ(List("page").size(), 100u);
}

TEST_P(BucketContract, CallbackEndsTheWalk) {
  for (const char* name : {"a", "b", "c"}) Put(name, name);
  int seen = 0;
  auto stop = [&](const ObjectEntry&) { return ++seen == 2 ? Status(Code::kExhausted, "enough") : Status(); };
  EXPECT_EQ(bucket().Iter("", {}, Cancel(), stop).message(), "enough");
  EXPECT_EQ(seen, 2);
  auto fail = [](std::string_view) { return Status(Code::kCorrupt, "mine"); };
  EXPECT_EQ(bucket().Get("a", Cancel(), fail).message(), "mine");
}

TEST_P(BucketContract, DeleteTakesOneObject) {
  Put("d/a", "1");
  Put("d/b", "2");
  EXPECT_TRUE(bucket().Delete("d/a", Cancel()).ok());
  EXPECT_FALSE(Exists("d/a"));
  EXPECT_EQ(List("d"), Names{"d/b"});
  EXPECT_TRUE(bucket().Delete("d/b", Cancel()).ok());
  EXPECT_EQ(List(""), Names());
}

TEST_P(BucketContract, NamesMayBeAlmostAnything) {
  const Names names = {
      "a b", "a+b", "a%2Fb", "a&b=c?d#e", "dir with space/x", "quote\"'<>", "\xC3\xBC\xE2\x82\xAC", "~._-*()!$,:;@"};
  for (const std::string& name : names) {
    Put(name, name);
    EXPECT_EQ(Read(name), name);
    EXPECT_TRUE(Exists(name)) << name;
  }
  Names sorted = names;
  std::sort(sorted.begin(), sorted.end());
  EXPECT_EQ(List("", {.recursive = true}), sorted);
  EXPECT_EQ(List("dir with space"), Names{"dir with space/x"});
  for (const std::string& name : names) EXPECT_TRUE(bucket().Delete(name, Cancel()).ok()) << name;
  EXPECT_EQ(List(""), Names());
}

TEST_P(BucketContract, BadNamesAreRefused) {
  for (const char* name : {"", "/a", "a/", "a//b", "../a", "a/../b", "./a", "."}) {
    EXPECT_EQ(WriteObject(bucket(), name, "x", Cancel()).code(), Code::kInvalid) << name;
    EXPECT_EQ(ReadObject(bucket(), name, Cancel()).status().code(), Code::kInvalid) << name;
  }
}

// A source that cannot be read by offset and does not say its size.
class Stream final : public Source {
 public:
  explicit Stream(std::string_view bytes, size_t fail_at = SIZE_MAX) : bytes_(bytes), fail_at_(fail_at) {}
  Result<size_t> Read(char* out, size_t n) override {
    if (at_ >= fail_at_) return Status(Code::kUnavailable, "the source broke");
    n = bytes_.substr(at_).copy(out, std::min<size_t>(n, 777));
    at_ += n;
    return n;
  }

 private:
  const std::string_view bytes_;
  const size_t fail_at_;
  size_t at_ = 0;
};

TEST_P(BucketContract, StreamsOfUnknownSizeAreUploaded) {
  std::string bytes;
  for (int64_t i = 0; i < 2'000'000; ++i) bytes += std::to_string(i * 7919 % 1'000'003);
  ASSERT_GT(bytes.size(), 10u << 20);
  for (size_t n : {bytes.size(), bytes.size() / 40}) {  // in parts, and in one
    Stream stream(std::string_view(bytes).substr(0, n));
    Status status = bucket().Upload("big", stream, {}, Cancel());
    ASSERT_TRUE(status.ok()) << status.message();
    EXPECT_TRUE(Read("big") == bytes.substr(0, n));
    EXPECT_EQ(Range("big", 200'000, 100), bytes.substr(200'000, 100));
    EXPECT_EQ(bucket().Attributes("big", Cancel())->bytes, n);
  }
  EXPECT_EQ(List("", {.recursive = true}), Names{"big"});
  EXPECT_TRUE(bucket().Delete("big", Cancel()).ok());
}

TEST_P(BucketContract, FailedUploadLeavesTheObjectAsItWas) {
  Put("o", "before");
  std::string bytes(3 << 20, 'x');
  for (const char* name : {"o", "new"}) {
    Stream stream(bytes, 2 << 20);
    EXPECT_EQ(bucket().Upload(name, stream, {}, Cancel()).message().find("the source broke") != std::string::npos,
              true);
  }
  EXPECT_EQ(Read("o"), "before");
  EXPECT_EQ(List("", {.recursive = true}), Names{"o"});
}

TEST_P(BucketContract, IfAbsentLetsTheFirstWin) {
  if (provided_.lacks_conditions) GTEST_SKIP() << "the emulator knows no conditions";
  Status first = WriteObject(bucket(), "lease", "one", Cancel(), {.if_absent = true});
  if (first.code() == Code::kUnsupported) GTEST_SKIP() << "the store has no conditional writes";
  ASSERT_TRUE(first.ok()) << first.message();
  EXPECT_EQ(WriteObject(bucket(), "lease", "two", Cancel(), {.if_absent = true}).code(), Code::kExists);
  EXPECT_EQ(Read("lease"), "one");
}

TEST_P(BucketContract, AStoppedCancelEndsEveryCall) {
  Put("o", "bytes");
  CancelSource source;
  source.Stop();
  const Cancel& stopped = source.cancel();
  auto ignore = [](auto&&) { return Status(); };
  EXPECT_EQ(bucket().Iter("", {}, stopped, ignore).code(), Code::kCancelled);
  EXPECT_EQ(bucket().Get("o", stopped, ignore).code(), Code::kCancelled);
  EXPECT_EQ(bucket().GetRange("o", 0, 1, stopped, ignore).code(), Code::kCancelled);
  EXPECT_EQ(bucket().Exists("o", stopped).status().code(), Code::kCancelled);
  EXPECT_EQ(bucket().Attributes("o", stopped).status().code(), Code::kCancelled);
  EXPECT_EQ(WriteObject(bucket(), "p", "x", stopped).code(), Code::kCancelled);
  EXPECT_EQ(bucket().Delete("o", stopped).code(), Code::kCancelled);
  EXPECT_EQ(Read("o"), "bytes");
}

TEST_P(BucketContract, ManyThreadsAtOnce) {
  ThreadPool pool("contract", 8);
  std::atomic<int> wrong{0};
  ParallelFor(pool, 40, [&](size_t i) {
    std::string name = "t/" + std::to_string(i % 10);
    std::string bytes(1000, static_cast<char>('a' + i % 10));
    if (!WriteObject(bucket(), name, bytes, Cancel()).ok()) ++wrong;
    Result<std::string> read = ReadObject(bucket(), name, Cancel());
    if (!read.ok() || *read != bytes) ++wrong;
  });
  EXPECT_EQ(wrong, 0);
}

}  // namespace gauntlet::objstore
