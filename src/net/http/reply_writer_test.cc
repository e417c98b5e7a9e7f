#include "net/http/reply_writer.h"

#include <gtest/gtest.h>

#include "io/compress.h"

namespace gauntlet::net {
namespace {

class FakeSink : public ReplySink {
 public:
  Status Send(std::string head, std::string body) override {
    ++sends;
    if (gone) return {Code::kUnavailable, "gone"};
    all += head;
    all += body;
    return Status();
  }
  bool Closing() const override { return closing; }
  std::string Head() const { return all.substr(0, all.find("\r\n\r\n") + 2); }
  std::string Body() const { return all.substr(all.find("\r\n\r\n") + 4); }
  bool HasLine(std::string_view line) const { return Head().find(std::string(line) + "\r\n") != std::string::npos; }

  std::string all;
  int sends = 0;
  bool gone = false, closing = false;
};

std::string Unchunked(std::string_view body) {
  std::string out;
  while (true) {
    size_t eol = body.find("\r\n");
    size_t size = std::stoul(std::string(body.substr(0, eol)), nullptr, 16);
    if (size == 0) return body == "0\r\n\r\n" ? out : "bad end";
    out += body.substr(eol + 2, size);
    body.remove_prefix(eol + 2 + size + 2);
  }
}

TEST(ReplyWriter, SmallBodyGoesOutAtOnceWithItsLength) {
  FakeSink sink;
  ReplyWriter reply({}, sink);
  ASSERT_TRUE(reply.Write("hel").ok());
  reply.SetStatus(422);
  ASSERT_TRUE(reply.Write("lo").ok());
  EXPECT_EQ(sink.sends, 0);
  reply.Finish();
  EXPECT_EQ(sink.sends, 1);
  EXPECT_TRUE(sink.all.starts_with("HTTP/1.1 422 Unprocessable Entity\r\n"));
  EXPECT_TRUE(sink.HasLine("Content-Length: 5"));
  EXPECT_TRUE(sink.HasLine("Content-Type: text/plain; charset=utf-8"));
  EXPECT_EQ(sink.Body(), "hello");
  EXPECT_TRUE(reply.keep_alive());
}

TEST(ReplyWriter, NothingSaidIsAnEmpty200) {
  FakeSink sink;
  ReplyWriter reply({}, sink);
  reply.Finish();
  EXPECT_TRUE(sink.all.starts_with("HTTP/1.1 200 OK\r\n"));
  EXPECT_TRUE(sink.HasLine("Content-Length: 0"));
}

TEST(ReplyWriter, LongBodyIsChunked) {
  FakeSink sink;
  ReplyWriter reply({}, sink);
  std::string all;
  for (int i = 0; i < 100; ++i) {
    std::string part(1 + i * 100, static_cast<char>('a' + i % 26));
    all += part;
    ASSERT_TRUE(reply.Write(part).ok());
  }
  std::string big(1'000'000, 'z');
  all += big;
  ASSERT_TRUE(reply.Write(big).ok());
  reply.Finish();
  EXPECT_TRUE(sink.HasLine("Transfer-Encoding: chunked"));
  EXPECT_EQ(Unchunked(sink.Body()), all);
}

TEST(ReplyWriter, GzipOnlyWhenAcceptedAndWorthIt) {
  auto answer = [](bool accepted, std::string_view type, size_t size) {
    FakeSink sink;
    ReplyWriter reply({.gzip = accepted}, sink);
    reply.headers().Set("Content-Type", type);
    EXPECT_TRUE(reply.Write(std::string(size, 'x')).ok());
    reply.Finish();
    bool packed = sink.HasLine("Content-Encoding: gzip");
    std::string body = sink.HasLine("Transfer-Encoding: chunked") ? Unchunked(sink.Body()) : sink.Body();
    if (packed) body = *io::GzipDecompress(body, size);
    EXPECT_EQ(body, std::string(size, 'x'));
    return packed;
  };
  for (size_t size : {2000, 60'000, 70'000, 3'000'000}) {
    EXPECT_TRUE(answer(true, "application/json", size));
    EXPECT_FALSE(answer(false, "application/json", size));
    EXPECT_FALSE(answer(true, "application/octet-stream", size));
  }
  EXPECT_FALSE(answer(true, "application/json", 100));
}

TEST(ReplyWriter, OwnedPiecesArriveInOrderInEveryFraming) {
  for (bool gzip : {false, true}) {
    for (bool http10 : {false, true}) {
      FakeSink sink;
      ReplyWriter reply({.http10 = http10, .gzip = gzip}, sink);
      reply.headers().Set("Content-Type", "application/json");
      std::string all;
      for (size_t size : {10, 70'000, 100, 65'536, 300'000, 5}) {
        std::string piece(size, static_cast<char>('a' + size % 26));
        all += piece;
        ASSERT_TRUE((size % 10 == 0 ? reply.WriteOwned(piece) : reply.Write(piece)).ok());
      }
      reply.Finish();
      std::string body = http10 ? sink.Body() : Unchunked(sink.Body());
      if (gzip) body = *io::GzipDecompress(body, all.size());
      EXPECT_EQ(body, all);
    }
  }
  FakeSink head;
  ReplyWriter none({.head = true}, head);
  ASSERT_TRUE(none.WriteOwned(std::string(100'000, 'x')).ok());
  none.Finish();
  EXPECT_EQ(head.Body(), "");
  FakeSink sized;
  ReplyWriter known({}, sized);
  known.headers().Set("Content-Length", "100000");
  ASSERT_TRUE(known.WriteOwned(std::string(100'000, 'x')).ok());
  known.Finish();
  EXPECT_EQ(sized.Body(), std::string(100'000, 'x'));
  EXPECT_TRUE(known.keep_alive());
}

TEST(ReplyWriter, FlushSendsWhatIsThere) {
  FakeSink sink;
  ReplyWriter reply({.gzip = true}, sink);
  ASSERT_TRUE(reply.Write("event 1\n").ok());
  ASSERT_TRUE(reply.Flush().ok());
  size_t first = sink.all.size();
  ASSERT_TRUE(reply.Write("event 2\n").ok());
  EXPECT_EQ(sink.all.size(), first);
  reply.Finish();
  EXPECT_EQ(*io::GzipDecompress(Unchunked(sink.Body()), 100), "event 1\nevent 2\n");
}

TEST(ReplyWriter, HeadHasTheLengthAndNoBody) {
  FakeSink sink;
  ReplyWriter reply({.head = true}, sink);
  ASSERT_TRUE(reply.Write("hello").ok());
  reply.Finish();
  EXPECT_TRUE(sink.HasLine("Content-Length: 5"));
  EXPECT_EQ(sink.Body(), "");
  FakeSink stream;
  ReplyWriter big({.head = true}, stream);
  ASSERT_TRUE(big.Write(std::string(1 << 20, 'x')).ok());
  big.Finish();
  EXPECT_EQ(stream.Body(), "");
  EXPECT_TRUE(big.keep_alive());
}

TEST(ReplyWriter, NoBodyWhereTheStatusHasNone) {
  FakeSink sink;
  ReplyWriter reply({}, sink);
  reply.SetStatus(204);
  ASSERT_TRUE(reply.Write("ignored").ok());
  reply.Finish();
  EXPECT_EQ(sink.Body(), "");
  EXPECT_EQ(sink.Head().find("Content-Length"), std::string::npos);
}

TEST(ReplyWriter, OldClientsGetTheBodyUpToTheEndOfTheConnection) {
  FakeSink sink;
  ReplyWriter reply({.http10 = true, .keep_alive = true}, sink);
  std::string big(200'000, 'x');
  ASSERT_TRUE(reply.Write(big).ok());
  reply.Finish();
  EXPECT_TRUE(sink.HasLine("Connection: close"));
  EXPECT_EQ(sink.Body(), big);
  EXPECT_FALSE(reply.keep_alive());
}

TEST(ReplyWriter, HeadersCannotInjectLines) {
  FakeSink sink;
  ReplyWriter reply({}, sink);
  reply.headers().Set("X-A", "1\r\nX-Evil: 2");
  reply.headers().Set("X-B\r\nX-Evil", "2");
  reply.headers().Set("Transfer-Encoding", "chunked");
  reply.Finish();
  EXPECT_TRUE(sink.HasLine("X-A: 1  X-Evil: 2"));
  EXPECT_EQ(sink.Head().find("\r\nX-Evil"), std::string::npos);
  EXPECT_EQ(sink.Head().find("chunked"), std::string::npos);
}

TEST(ReplyWriter, ClosesWhenTheBodyIsShorterThanPromised) {
  FakeSink sink;
  ReplyWriter reply({}, sink);
  reply.headers().Set("Content-Length", "1000000");
  ASSERT_TRUE(reply.Write(std::string(100'000, 'x')).ok());
  reply.Finish();
  EXPECT_TRUE(sink.HasLine("Content-Length: 1000000"));
  EXPECT_FALSE(reply.keep_alive());
}

TEST(ReplyWriter, GoneClientShowsInWrite) {
  FakeSink sink;
  ReplyWriter reply({}, sink);
  sink.gone = true;
  EXPECT_EQ(reply.Write(std::string(100'000, 'x')).code(), Code::kUnavailable);
  EXPECT_EQ(reply.Write("y").code(), Code::kUnavailable);
  reply.Finish();
  EXPECT_FALSE(reply.keep_alive());
}

TEST(ReplyWriter, AbortLeavesTheBodyUnfinished) {
  FakeSink sink;
  ReplyWriter reply({}, sink);
  ASSERT_TRUE(reply.Write(std::string(100'000, 'x')).ok());
  reply.Abort();
  reply.Finish();
  EXPECT_FALSE(sink.all.ends_with("0\r\n\r\n"));
  EXPECT_FALSE(reply.keep_alive());
}

}  // namespace
}  // namespace gauntlet::net
