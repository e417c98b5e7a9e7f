#include "sidecar/upload_checks.h"

#include <vector>

#include "io/path.h"

namespace gauntlet::sidecar {
namespace {

// As Go's filepath.Clean, for paths that are compared.
std::string Clean(const std::string& path) {
  std::vector<std::string_view> parts;
  const bool absolute = path.starts_with('/');
  for (size_t at = 0; at < path.size();) {
    size_t slash = std::min(path.find('/', at), path.size());
    std::string_view part = std::string_view(path).substr(at, slash - at);
    at = slash + 1;
    if (part.empty() || part == ".") continue;
    if (part == ".." && !parts.empty() && parts.back() != "..") {
      parts.pop_back();
    } else if (part != ".." || !absolute) {
      parts.push_back(part);
    }
  }
  std::string clean(absolute ? "/" : "");
  for (size_t i = 0; i < parts.size(); ++i) clean.append(i > 0 ? "/" : "").append(parts[i]);
  return clean.empty() ? "." : clean;
}

}  // namespace

Status CheckUploadSetup(const PrometheusApi& api, const UploadSetup& setup, telemetry::Logger& logger,
                        const Cancel& cancel) {
  Result<ApiAnswer> answer = api.Get("status/flags", {}, cancel);
  if (answer.status().code() == Code::kNotFound) {
    GN_LOG(logger, kWarn, "Prometheus does not show its flags; no extra validation is done", {"err", answer.status()});
    return Status();
  }
  if (!answer.ok()) return answer.status().Wrap("fetch Prometheus flags");
  auto flag = [&](std::string_view name) { return std::string(answer->data.Get(name).String().value_or("")); };
  const std::string delay_file = flag("storage.tsdb.delay-compact-file.path");
  const std::string mine = io::JoinPath(setup.tsdb_path, setup.meta_file_name);
  if (!delay_file.empty() && Clean(delay_file) != Clean(mine)) {
    return {Code::kInvalid,
            "found that Prometheus and the sidecar use different paths for tracking block uploads. Prometheus uses "
            "--storage.tsdb.delay-compact-file.path=" +
                delay_file + " while the sidecar will write to " + mine + ", they must both use the same path"};
  }
  const std::string min = flag("storage.tsdb.min-block-duration"), max = flag("storage.tsdb.max-block-duration");
  if (min != max && delay_file.empty()) {
    if (!setup.ignore_unequal_block_size) {
      return {Code::kInvalid, "found that TSDB Max time is " + max + " and Min time is " + min +
                                  ". Compaction needs to be disabled (storage.tsdb.min-block-duration = "
                                  "storage.tsdb.max-block-duration) or delayed until blocks are uploaded "
                                  "(storage.tsdb.delay-compact-file.path)"};
    }
    GN_LOG(
        logger, kWarn,
        "Prometheus' minimum and maximum block durations differ, which is ignored as asked: a block that is compacted "
        "before it is uploaded will be missing from the bucket",
        {"min", min}, {"max", max});
  }
  if (min != "2h") {
    GN_LOG(logger, kWarn, "found that TSDB block time is not 2h; only 2h block time is recommended",
           {"block-time", min});
  }
  return Status();
}

}  // namespace gauntlet::sidecar
