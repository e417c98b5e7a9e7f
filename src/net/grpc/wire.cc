#include "net/grpc/wire.h"

#include <algorithm>
#include <array>

#include "net/text.h"

namespace gauntlet::net {
namespace {

constexpr std::string_view kMessageHex = "0123456789ABCDEF";
constexpr std::string_view kBase64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

struct TimeUnit {
  char letter;
  int64_t nanoseconds;
};
constexpr std::array<TimeUnit, 6> kUnits{
    {{'n', 1}, {'u', 1000}, {'m', 1000'000}, {'S', 1'000'000'000}, {'M', 60'000'000'000}, {'H', 3600'000'000'000}}};
constexpr int64_t kCenturyHours = 100 * 365 * 24;

// Takes the part before the next comma off `list`.
std::string_view NextOfList(std::string_view* list) {
  size_t comma = list->find(',');
  std::string_view part = list->substr(0, comma);
  list->remove_prefix(comma == std::string_view::npos ? list->size() : comma + 1);
  return TrimBlanks(part);
}

bool IsBinaryName(std::string_view name) { return name.ends_with("-bin"); }

bool IsMetadataName(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
  });
}

}  // namespace

std::string FormatGrpcTimeout(std::chrono::nanoseconds timeout) {
  int64_t left = std::max<int64_t>(timeout.count(), 0);
  for (const TimeUnit& unit : kUnits) {
    int64_t count = left / unit.nanoseconds + (left % unit.nanoseconds != 0 ? 1 : 0);
    if (count <= 99'999'999) return std::to_string(count) + unit.letter;
  }
  return "99999999H";
}

Result<std::chrono::nanoseconds> ParseGrpcTimeout(std::string_view text) {
  auto malformed = [&] { return Status(Code::kInvalid, "malformed grpc-timeout \"" + std::string(text) + "\""); };
  if (text.size() < 2 || text.size() > 9) return malformed();
  int64_t count = 0;
  for (char c : text.substr(0, text.size() - 1)) {
    if (c < '0' || c > '9') return malformed();
    count = count * 10 + (c - '0');
  }
  for (const TimeUnit& unit : kUnits) {
    if (unit.letter != text.back()) continue;
    constexpr int64_t kMax = kCenturyHours * 3600'000'000'000;
    return std::chrono::nanoseconds(count > kMax / unit.nanoseconds ? kMax : count * unit.nanoseconds);
  }
  return malformed();
}

std::string EncodeGrpcMessage(std::string_view message) {
  std::string out;
  out.reserve(message.size());
  for (char c : message) {
    auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte <= 0x7e && c != '%') {
      out.push_back(c);
    } else {
      out += {'%', kMessageHex[byte >> 4], kMessageHex[byte & 15]};
    }
  }
  return out;
}

std::string DecodeGrpcMessage(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    int high = text[i] == '%' && i + 2 < text.size() ? HexDigit(text[i + 1]) : -1;
    int low = high >= 0 ? HexDigit(text[i + 2]) : -1;
    if (low < 0) {
      out.push_back(text[i]);
    } else {
      out.push_back(static_cast<char>(high * 16 + low));
      i += 2;
    }
  }
  return out;
}

std::string EncodeBase64(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size() * 4 / 3 + 3);
  uint32_t held = 0;
  int bits = 0;
  for (char c : bytes) {
    held = held << 8 | static_cast<unsigned char>(c);
    for (bits += 8; bits >= 6; bits -= 6) out.push_back(kBase64[held >> (bits - 6) & 63]);
  }
  if (bits > 0) out.push_back(kBase64[held << (6 - bits) & 63]);
  return out;
}

Result<std::string> DecodeBase64(std::string_view text) {
  size_t size = text.size();
  if (size % 4 == 0) {
    for (int i = 0; i < 2 && size > 0 && text[size - 1] == '='; ++i) --size;
  }
  std::string out;
  out.reserve(size * 3 / 4);
  uint32_t held = 0;
  int bits = 0;
  for (char c : text.substr(0, size)) {
    size_t value = kBase64.find(c);
    if (value == std::string_view::npos) return Status(Code::kInvalid, "malformed base64");
    held = held << 6 | static_cast<uint32_t>(value);
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    out.push_back(static_cast<char>(held >> bits & 255));
  }
  if (size % 4 == 1) return Status(Code::kInvalid, "malformed base64");
  return out;
}

bool IsReservedGrpcHeader(std::string_view name) {
  if (name.starts_with(':') || name.starts_with("grpc-")) {
    // The two that grpc-go treats as metadata of the application.
    return name != "grpc-trace-bin" && name != "grpc-tags-bin";
  }
  return name == "content-type" || name == "te" || name == "connection" || name == "host" ||
         name == "transfer-encoding" || name == "content-length" || name == "keep-alive" || name == "upgrade" ||
         name == "proxy-connection";
}

