#include "promql/engine/active_queries.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace gauntlet::promql {
namespace {

class ActiveQueriesTest : public ::testing::Test {
 protected:
  ActiveQueriesTest() {
    char name[] = "/tmp/active_queries_XXXXXX";
    dir_ = ::mkdtemp(name);
  }
  ~ActiveQueriesTest() override { std::filesystem::remove_all(dir_); }

  std::unique_ptr<ActiveQueries> Open() {
    auto active = ActiveQueries::Open(dir_ + "/sub", 2, &unfinished_);
    EXPECT_TRUE(active.ok()) << active.status().message();
    return *std::move(active);
  }
  std::string Bytes() {
    std::stringstream text;
    text << std::ifstream(dir_ + "/sub/queries.active", std::ios::binary).rdbuf();
    return text.str();
  }

  std::string dir_, unfinished_;
};

TEST_F(ActiveQueriesTest, FileHasOneEntryPerPlace) {
  auto active = Open();
  EXPECT_EQ(Bytes().size(), 2001u);
  size_t place = active->Insert("sum(up)", 1600000000);
  std::string bytes = Bytes();
  EXPECT_EQ(bytes.substr(0, 49), "[{\"query\":\"sum(up)\",\"timestamp_sec\":1600000000}" + std::string(2, '\0'));
  EXPECT_EQ(bytes[1000], ',');
  active->Remove(place);
  EXPECT_EQ(Bytes(), "[" + std::string(2000, '\0'));
}

TEST_F(ActiveQueriesTest, NextStartSeesWhatWasRunning) {
  Open()->Insert("sum(up)", 1);
  auto second = Open();
  EXPECT_EQ(unfinished_, "[{\"query\":\"sum(up)\",\"timestamp_sec\":1}]");
  EXPECT_EQ(Bytes(), "[" + std::string(2000, '\0'));
  second.reset();
  Open();
  EXPECT_EQ(unfinished_, "");
}

TEST_F(ActiveQueriesTest, LongQueriesAreCutAtARune) {
  auto active = Open();
  std::string query;
  for (int i = 0; i < 600; ++i) query += "é<";
  active->Insert(query, 1);
  std::string bytes = Bytes();
  EXPECT_EQ(bytes[1000], ',');
  size_t end = bytes.find("\",\"timestamp_sec\":1}");
  ASSERT_NE(end, std::string::npos);
  EXPECT_LT(end, 1000u);
  EXPECT_TRUE(bytes.substr(0, end).ends_with("é") || bytes.substr(0, end).ends_with("\\u003c"));
}

TEST_F(ActiveQueriesTest, MoreThanThePlacesGoWithoutANote) {
  auto active = Open();
  active->Insert("a", 1);
  active->Insert("b", 1);
  active->Remove(active->Insert("c", 1));
  EXPECT_NE(Bytes().find("\"a\""), std::string::npos);
  EXPECT_NE(Bytes().find("\"b\""), std::string::npos);
}

}  // namespace
}  // namespace gauntlet::promql
