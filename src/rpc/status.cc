#include "rpc/status.h"

#include <fmt/format.h>

namespace gauntlet::rpc {

using net::GrpcCode;
using net::GrpcStatus;

std::string ErrorText(const GrpcStatus& status) {
  return fmt::format("rpc error: code = {} desc = {}", net::GrpcCodeText(status.code), status.message);
}

GrpcStatus AbortedBy(const GrpcStatus& error) {
  switch (error.code) {
    case GrpcCode::kCancelled:
    case GrpcCode::kDeadlineExceeded:
    case GrpcCode::kResourceExhausted:
    case GrpcCode::kInvalidArgument:
      return error;
    default:
      return {GrpcCode::kAborted, error.message};
  }
}

GrpcStatus AbortedBy(const Status& error) { return AbortedBy(GrpcStatus(error)); }

GrpcStatus AbortedByWarning(std::string_view warning) {
  bool exhausted = warning.find("rpc error: code = ResourceExhausted") != std::string_view::npos;
  return {exhausted ? GrpcCode::kResourceExhausted : GrpcCode::kAborted, std::string(warning)};
}

}  // namespace gauntlet::rpc
