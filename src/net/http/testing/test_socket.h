// TestSocket: a blocking client socket for tests that speak HTTP by hand. Test code only.

#pragma once

#include <string>
#include <string_view>

namespace gauntlet::net {

// Every wait ends after 20 s with a test failure.
class TestSocket {
 public:
  // Connects to 127.0.0.1; `receive_buffer_bytes` 0 = the system's.
  explicit TestSocket(int port, int receive_buffer_bytes = 0);
  ~TestSocket();
  TestSocket(const TestSocket&) = delete;
  TestSocket& operator=(const TestSocket&) = delete;

  // False when the peer has closed.
  bool Send(std::string_view bytes);
  // What is there already goes first; "" at the end of the stream or on a reset.
  std::string ReadSome();
  std::string ReadToEnd();
  // One answer: head and a body by Content-Length or chunks (decoded); `head_only` for HEAD.
  struct Answer {
    int status = 0;
    std::string head, body;
    bool complete = false;
    bool Has(std::string_view line) const;
  };
  Answer ReadAnswer(bool head_only = false);
  Answer Ask(std::string_view request) { return Send(request) ? ReadAnswer() : Answer(); }
  void FinishWriting();
  void Close();
  // Closes so that the peer sees a reset.
  void Reset();

 private:
  bool Fill();
  bool FillUntil(std::string_view text, size_t from);

  int fd_ = -1;
  std::string buffer_;
};

}  // namespace gauntlet::net
