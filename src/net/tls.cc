#include "net/tls.h"

namespace gauntlet::net {

Result<TlsVersion> ParseTlsVersion(const std::string& text) {
  if (text == "1.0" || text == "TLS10") return TlsVersion::k10;
  if (text == "1.1" || text == "TLS11") return TlsVersion::k11;
  if (text == "1.2" || text == "TLS12") return TlsVersion::k12;
  if (text == "1.3" || text == "TLS13") return TlsVersion::k13;
  return Status(Code::kInvalid, "unknown TLS version \"" + text + "\" (known: 1.0, 1.1, 1.2, 1.3)");
}

}  // namespace gauntlet::net
