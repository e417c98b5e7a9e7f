// The small texts of the gRPC protocol: time-outs, messages, binary metadata, codings, reserved header names.
//
// Format:  https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
// Threads: pure functions.

#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"
#include "net/grpc/grpc.h"

namespace gauntlet::net {

using GrpcHeaders = std::vector<std::pair<std::string, std::string>>;  // in order, names in lower case

// "250m" for 250 ms; at most 8 digits, so long ones lose precision (rounded up).
std::string FormatGrpcTimeout(std::chrono::nanoseconds timeout);
// Longer than 100 years counts as 100 years.
Result<std::chrono::nanoseconds> ParseGrpcTimeout(std::string_view text);

// grpc-message: percent escapes for what is not printable ASCII, and for '%'.
std::string EncodeGrpcMessage(std::string_view message);
// Malformed escapes stay as they are.
std::string DecodeGrpcMessage(std::string_view text);

std::string EncodeBase64(std::string_view bytes);  // without padding, as grpc-go writes it
Result<std::string> DecodeBase64(std::string_view text);

// True for names that the protocol uses itself: they are not metadata.
bool IsReservedGrpcHeader(std::string_view name);
// Adds one header to the metadata; "-bin" values are decoded (several may be joined by commas).
Status AddGrpcMetadata(std::string_view name, std::string_view value, GrpcMetadata* metadata);
// The other way. Reserved names and names that are no header names are left out.
void AppendGrpcMetadata(const GrpcMetadata& metadata, GrpcHeaders* headers);

std::string_view GrpcCompressionName(GrpcCompression compression);
std::optional<GrpcCompression> ParseGrpcCompression(std::string_view name);
extern const std::string_view kGrpcAcceptEncoding;  // "identity,gzip,snappy"
bool AcceptsGrpcCompression(std::string_view accept_encoding, GrpcCompression compression);

// True for "application/grpc", with or without a "+proto" or ";..." behind.
bool IsGrpcContentType(std::string_view content_type);

// grpc-status as a number; what is no number or unknown counts as Unknown.
GrpcCode ParseGrpcCode(std::string_view text);
// What an answer that is not gRPC means, and what an HTTP/2 error code of RST_STREAM means.
GrpcCode GrpcCodeFromHttpStatus(int status);
GrpcCode GrpcCodeFromHttp2Error(uint32_t error);
std::string_view Http2ErrorName(uint32_t error);  // "REFUSED_STREAM"

}  // namespace gauntlet::net
