#include "net/http/testing/test_socket.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

namespace gauntlet::net {

TestSocket::TestSocket(int port, int receive_buffer_bytes) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  timeval limit{20, 0};
  setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  if (receive_buffer_bytes > 0) {
    setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer_bytes, sizeof receive_buffer_bytes);
  }
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<uint16_t>(port));
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof to), 0) << errno;
}

TestSocket::~TestSocket() { Close(); }

bool TestSocket::Send(std::string_view bytes) {
  while (!bytes.empty()) {
    ssize_t n = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n <= 0) {
      EXPECT_NE(errno, EAGAIN) << "send took too long";
      return false;
    }
    bytes.remove_prefix(static_cast<size_t>(n));
  }
  return true;
}

bool TestSocket::Fill() {
  char part[65536];
  ssize_t n = recv(fd_, part, sizeof part, 0);
  EXPECT_FALSE(n < 0 && errno == EAGAIN) << "read took too long";
  if (n <= 0) return false;
  buffer_.append(part, static_cast<size_t>(n));
  return true;
}

std::string TestSocket::ReadSome() {
  if (buffer_.empty()) Fill();
  return std::exchange(buffer_, std::string());
}

std::string TestSocket::ReadToEnd() {
  while (Fill()) {
  }
  return std::exchange(buffer_, std::string());
}

bool TestSocket::FillUntil(std::string_view text, size_t from) {
  while (buffer_.find(text, from) == std::string::npos) {
    if (!Fill()) return false;
  }
  return true;
}

bool TestSocket::Answer::Has(std::string_view line) const {
  return head.find("\r\n" + std::string(line) + "\r\n") != std::string::npos;
}

TestSocket::Answer TestSocket::ReadAnswer(bool head_only) {
  Answer answer;
  if (!FillUntil("\r\n\r\n", 0)) {
    answer.head = buffer_;
    return answer;
  }
  size_t head_end = buffer_.find("\r\n\r\n");
  answer.head = buffer_.substr(0, head_end + 2);
  buffer_.erase(0, head_end + 4);
  answer.status = std::stoi(answer.head.substr(9, 3));
  if (answer.status == 100) return ReadAnswer(head_only);
  if (head_only || answer.status == 204 || answer.status == 304) {
    answer.complete = true;
  } else if (size_t at = answer.head.find("Content-Length: "); at != std::string::npos) {
    size_t length = std::stoul(answer.head.substr(at + 16));
    while (buffer_.size() < length && Fill()) {
    }
    answer.complete = buffer_.size() >= length;
    answer.body = buffer_.substr(0, length);
    buffer_.erase(0, length);
  } else if (answer.Has("Transfer-Encoding: chunked")) {
    while (FillUntil("\r\n", 0)) {
      size_t eol = buffer_.find("\r\n"), size = std::stoul(buffer_, nullptr, 16);
      while (buffer_.size() < eol + 2 + size + 2 && Fill()) {
      }
      answer.body += buffer_.substr(eol + 2, size);
      if (buffer_.size() < eol + 2 + size + 2) break;
      buffer_.erase(0, eol + 2 + size + 2);
      if (size == 0) {
        answer.complete = true;
        break;
      }
    }
  } else {
    answer.body = ReadToEnd();
    answer.complete = true;
  }
  return answer;
}

void TestSocket::FinishWriting() { shutdown(fd_, SHUT_WR); }

void TestSocket::Close() {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
}

void TestSocket::Reset() {
  linger now{1, 0};
  setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  Close();
}

}  // namespace gauntlet::net
