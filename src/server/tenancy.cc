#include "server/tenancy.h"

namespace gauntlet::server {
namespace {

constexpr size_t kTenantBytesMax = 255;  // of a file name

Result<std::string> FromCertificate(const net::HttpRequest& request, const std::string& field) {
  if (!request.peer) return Status(Code::kDenied, "could not get required certificate field from client cert");
  std::string tenant;
  if (field == "commonName") {
    tenant = request.peer->common_name;
  } else {
    const auto& values = field == "organization" ? request.peer->organizations : request.peer->organizational_units;
    if (!values.empty()) tenant = values.front();
  }
  if (tenant.empty()) {
    return Status(Code::kDenied, "could not get " + field + " field from client cert");
  }
  return tenant;
}

}  // namespace

Status CheckTenant(std::string_view tenant) {
  bool plain = tenant.find_first_of(std::string_view("/\\\0", 3)) == std::string_view::npos;
  if (plain && !tenant.empty() && tenant != "." && tenant != ".." && tenant.size() <= kTenantBytesMax) {
    return Status();
  }
  return Status(Code::kInvalid, "Tenant name not valid");
}

Result<std::string> TenantOf(const net::HttpRequest& request, const TenancyOptions& options) {
  std::string tenant;
  if (!options.certificate_field.empty()) {
    GN_ASSIGN(tenant, FromCertificate(request, options.certificate_field));
  } else {
    tenant = request.headers.Get(options.header);
    if (tenant.empty()) tenant = request.headers.Get(kTenantHeader);
    if (tenant.empty()) tenant = options.default_tenant;
  }
  GN_TRY(CheckTenant(tenant));
  return tenant;
}

}  // namespace gauntlet::server
