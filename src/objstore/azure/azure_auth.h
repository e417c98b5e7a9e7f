// Who asks Azure: a shared key over each request, or a token of Entra ID.
//
// Format:  Azure, "Authorize with Shared Key"; OAuth 2.0 client credentials, workload and managed identities
// Threads: as Authorizer.

#pragma once

#include <memory>

#include "base/clock.h"
#include "io/file_system.h"
#include "objstore/azure/azure_config.h"
#include "objstore/rest/request.h"

namespace gauntlet::objstore {

// By what the configuration and the environment (AZURE_*) say, in this order: key, signature in the query, client
// secret, workload identity, managed identity.
Result<std::unique_ptr<Authorizer>> MakeAzureAuthorizer(const AzureConfig& config, const AzureAccount& account,
                                                        io::FileSystem& files, Clock& clock);

// What a shared key signs.
std::string AzureStringToSign(const std::string& account, const Request& request);

}  // namespace gauntlet::objstore
