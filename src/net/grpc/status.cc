// How our codes and gRPC's map. Where gRPC is finer, the way back takes the nearest code that does not promise more:
// Aborted, Unknown and DataLoss of a peer must not make a caller retry.

#include "net/grpc/grpc.h"

namespace gauntlet::net {

std::string_view GrpcCodeText(GrpcCode code) {
  switch (code) {
    case GrpcCode::kOk:
      return "OK";
    case GrpcCode::kCancelled:
      return "Canceled";
    case GrpcCode::kUnknown:
      return "Unknown";
    case GrpcCode::kInvalidArgument:
      return "InvalidArgument";
    case GrpcCode::kDeadlineExceeded:
      return "DeadlineExceeded";
    case GrpcCode::kNotFound:
      return "NotFound";
    case GrpcCode::kAlreadyExists:
      return "AlreadyExists";
    case GrpcCode::kPermissionDenied:
      return "PermissionDenied";
    case GrpcCode::kResourceExhausted:
      return "ResourceExhausted";
    case GrpcCode::kFailedPrecondition:
      return "FailedPrecondition";
    case GrpcCode::kAborted:
      return "Aborted";
    case GrpcCode::kOutOfRange:
      return "OutOfRange";
    case GrpcCode::kUnimplemented:
      return "Unimplemented";
    case GrpcCode::kInternal:
      return "Internal";
    case GrpcCode::kUnavailable:
      return "Unavailable";
    case GrpcCode::kDataLoss:
      return "DataLoss";
    case GrpcCode::kUnauthenticated:
      return "Unauthenticated";
  }
  return "Unknown";
}

GrpcCode ToGrpcCode(Code code) {
  switch (code) {
    case Code::kOk:
      return GrpcCode::kOk;
    case Code::kCancelled:
      return GrpcCode::kCancelled;
    case Code::kInvalid:
      return GrpcCode::kInvalidArgument;
    case Code::kNotFound:
      return GrpcCode::kNotFound;
    case Code::kExists:
      return GrpcCode::kAlreadyExists;
    case Code::kDenied:
      return GrpcCode::kPermissionDenied;
    case Code::kExhausted:
      return GrpcCode::kResourceExhausted;
    case Code::kOutOfOrder:
      return GrpcCode::kOutOfRange;
    case Code::kCorrupt:
      return GrpcCode::kDataLoss;
    case Code::kUnavailable:
      return GrpcCode::kUnavailable;
    case Code::kDeadline:
      return GrpcCode::kDeadlineExceeded;
    case Code::kUnsupported:
      return GrpcCode::kUnimplemented;
    case Code::kInternal:
      return GrpcCode::kInternal;
  }
  return GrpcCode::kUnknown;
}

Code FromGrpcCode(GrpcCode code) {
  switch (code) {
    case GrpcCode::kOk:
      return Code::kOk;
    case GrpcCode::kCancelled:
      return Code::kCancelled;
    case GrpcCode::kInvalidArgument:
    case GrpcCode::kFailedPrecondition:
    case GrpcCode::kOutOfRange:
      return Code::kInvalid;
    case GrpcCode::kDeadlineExceeded:
      return Code::kDeadline;
    case GrpcCode::kNotFound:
      return Code::kNotFound;
    case GrpcCode::kAlreadyExists:
      return Code::kExists;
    case GrpcCode::kPermissionDenied:
    case GrpcCode::kUnauthenticated:
      return Code::kDenied;
    case GrpcCode::kResourceExhausted:
      return Code::kExhausted;
    case GrpcCode::kUnimplemented:
      return Code::kUnsupported;
    case GrpcCode::kUnavailable:
      return Code::kUnavailable;
    case GrpcCode::kDataLoss:
      return Code::kCorrupt;
    case GrpcCode::kUnknown:
    case GrpcCode::kAborted:
    case GrpcCode::kInternal:
      return Code::kInternal;
  }
  return Code::kInternal;
}

GrpcStatus::GrpcStatus(const Status& status) : code(ToGrpcCode(status.code())), message(status.message()) {}

Status GrpcStatus::ToStatus() const { return ok() ? Status() : Status(FromGrpcCode(code), message); }

}  // namespace gauntlet::net
