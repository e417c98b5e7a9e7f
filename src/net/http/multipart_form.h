// The fields of a multipart/form-data body, as `curl -F` and browsers send them. Files in it are passed over.
//
// Format:  RFC 7578
// Threads: a pure function.

#pragma once

#include <string_view>

#include "base/status.h"
#include "net/http/message.h"

namespace gauntlet::net {

bool IsMultipartForm(std::string_view content_type);

// Adds the fields in order. kInvalid for a body that is not what its content type says; `form` then has what came
// before.
Status ParseMultipartForm(std::string_view content_type, std::string_view body, FormValues* form);

}  // namespace gauntlet::net
