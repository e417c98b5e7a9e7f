#include "net/http/output_queue.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace gauntlet::net {
namespace {

std::string Take(OutputQueue& queue, size_t most) {
  iovec pieces[4];
  const size_t count = queue.Gather(pieces, 4);
  std::string out;
  for (size_t i = 0; i < count; ++i) out.append(static_cast<const char*>(pieces[i].iov_base), pieces[i].iov_len);
  out.resize(std::min(out.size(), most));
  queue.Drop(out.size());
  return out;
}

TEST(OutputQueue, GivesWhatCameInOrderHoweverMuchIsTaken) {
  for (size_t most : {1, 3, 7, 1000, 1'000'000}) {
    OutputQueue queue;
    std::string all, got;
    for (size_t size : {3, 0, 5000, 20, 2000, 1, 7, 3000, 1024}) {
      std::string piece(size, static_cast<char>('a' + all.size() % 26));
      all += piece;
      queue.Append(piece);
      got += Take(queue, most);
    }
    EXPECT_EQ(queue.bytes(), all.size() - got.size());
    while (!queue.empty()) got += Take(queue, most);
    EXPECT_EQ(got, all);
  }
}

TEST(OutputQueue, LargePiecesAreNotCopied) {
  OutputQueue queue;
  std::string large(100'000, 'x');
  const char* bytes = large.data();
  queue.Append("head");
  queue.Append(std::move(large));
  queue.Drop(4);
  iovec piece;
  ASSERT_EQ(queue.Gather(&piece, 1), 1u);
  EXPECT_EQ(piece.iov_base, bytes);
}

}  // namespace
}  // namespace gauntlet::net
