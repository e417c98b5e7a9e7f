// Replies whole, in pieces, cut short and wrong; which server has a key.

#include <gtest/gtest.h>

#include <cstring>
#include <map>

#include "cache/memcached_protocol.h"
#include "cache/redis_protocol.h"
#include "cache/server_choice.h"

namespace gauntlet::cache {
namespace {

using Values = std::map<std::string, std::string>;

ReplyReader ReaderOf(std::string_view bytes, size_t piece) {
  return ReplyReader([bytes, piece](char* to, size_t n) mutable -> Result<size_t> {
    if (bytes.empty()) return Status(Code::kUnavailable, "connection closed");
    size_t part = std::min({n, bytes.size(), piece});
    std::memcpy(to, bytes.data(), part);
    bytes.remove_prefix(part);
    return part;
  });
}

Result<Values> ReadValues(std::string_view bytes, size_t piece = 1) {
  ReplyReader reader = ReaderOf(bytes, piece);
  Values values;
  GN_TRY(ReadMemcachedValues(
      reader, 100, [&](std::string_view key, std::string value) { values[std::string(key)] = std::move(value); }));
  return values;
}

TEST(MemcachedProtocol, WritesQuestions) {
  std::string out;
  AppendMemcachedGet({"a", "b:c"}, &out);
  EXPECT_EQ(out, "get a b:c\r\n");
  out.clear();
  AppendMemcachedSet("k", "some\r\nvalue", 1700000000, &out);
  EXPECT_EQ(out, "set k 0 1700000000 11\r\nsome\r\nvalue\r\n");
  EXPECT_TRUE(IsMemcachedKey("S:01ARZ3NDEKTSV4RRFFQ69G5FAV:12"));
  EXPECT_FALSE(IsMemcachedKey("") || IsMemcachedKey("a b") || IsMemcachedKey("a\n") ||
               IsMemcachedKey(std::string(251, 'a')));
}

TEST(MemcachedProtocol, ReadsValuesInPieces) {
  std::string text = "VALUE a 0 5\r\nhe\r\no\r\nVALUE b:c 32 0\r\n\r\nEND\r\n";
  for (size_t piece : {1, 3, 100}) {
    auto values = ReadValues(text, piece);
    ASSERT_TRUE(values.ok()) << values.status().message();
    EXPECT_EQ(*values, (Values{{"a", "he\r\no"}, {"b:c", ""}}));
  }
  for (size_t cut = 0; cut < text.size(); ++cut) EXPECT_FALSE(ReadValues(text.substr(0, cut)).ok()) << cut;
}

TEST(MemcachedProtocol, TellsErrorsOfTheServerFromNonsense) {
  EXPECT_EQ(ReadValues("SERVER_ERROR out of memory\r\n").status().code(), Code::kUnavailable);
  EXPECT_EQ(ReadValues("HTTP/1.1 400 Bad Request\r\n").status().code(), Code::kCorrupt);
  EXPECT_EQ(ReadValues("VALUE a 0 101\r\n").status().code(), Code::kCorrupt);
  EXPECT_EQ(ReadValues("VALUE a 0 3\r\nfour\r\nEND\r\n").status().code(), Code::kCorrupt);
  EXPECT_EQ(ReadValues("VALUE a 0 -1\r\n").status().code(), Code::kCorrupt);
  ReplyReader stored = ReaderOf("STORED\r\nSERVER_ERROR object too large for cache\r\nSTORED\r\n", 5);
  EXPECT_TRUE(ReadMemcachedStored(stored).ok());
  EXPECT_EQ(ReadMemcachedStored(stored).code(), Code::kUnavailable);
  EXPECT_TRUE(ReadMemcachedStored(stored).ok());
}

TEST(MemcachedProtocol, ReadsTheNodesOfACluster) {
  std::string nodes = "12\nhost1.example|10.0.0.1|11211 host2.example||11212 h3|fd00::3|11213\n";
  std::string text = "CONFIG cluster 0 " + std::to_string(nodes.size()) + "\r\n" + nodes + "\r\nEND\r\n";
  ReplyReader reader = ReaderOf(text, 9);
  auto found = ReadMemcachedCluster(reader);
  ASSERT_TRUE(found.ok()) << found.status().message();
  EXPECT_EQ(*found, (std::vector<std::string>{"10.0.0.1:11211", "host2.example:11212", "[fd00::3]:11213"}));
  for (size_t cut = 0; cut < text.size(); ++cut) {
    ReplyReader half = ReaderOf(std::string_view(text).substr(0, cut), 9);
    EXPECT_FALSE(ReadMemcachedCluster(half).ok()) << cut;
  }
  ReplyReader none = ReaderOf("ERROR\r\n", 9);
  EXPECT_EQ(ReadMemcachedCluster(none).status().code(), Code::kUnavailable);
}

TEST(RedisProtocol, WritesCommands) {
  std::string out;
  AppendRedisCommand({"SET", "k", "a\r\nb", "EX", "60"}, &out);
  EXPECT_EQ(out, "*5\r\n$3\r\nSET\r\n$1\r\nk\r\n$4\r\na\r\nb\r\n$2\r\nEX\r\n$2\r\n60\r\n");
}

TEST(RedisProtocol, ReadsRepliesInPieces) {
  std::string text = "*5\r\n$4\r\na\r\nb\r\n$-1\r\n$0\r\n\r\n:-7\r\n*1\r\n+OK\r\n";
  for (size_t piece : {1, 4, 100}) {
    ReplyReader reader = ReaderOf(text, piece);
    auto reply = ReadRedisReply(reader, 100);
    ASSERT_TRUE(reply.ok()) << reply.status().message();
    ASSERT_EQ(reply->items.size(), 5u);
    EXPECT_EQ(reply->items[0].text, "a\r\nb");
    EXPECT_EQ(reply->items[1].kind, RedisReply::Kind::kNil);
    EXPECT_EQ(reply->items[2].kind, RedisReply::Kind::kText);
    EXPECT_EQ(reply->items[3].integer, -7);
    EXPECT_EQ(reply->items[4].items[0].text, "OK");
    EXPECT_FALSE(reader.holds_input());
  }
  for (size_t cut = 0; cut < text.size(); ++cut) {
    ReplyReader reader = ReaderOf(std::string_view(text).substr(0, cut), 4);
    EXPECT_FALSE(ReadRedisReply(reader, 100).ok()) << cut;
  }
}

TEST(RedisProtocol, RefusesWhatIsNoReply) {
  std::string deep;
  for (int i = 0; i < 100; ++i) deep += "*1\r\n";
  for (const std::string& text :
       {std::string("hello\r\n"), std::string("\r\n"), std::string("$x\r\n"), std::string("$101\r\n"),
        std::string("$-2\r\n"), std::string("*9999999\r\n"), std::string("$1\r\nabc\r\n"), deep}) {
    ReplyReader reader = ReaderOf(text, 100);
    EXPECT_EQ(ReadRedisReply(reader, 100).status().code(), Code::kCorrupt) << text;
  }
  const std::string line(1 << 20, '+');
  ReplyReader endless = ReaderOf(line, 1 << 16);
  EXPECT_EQ(ReadRedisReply(endless, 100).status().code(), Code::kCorrupt);
  ReplyReader error = ReaderOf("-ERR no\r\n", 100);
  EXPECT_EQ(ReadRedisReply(error, 100)->status().message(), "redis says ERR no");
}

TEST(RedisProtocol, FindsTheSlotOfAKey) {
  EXPECT_EQ(RedisSlot("123456789"), 0x31c3u);  // the check value of CRC-16/XMODEM
  EXPECT_EQ(RedisSlot("foo"), 12182u);
  EXPECT_EQ(RedisSlot("{foo}.bar"), RedisSlot("foo"));
  EXPECT_NE(RedisSlot("{}foo"), RedisSlot("foo"));
}

TEST(ServerChoice, SortsAsPeopleDo) {
  std::vector<std::string> names = {"cache-10:1", "cache-2:1", "10.0.0.12:1", "10.0.0.2:1", "cache-2:10", "cache"};
  SortNaturally(&names);
  EXPECT_EQ(names,
            (std::vector<std::string>{"10.0.0.2:1", "10.0.0.12:1", "cache", "cache-2:1", "cache-2:10", "cache-10:1"}));
}

TEST(ServerChoice, MovesOnlyWhatANewServerGets) {
  // From the paper: of one more bucket, only its own share changes place, and shares are even.
  int moved = 0, to_new = 0;
  for (int i = 0; i < 10'000; ++i) {
    std::string key = "key" + std::to_string(i);
    size_t before = ServerOf(key, 4), after = ServerOf(key, 5);
    if (before == after) continue;
    ++moved;
    to_new += after == 4;
  }
  EXPECT_EQ(moved, to_new);
  EXPECT_NEAR(moved, 2000, 200);
  EXPECT_EQ(JumpHash(10863919174838991u, 11), 6u);  // of the reference implementation
  EXPECT_EQ(JumpHash(2016238256797177309u, 11), 3u);
}

}  // namespace
}  // namespace gauntlet::cache
