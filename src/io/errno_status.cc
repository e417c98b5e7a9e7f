#include "io/errno_status.h"

#include <cerrno>
#include <cstring>
#include <string>

namespace gauntlet::io {

Status ErrnoStatus(std::string_view doing, std::string_view path) {
  const int error = errno;
  auto code = [error] {
    switch (error) {
      case ENOENT:
      case ENOTDIR:
        return Code::kNotFound;
      case EEXIST:
      case ENOTEMPTY:
        return Code::kExists;
      case EACCES:
      case EPERM:
      case EROFS:
        return Code::kDenied;
      case ENOSPC:
      case EDQUOT:
      case EMFILE:
      case ENFILE:
      case ENOMEM:
        return Code::kExhausted;
      case EINVAL:
      case EISDIR:
      case ENAMETOOLONG:
        return Code::kInvalid;
      default:
        return Code::kUnavailable;
    }
  };
  char buffer[128];
  std::string message(doing);
  message.append(" ").append(path).append(": ").append(strerror_r(error, buffer, sizeof(buffer)));
  return Status(code(), std::move(message));
}

}  // namespace gauntlet::io
