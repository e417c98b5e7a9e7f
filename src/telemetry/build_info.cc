#include "telemetry/build_info.h"

#include <string_view>

namespace gauntlet::telemetry {

const BuildInfo& ThisBuild() {
  static const BuildInfo kInfo = [] {
    BuildInfo info;
    info.version = GN_VERSION;
    info.revision = GN_REVISION;
    info.branch = GN_BRANCH;
    info.build_user = "gauntlet";
    info.build_date = GN_BUILD_DATE;
#if defined(__clang__)
    info.compiler = "clang " __clang_version__;
#else
    info.compiler = "gcc " __VERSION__;
#endif
    while (info.compiler.ends_with(' ')) info.compiler.pop_back();
    return info;
  }();
  return kInfo;
}

void RegisterBuildInfo(Registry& registry, const std::string& name) {
  const BuildInfo& info = ThisBuild();
#if defined(__x86_64__)
  constexpr std::string_view kArch = "amd64";
#elif defined(__aarch64__)
  constexpr std::string_view kArch = "arm64";
#else
  constexpr std::string_view kArch = "unknown";
#endif
  registry
      .MakeGauges(name + "_build_info",
                  "A metric with a constant '1' value labeled by version, revision, branch, goversion (the compiler) "
                  "from which " +
                      name + " was built, and the goos and goarch for the build.",
                  {"branch", "goarch", "goos", "goversion", "revision", "tags", "version"})
      .With({info.branch, kArch, "linux", info.compiler, info.revision, "", info.version})
      .Set(1);
}

}  // namespace gauntlet::telemetry
