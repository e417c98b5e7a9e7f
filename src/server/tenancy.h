// Tenancy: which tenant an HTTP request speaks for: by header, or by a field of its client certificate.
//
// Upstream: thanos pkg/tenancy
// Threads:  immutable.

#pragma once

#include <string>
#include <string_view>

#include "base/status.h"
#include "net/http/message.h"

namespace gauntlet::server {

inline constexpr char kTenantHeader[] = "THANOS-TENANT";
inline constexpr char kDefaultTenant[] = "default-tenant";

struct TenancyOptions {
  std::string header = kTenantHeader;
  std::string default_tenant = kDefaultTenant;
  std::string certificate_field;  // "", organization, organizationalUnit, commonName
};

// kInvalid unless the name can be one element of a path: it becomes a folder and a key.
Status CheckTenant(std::string_view tenant);

// kInvalid or kDenied when the request names none that it may.
Result<std::string> TenantOf(const net::HttpRequest& request, const TenancyOptions& options);

}  // namespace gauntlet::server
