#include "net/grpc/testing/raw_http2.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/tcp.h>
#include <nghttp2/nghttp2.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"
#include "net/socket.h"

namespace gauntlet::net {
namespace {

constexpr int kTimeoutMs = 20'000;

std::string HpackString(std::string_view text) {
  GN_CHECK(text.size() < 127 + (1 << 21));
  std::string out;
  if (text.size() < 127) {
    out.push_back(static_cast<char>(text.size()));
  } else {
    out.push_back(127);
    size_t left = text.size() - 127;
    for (; left >= 128; left >>= 7) out.push_back(static_cast<char>((left & 127) | 128));
    out.push_back(static_cast<char>(left));
  }
  return out.append(text);
}

}  // namespace

uint32_t RawFrame::Word(size_t offset) const {
  uint32_t word = 0;
  for (size_t i = offset; i < offset + 4 && i < payload.size(); ++i) {
    word = word << 8 | static_cast<unsigned char>(payload[i]);
  }
  return word;
}

std::string BigEndian(uint32_t word) {
  return {static_cast<char>(word >> 24), static_cast<char>(word >> 16), static_cast<char>(word >> 8),
          static_cast<char>(word)};
}

std::string FrameBytes(uint8_t type, uint8_t flags, uint32_t stream, std::string_view payload) {
  std::string out = BigEndian(static_cast<uint32_t>(payload.size())).substr(1);
  out.push_back(static_cast<char>(type));
  out.push_back(static_cast<char>(flags));
  return out.append(BigEndian(stream)).append(payload);
}

std::string SettingsBytes(const std::vector<std::pair<uint16_t, uint32_t>>& settings) {
  std::string payload;
  for (auto [name, value] : settings) payload += BigEndian(name).substr(2) + BigEndian(value);
  return FrameBytes(RawFrame::kSettings, 0, 0, payload);
}

std::string HeaderBlock(const RawHeaders& headers) {
  std::string block;
  for (const auto& [name, value] : headers) {
    block.push_back(0);
    block += HpackString(name) + HpackString(value);
  }
  return block;
}

RawHeaders GrpcRequest(const std::string& path) {
  return {{":method", "POST"},    {":scheme", "http"}, {":path", path},
          {":authority", "test"}, {"te", "trailers"},  {"content-type", "application/grpc"}};
}

std::string Message(std::string_view payload, char flag) {
  return flag + BigEndian(static_cast<uint32_t>(payload.size())) + std::string(payload);
}

std::string HeaderValue(const RawHeaders& headers, std::string_view name) {
  for (const auto& [n, value] : headers) {
    if (n == name) return value;
  }
  return "";
}

RawHttp2::RawHttp2(int fd) : fd_(fd) {
  int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  GN_CHECK(nghttp2_hd_inflate_new(&inflater_) == 0);
}

RawHttp2::~RawHttp2() {
  Close();
  nghttp2_hd_inflate_del(inflater_);
}

std::unique_ptr<RawHttp2> RawHttp2::Connect(int port) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<uint16_t>(port));
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  GN_CHECK(connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof(to)) == 0);
  return std::make_unique<RawHttp2>(fd);
}

void RawHttp2::Close() {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
}

bool RawHttp2::Send(std::string_view bytes) {
  while (!bytes.empty()) {
    ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0) return false;
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return true;
}

void RawHttp2::Greet(bool client, const std::vector<std::pair<uint16_t, uint32_t>>& settings) {
  if (client) Send(kHttp2Preface);
  Send(SettingsBytes(settings));
}

std::string RawHttp2::ReadBytes(size_t size) {
  std::string out;
  while (out.size() < size) {
    pollfd wait{fd_, POLLIN, 0};
    if (poll(&wait, 1, kTimeoutMs) != 1) {
      ADD_FAILURE() << "nothing came in time";
      return "";
    }
    std::string part(size - out.size(), '\0');
    ssize_t got = recv(fd_, part.data(), part.size(), 0);
    if (got <= 0) return "";
    out.append(part, 0, static_cast<size_t>(got));
  }
  return out;
}

std::optional<RawFrame> RawHttp2::Next() {
  std::string head = ReadBytes(9);
  if (head.empty()) return std::nullopt;
  RawFrame frame;
  frame.payload = std::string(1, '\0') + head.substr(0, 3);
  size_t size = frame.Word();
  frame.type = static_cast<uint8_t>(head[3]);
  frame.flags = static_cast<uint8_t>(head[4]);
  frame.payload = head.substr(5, 4);
  frame.stream = frame.Word();
  frame.payload = size > 0 ? ReadBytes(size) : "";
  if (frame.payload.size() != size) return std::nullopt;
  if (frame.type == RawFrame::kSettings && frame.flags == 0) SendFrame(RawFrame::kSettings, kAck, 0, "");
  if (frame.type == RawFrame::kPing && frame.flags == 0) SendFrame(RawFrame::kPing, kAck, 0, frame.payload);
  return frame;
}

std::optional<RawFrame> RawHttp2::Next(uint8_t type) {
  while (auto frame = Next()) {
    if (frame->type == type) return frame;
    if (frame->type == RawFrame::kHeaders) Decode(*frame);  // keeps the table right
  }
  return std::nullopt;
}

bool RawHttp2::AtEnd() {
  while (Next()) {
  }
  return !::testing::Test::HasFailure();
}

RawHeaders RawHttp2::Decode(const RawFrame& frame) {
  RawHeaders headers;
  std::string block = frame.payload;
  size_t at = 0;
  while (true) {
    nghttp2_nv nv;
    int flags = 0;
    ssize_t used = nghttp2_hd_inflate_hd2(inflater_, &nv, &flags, reinterpret_cast<const uint8_t*>(block.data()) + at,
                                          block.size() - at, 1);
    GN_CHECK(used >= 0);
    at += static_cast<size_t>(used);
    if ((flags & NGHTTP2_HD_INFLATE_EMIT) != 0) {
      headers.emplace_back(std::string(reinterpret_cast<char*>(nv.name), nv.namelen),
                           std::string(reinterpret_cast<char*>(nv.value), nv.valuelen));
    }
    if ((flags & NGHTTP2_HD_INFLATE_FINAL) != 0) break;
  }
  nghttp2_hd_inflate_end_headers(inflater_);
  return headers;
}

RawHeaders RawHttp2::ReadAnswer(uint32_t stream) {
  RawHeaders all;
  while (auto frame = Next()) {
    if (frame->type == RawFrame::kHeaders) {
      for (auto& header : Decode(*frame)) {
        if (frame->stream == stream) all.push_back(std::move(header));
      }
    }
    if (frame->stream != stream) continue;
    if (frame->type == RawFrame::kReset) {
      all.emplace_back("reset", std::to_string(frame->Word()));
      return all;
    }
    bool may_end = frame->type == RawFrame::kHeaders || frame->type == RawFrame::kData;
    if (may_end && (frame->flags & kEndStream) != 0) return all;
  }
  all.emplace_back("lost", "");
  return all;
}

RawListener::RawListener() {
  fd_ = *ListenTcp("127.0.0.1:0");
  port_ = LocalPort(fd_);
}

RawListener::~RawListener() { close(fd_); }

std::unique_ptr<RawHttp2> RawListener::Accept() {
  pollfd wait{fd_, POLLIN, 0};
  if (poll(&wait, 1, kTimeoutMs) != 1) {
    ADD_FAILURE() << "nobody connected in time";
    return nullptr;
  }
  return std::make_unique<RawHttp2>(accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC));
}

}  // namespace gauntlet::net