Status AddGrpcMetadata(std::string_view name, std::string_view value, GrpcMetadata* metadata) {
  if (!IsBinaryName(name)) {
    metadata->emplace(name, value);
    return Status();
  }
  do {
    auto bytes = DecodeBase64(NextOfList(&value));
    if (!bytes.ok()) return Status(Code::kInvalid, "malformed binary metadata \"" + std::string(name) + "\"");
    metadata->emplace(name, *std::move(bytes));
  } while (!value.empty());
  return Status();
}

void AppendGrpcMetadata(const GrpcMetadata& metadata, GrpcHeaders* headers) {
  for (const auto& [name, value] : metadata) {
    std::string lower = name;
    for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    if (!IsMetadataName(lower) || IsReservedGrpcHeader(lower) || lower == "user-agent") continue;
    if (IsBinaryName(lower)) {
      headers->emplace_back(std::move(lower), EncodeBase64(value));
      continue;
    }
    // Bytes that no header may hold would end the whole connection at the peer.
    std::string clean(TrimBlanks(value));
    for (char& c : clean) c = c >= 0x20 && c <= 0x7e ? c : '?';
    headers->emplace_back(std::move(lower), std::move(clean));
  }
}

const std::string_view kGrpcAcceptEncoding = "identity,gzip,snappy";

std::string_view GrpcCompressionName(GrpcCompression compression) {
  switch (compression) {
    case GrpcCompression::kIdentity:
      return "identity";
    case GrpcCompression::kGzip:
      return "gzip";
    case GrpcCompression::kSnappy:
      return "snappy";
  }
  return "identity";
}

std::optional<GrpcCompression> ParseGrpcCompression(std::string_view name) {
  for (auto c : {GrpcCompression::kIdentity, GrpcCompression::kGzip, GrpcCompression::kSnappy}) {
    if (name == GrpcCompressionName(c)) return c;
  }
  return std::nullopt;
}

bool AcceptsGrpcCompression(std::string_view accept_encoding, GrpcCompression compression) {
  while (!accept_encoding.empty()) {
    if (NextOfList(&accept_encoding) == GrpcCompressionName(compression)) return true;
  }
  return compression == GrpcCompression::kIdentity;
}

bool IsGrpcContentType(std::string_view content_type) {
  constexpr std::string_view kBase = "application/grpc";
  if (content_type.size() < kBase.size()) return false;
  for (size_t i = 0; i < kBase.size(); ++i) {
    char c = content_type[i];
    if ((c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c) != kBase[i]) return false;
  }
  return content_type.size() == kBase.size() || content_type[kBase.size()] == '+' || content_type[kBase.size()] == ';';
}

GrpcCode ParseGrpcCode(std::string_view text) {
  int number = text.empty() ? -1 : 0;
  for (char c : text) {
    if (c < '0' || c > '9' || number > 100) return GrpcCode::kUnknown;
    number = number * 10 + (c - '0');
  }
  if (number < 0 || number > static_cast<int>(GrpcCode::kUnauthenticated)) return GrpcCode::kUnknown;
  return static_cast<GrpcCode>(number);
}

GrpcCode GrpcCodeFromHttpStatus(int status) {
  switch (status) {
    case 400:
      return GrpcCode::kInternal;
    case 401:
      return GrpcCode::kUnauthenticated;
    case 403:
      return GrpcCode::kPermissionDenied;
    case 404:
      return GrpcCode::kUnimplemented;
    case 429:
    case 502:
    case 503:
    case 504:
      return GrpcCode::kUnavailable;
    default:
      return GrpcCode::kUnknown;
  }
}

GrpcCode GrpcCodeFromHttp2Error(uint32_t error) {
  switch (error) {
    case 7:  // REFUSED_STREAM
      return GrpcCode::kUnavailable;
    case 8:  // CANCEL
      return GrpcCode::kCancelled;
    case 11:  // ENHANCE_YOUR_CALM
      return GrpcCode::kResourceExhausted;
    case 12:  // INADEQUATE_SECURITY
      return GrpcCode::kPermissionDenied;
    default:
      return GrpcCode::kInternal;
  }
}

std::string_view Http2ErrorName(uint32_t error) {
  constexpr std::array<std::string_view, 14> kNames{"NO_ERROR",
                                                    "PROTOCOL_ERROR",
                                                    "INTERNAL_ERROR",
                                                    "FLOW_CONTROL_ERROR",
                                                    "SETTINGS_TIMEOUT",
                                                    "STREAM_CLOSED",
                                                    "FRAME_SIZE_ERROR",
                                                    "REFUSED_STREAM",
                                                    "CANCEL",
                                                    "COMPRESSION_ERROR",
                                                    "CONNECT_ERROR",
                                                    "ENHANCE_YOUR_CALM",
                                                    "INADEQUATE_SECURITY",
                                                    "HTTP_1_1_REQUIRED"};
  return error < kNames.size() ? kNames[error] : "unknown error";
}

}  // namespace gauntlet::net
