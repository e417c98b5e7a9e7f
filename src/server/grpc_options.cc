#include "server/grpc_options.h"

#include "net/tls_context.h"

namespace gauntlet::server {

void GrpcOptions::Register(flags::FlagSet& flags) {
  flags.String("grpc-address", "Listen ip:port address for gRPC endpoints (StoreAPI).", &address);
  flags.String("grpc-server-tls-cert", "TLS Certificate for gRPC server, leave blank to disable TLS.", &tls_cert);
  flags.String("grpc-server-tls-key", "TLS Key for the gRPC server, leave blank to disable TLS.", &tls_key);
  flags.String("grpc-server-tls-client-ca",
               "TLS CA to verify clients against. If no client CA is specified, there is no client verification on "
               "server side.",
               &tls_client_ca);
  flags.String("grpc-server-tls-min-version", "TLS supported minimum version for gRPC server.", &tls_min_version)
      .Enum({"1.0", "1.1", "1.2", "1.3"});
  flags.Strings("grpc-server-tls-ciphers", "TLS cipher suites, by Go's names, that the gRPC server takes.",
                &tls_ciphers);
  flags.Strings("grpc-server-tls-curves", "TLS curves (CurveP256, CurveP384, CurveP521, X25519) that the server takes.",
                &tls_curves);
  flags.GoDuration("grpc-server-max-connection-age",
                   "The grpc server max connection age. This controls how often to re-establish connections and redo "
                   "TLS handshakes.",
                   &max_connection_age);
  flags.GoDuration("grpc-grace-period", "Time to wait after an interrupt received for GRPC Server.", &grace);
}

Result<net::GrpcServerOptions> GrpcOptions::ToServerOptions() const {
  net::GrpcServerOptions options;
  options.address = address;
  options.max_connection_age = max_connection_age;
  if (tls_cert.empty() && tls_key.empty()) {
    if (!tls_client_ca.empty()) {
      return Status(Code::kInvalid, "when a client CA is used a server key and certificate must also be provided");
    }
    return options;
  }
  if (tls_cert.empty() || tls_key.empty()) {
    return Status(Code::kInvalid, "both --grpc-server-tls-cert and --grpc-server-tls-key are needed for TLS");
  }
  net::TlsServerOptions tls;
  tls.cert_file = tls_cert;
  tls.key_file = tls_key;
  tls.client_ca_file = tls_client_ca;
  tls.cipher_suites = tls_ciphers;
  tls.curves = tls_curves;
  GN_ASSIGN(tls.min_version, net::ParseTlsVersion(tls_min_version));
  auto context = net::MakeTlsServerContext(tls, {"h2"});
  if (!context.ok()) return context.status().Wrap("set up TLS of the gRPC server");
  options.tls = [tls]() -> Result<std::optional<net::TlsServerOptions>> { return std::optional(tls); };
  return options;
}

}  // namespace gauntlet::server
