// RawHttp2: one end of an HTTP/2 connection made of hand-written frames, for tests of the other end. Test code only.

#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

struct nghttp2_hd_inflater;

namespace gauntlet::net {

using RawHeaders = std::vector<std::pair<std::string, std::string>>;

struct RawFrame {
  enum Type : uint8_t {
    kData,
    kHeaders,
    kPriority,
    kReset,
    kSettings,
    kPush,
    kPing,
    kGoAway,
    kWindowUpdate,
    kContinuation
  };
  uint8_t type = 0, flags = 0;
  uint32_t stream = 0;
  std::string payload;

  uint32_t Word(size_t offset = 0) const;  // big-endian in the payload
};

inline constexpr uint8_t kEndStream = 1, kAck = 1, kEndHeaders = 4;
inline constexpr std::string_view kHttp2Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

std::string BigEndian(uint32_t word);
std::string FrameBytes(uint8_t type, uint8_t flags, uint32_t stream, std::string_view payload);
std::string SettingsBytes(const std::vector<std::pair<uint16_t, uint32_t>>& settings);
// A header block of literals that enters nothing into the table.
std::string HeaderBlock(const RawHeaders& headers);
// What a gRPC client says first.
RawHeaders GrpcRequest(const std::string& path);
std::string Message(std::string_view payload, char flag = 0);

// Every wait ends after 20 s with a test failure. One thread at a time.
class RawHttp2 {
 public:
  // As a client that has connected to 127.0.0.1, or as what an accepted socket `fd` talks to.
  static std::unique_ptr<RawHttp2> Connect(int port);
  explicit RawHttp2(int fd);
  ~RawHttp2();

  bool Send(std::string_view bytes);
  bool SendFrame(uint8_t type, uint8_t flags, uint32_t stream, std::string_view payload) {
    return Send(FrameBytes(type, flags, stream, payload));
  }
  // Preface (of a client), and empty settings.
  void Greet(bool client, const std::vector<std::pair<uint16_t, uint32_t>>& settings = {});
  bool SendHeaders(uint32_t stream, const RawHeaders& headers, bool end_stream) {
    return SendFrame(RawFrame::kHeaders, kEndHeaders | (end_stream ? kEndStream : 0), stream, HeaderBlock(headers));
  }
  std::string ReadBytes(size_t size);
  // Nothing at the connection's end. Settings and pings are answered in passing.
  std::optional<RawFrame> Next();
  // The next frame of that type, others skipped.
  std::optional<RawFrame> Next(uint8_t type);
  // True if the peer closes (after whatever else it sends).
  bool AtEnd();
  RawHeaders Decode(const RawFrame& frame);
  // Status, trailers and all: what comes for a stream until its end, headers in order.
  RawHeaders ReadAnswer(uint32_t stream);
  void Close();

 private:
  int fd_;
  nghttp2_hd_inflater* inflater_ = nullptr;
};

// The value, or "".
std::string HeaderValue(const RawHeaders& headers, std::string_view name);

// Listens on 127.0.0.1.
class RawListener {
 public:
  RawListener();
  ~RawListener();
  int port() const { return port_; }
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  std::unique_ptr<RawHttp2> Accept();

 private:
  int fd_ = -1, port_ = 0;
};

}  // namespace gauntlet::net
