#include "objstore/swift/swift_config.h"

#include "config/decoder.h"
#include "config/durations.h"

namespace gauntlet::objstore {

Result<SwiftConfig> ParseSwiftConfig(const config::Node& node) {
  SwiftConfig c;
  GN_TRY(config::DecodeNode(node, "swift.Config", [&](config::Decoder& d) {
           d.Field("auth_version", &c.auth_version);
           d.Field("auth_url", &c.auth_url);
           d.Field("username", &c.username);
           d.Field("user_domain_name", &c.user_domain_name);
           d.Field("user_domain_id", &c.user_domain_id);
           d.Field("user_id", &c.user_id);
           d.Field("password", &c.password);
           d.Field("domain_id", &c.domain_id);
           d.Field("domain_name", &c.domain_name);
           d.Field("application_credential_id", &c.application_credential_id);
           d.Field("application_credential_name", &c.application_credential_name);
           d.Field("application_credential_secret", &c.application_credential_secret);
           d.Field("project_id", &c.project_id);
           d.Field("project_name", &c.project_name);
           d.Field("project_domain_id", &c.project_domain_id);
           d.Field("project_domain_name", &c.project_domain_name);
           d.Field("region_name", &c.region_name);
           d.Field("container_name", &c.container);
           d.Field("large_object_chunk_size", &c.chunk_bytes);
           d.Field("large_object_segments_container_name", &c.segments_container);
           d.Field("retries", &c.retries);
           config::PromDurationField(d, "connect_timeout", &c.connect_timeout);
           config::PromDurationField(d, "timeout", &c.timeout);
           d.Field("use_dynamic_large_objects", &c.dynamic_large_objects);
           DecodeHttpConfig(d, &c.http);
         }).Wrap("parse config"));
  if (c.auth_url.empty()) return Status(Code::kInvalid, "no auth_url in the Swift configuration");
  if (c.container.empty()) return Status(Code::kInvalid, "no container_name in the Swift configuration");
  if (c.segments_container.empty()) c.segments_container = c.container;
  return c;
}

}  // namespace gauntlet::objstore
