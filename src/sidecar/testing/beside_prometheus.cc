#include "sidecar/testing/beside_prometheus.h"

#include <filesystem>

#include "io/file_system.h"
#include "telemetry/log.h"
#include "tsdb/block/block_meta.h"
#include "tsdb/chunkenc/testing/golden_chunks.h"

namespace gauntlet::sidecar {

namespace fs = std::filesystem;

Status AddGoldenBlock(const std::string& name, const RealPrometheus& prometheus) {
  fs::path from = fs::path(tsdb::GoldenFolder()) / "blocks" / name;
  GN_ASSIGN(std::string meta, io::RealFileSystem().ReadFile((from / "meta.json").string()));
  GN_ASSIGN(tsdb::BlockMeta parsed, tsdb::ParseBlockMeta(meta));
  fs::path to = prometheus.data() / parsed.ulid.ToString();
  fs::copy(from, to, fs::copy_options::recursive);
  fs::permissions(to, fs::perms::owner_write, fs::perm_options::add);
  for (const auto& entry : fs::recursive_directory_iterator(to)) {
    fs::permissions(entry, fs::perms::owner_write, fs::perm_options::add);
  }
  return Status();
}

Status BesidePrometheus::Make(Clock* clock_of_blocks) {
  GN_ASSIGN(client, net::HttpClient::Make({}));
  api = std::make_unique<PrometheusApi>(prometheus.url(), *client);
  HeartbeatOptions options;
  if (clock_of_blocks != nullptr) {
    blocks = std::make_unique<LocalBlocks>(io::RealFileSystem(), prometheus.data().string(), LocalBlocksOptions(),
                                           *clock_of_blocks, registry, telemetry::Logger::Discard());
    options.on_look = [this](const PrometheusState& state) { blocks->Compare(state); };
  }
  heartbeat = std::make_unique<Heartbeat>(options, *api, registry, telemetry::Logger::Discard());
  return Status();
}

}  // namespace gauntlet::sidecar
