#include "app/sidecar_upload.h"

#include <chrono>
#include <utility>

#include "base/clock.h"
#include "io/file_system.h"
#include "objstore/config.h"
#include "objstore/retry.h"
#include "sidecar/upload_checks.h"

namespace gauntlet::app {
namespace {

constexpr std::chrono::milliseconds kInterval{30'000};
constexpr std::chrono::milliseconds kAskAgain{2'000};
constexpr std::chrono::milliseconds kLastPass{120'000};

}  // namespace

SidecarUpload::SidecarUpload(const PrometheusFlags& prometheus, const UploadFlags& flags, Runtime& runtime,
                             const sidecar::PrometheusApi& api, std::unique_ptr<objstore::Bucket> bucket)
    : prometheus_(prometheus), flags_(flags), runtime_(runtime), api_(api), bucket_(std::move(bucket)) {}

Result<std::unique_ptr<SidecarUpload>> SidecarUpload::Make(const PrometheusFlags& prometheus, const UploadFlags& flags,
                                                           Runtime& runtime, const sidecar::PrometheusApi& api,
                                                           const sidecar::Heartbeat& heartbeat) {
  GN_ASSIGN(std::string yaml, flags.objstore.Load());
  if (yaml.empty()) {
    GN_LOG(runtime.logger(), kInfo, "no supported bucket was configured, uploads will be disabled");
    return std::unique_ptr<SidecarUpload>();
  }
  objstore::Environment environment{runtime.blocking(), io::RealFileSystem(), runtime.logger(), "sidecar"};
  Result<std::unique_ptr<objstore::Bucket>> bucket = objstore::MakeBucket(yaml, environment, runtime.registry());
  if (!bucket.ok()) return bucket.status().Wrap("--objstore.config");
  std::unique_ptr<SidecarUpload> upload(new SidecarUpload(prometheus, flags, runtime, api, *std::move(bucket)));
  blocks::ShipperOptions options;
  options.dir = prometheus.tsdb_path;
  options.source = blocks::kSidecarSource;
  options.meta_file_name = flags.meta_file_name;
  options.hash_function = flags.hash_func;
  options.upload_compacted = flags.upload_compacted;
  options.allow_out_of_order = flags.allow_out_of_order;
  options.upload_concurrency = static_cast<size_t>(std::max(flags.upload_concurrency, 0));
  auto labels = [&heartbeat] {
    std::map<std::string, std::string> all;
    auto state = heartbeat.state();
    for (const Label& label : state->external_labels) all[std::string(label.name)] = label.value;
    return all;
  };
  upload->shipper_ =
      std::make_unique<blocks::Shipper>(std::move(options), *upload->bucket_, io::RealFileSystem(), runtime.blocking(),
                                        SystemClock(), labels, runtime.registry(), runtime.logger());
  return upload;
}

Status SidecarUpload::Check(const Cancel& cancel) {
  CancelSource patience(cancel, prometheus_.ready_timeout);
  const sidecar::UploadSetup setup{prometheus_.tsdb_path, flags_.meta_file_name, flags_.ignore_unequal_block_size};
  while (true) {
    CancelSource one(patience.cancel(), prometheus_.get_config_timeout);
    Status status = CheckUploadSetup(api_, setup, runtime_.logger(), one.cancel());
    if (status.ok() || status.code() == Code::kInvalid || !patience.cancel().status().ok()) return status;
    GN_LOG(runtime_.logger(), kWarn, "Prometheus' flags are not known yet; retrying", {"err", status});
    GN_TRY(objstore::Pause(kAskAgain, patience.cancel()));
  }
}

void SidecarUpload::Pass(const Cancel& cancel) {
  blocks::ShipResult result = shipper_->Sync(cancel);
  if (!result.first_error.ok()) {
    GN_LOG(runtime_.logger(), kWarn, "not all blocks were uploaded; trying again in the next pass",
           {"uploaded", result.uploaded}, {"failed", result.failed}, {"corrupt", result.corrupt},
           {"err", result.first_error});
  }
}

void SidecarUpload::Run(const Cancel& cancel) {
  do {
    Pass(cancel);
  } while (objstore::Pause(kInterval, cancel).ok());
  CancelSource last(Cancel(), kLastPass);
  Pass(last.cancel());
}

}  // namespace gauntlet::app
